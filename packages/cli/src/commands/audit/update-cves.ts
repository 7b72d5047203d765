import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Cve, CveData } from '../../audit/facts/cves.js';
import { cveDataSchema, loadCveData } from '../../audit/gather/cve-data.js';
import { cvssScore } from '../../audit/verdict/cvss.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { replaceFile } from '../../files/replace-file.js';
import { compareVersions, releaseLineOf } from '../../vocabulary/engines.js';

/** https://google.github.io/osv.dev/post-v1-query/: no account, one question for each package. */
const osv = 'https://api.osv.dev/v1/query';
const packages = ['redis', 'valkey'] as const;

const answerSchema = z.object({
  vulns: z
    .array(
      z.object({
        id: z.string(),
        summary: z.string().optional(),
        details: z.string().optional(),
        aliases: z.array(z.string()).default([]),
        severity: z.array(z.object({ type: z.string(), score: z.string() })).default([]),
        affected: z
          .array(
            z.object({
              severity: z.array(z.object({ type: z.string(), score: z.string() })).default([]),
              ranges: z
                .array(
                  z.object({
                    events: z.array(z.object({ introduced: z.string().optional(), fixed: z.string().optional() })),
                  }),
                )
                .default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
  next_page_token: z.string().optional(),
});

type Vulnerability = z.infer<typeof answerSchema>['vulns'][number];

/** Where data that was fetched is kept; every audit of this user takes it while it is newer than what redkeep brings. */
function dataFile({ env }: Context): string {
  return path.join(
    env['XDG_DATA_HOME'] ?? path.join(env['HOME'] ?? homedir(), '.local', 'share'),
    'redkeep',
    'cves.json',
  );
}

/** The newer of the data that came with this version and the data that was fetched. */
export async function newestCveData(context: Context): Promise<CveData> {
  const shipped = await loadCveData();
  try {
    const fetched = cveDataSchema.parse(JSON.parse(await readFile(dataFile(context), 'utf8'))) as CveData;
    return fetched.date > shipped.date ? fetched : shipped;
  } catch {
    return shipped;
  }
}

/** `redkeep audit update-cves`: asks OSV for the servers' vulnerabilities and keeps what it says for later audits. */
export async function updateCves(context: Context, { from = osv }: { readonly from?: string }): Promise<void> {
  const shipped = await loadCveData();
  const found = await Promise.all(packages.map(async (name) => [name, await ask(context, from, name)] as const));
  if (found.some(([, vulnerabilities]) => vulnerabilities.length === 0))
    throw failed(`${from} knows no vulnerability of a server that has some`);
  const data = merged(shipped, found, context.clock.now().toISOString().slice(0, 10));
  const file = dataFile(context);
  await replaceFile(file, `${JSON.stringify(data, null, 2)}\n`);
  const fresh = data.entries.length - shipped.entries.length;
  context.terminal.line(
    `${data.entries.length} entries, ${fresh} of them newer than this redkeep, of ${data.date}: ${file}`,
  );
}

function failed(message: string): CliError {
  return new CliError(
    'REDKEEP_CONNECTION_FAILED',
    `${message}.`,
    'Try again later, or name a mirror (--from URL). Audits go on with the data they have.',
  );
}

async function ask({ signal }: Context, url: string, name: string): Promise<Vulnerability[]> {
  const all: Vulnerability[] = [];
  let token: string | undefined;
  do {
    const body = JSON.stringify({
      package: { name, ecosystem: 'Bitnami' },
      ...(token !== undefined && { page_token: token }),
    });
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
    let answer: unknown;
    try {
      const response = await fetch(url, {
        method: 'POST',
        body,
        signal: bounded,
        headers: { 'content-type': 'application/json' },
      });
      if (!response.ok) throw failed(`${url} answers with status ${response.status}`);
      answer = await response.json();
    } catch (error) {
      if (error instanceof CliError) throw error;
      throw failed(`${url} could not be asked: ${error instanceof Error ? error.message : String(error)}`);
    }
    const parsed = answerSchema.safeParse(answer);
    if (!parsed.success) throw failed(`${url} answers in another form than OSV's`);
    all.push(...parsed.data.vulns);
    token = parsed.data.next_page_token;
  } while (token !== undefined && all.length < 10_000);
  return all;
}

const version = /^\d+\.\d+(\.\d+)?$/;

function rangesOf({ affected }: Vulnerability): { from?: string; before: string }[] {
  return affected.flatMap(({ ranges }) =>
    ranges.flatMap(({ events }) => {
      let from: string | undefined;
      return events.flatMap(({ introduced, fixed }) => {
        if (introduced !== undefined) from = introduced;
        if (fixed === undefined || !version.test(fixed)) return [];
        const start = from;
        return [{ ...(start !== undefined && version.test(start) && { from: start }), before: fixed }];
      });
    }),
  );
}

function scoreOf({ severity, affected }: Vulnerability): number | undefined {
  const all = [...severity, ...affected.flatMap((one) => one.severity)];
  for (const { score } of all) {
    try {
      if (score.startsWith('CVSS:3')) return cvssScore(score);
    } catch {
      // A vector that is incomplete gives no score.
    }
  }
  return undefined;
}

/** Entries that were compared by hand stay as they are; OSV adds new ones, and the ranges of an engine they do not name. */
function merged(
  shipped: CveData,
  found: readonly (readonly [(typeof packages)[number], readonly Vulnerability[]])[],
  date: string,
): CveData {
  const entries = new Map<string, Cve>(shipped.entries.map((one) => [one.id, one]));
  const floors = structuredClone(shipped.floors) as Record<string, Record<string, string>>;
  for (const [engine, vulnerabilities] of found)
    for (const vulnerability of vulnerabilities) {
      const id = [vulnerability.id, ...vulnerability.aliases].find((one) => /^CVE-\d{4}-\d{4,}$/.test(one));
      const ranges = rangesOf(vulnerability);
      if (id === undefined || ranges.length === 0) continue;
      const known = entries.get(id);
      if (known?.affected[engine] !== undefined) continue;
      const score = scoreOf(vulnerability);
      const needs = (vulnerability.summary ?? vulnerability.details ?? 'see the entry').split('\n')[0]!.slice(0, 70);
      entries.set(id, {
        ...(known ?? { id, needs, ...(score !== undefined && { score, scoreVersion: '3.1' as const }) }),
        affected: { ...known?.affected, [engine]: ranges },
      });
      const lines = floors[engine];
      for (const { before } of ranges) {
        const floor = lines?.[releaseLineOf(before)];
        if (lines && floor !== undefined && compareVersions(before, floor) > 0) lines[releaseLineOf(before)] = before;
      }
    }
  return cveDataSchema.parse({ date, floors, entries: [...entries.values()] }) as CveData;
}
