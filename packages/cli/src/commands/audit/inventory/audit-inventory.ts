import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RedkeepError } from 'redkeep';
import { renderHtml } from '../../../audit/render/html.js';
import { renderJson } from '../../../audit/render/json.js';
import { atLeast, type Severity } from '../../../audit/verdict/cvss.js';
import type { AuditResult } from '../../../audit/verdict/result.js';
import type { Context } from '../../../context.js';
import { CliError, explainSystemError } from '../../../errors.js';
import { ExitCode } from '../../../exit-codes.js';
import { stopIfInterrupted } from '../../../interruption.js';
import { version } from '../../../version.js';
import type { AuditOptions } from '../run-audit.js';
import { runAudit } from '../run-audit.js';
import { entryOf, type FleetEntry, failedEntry, fleetReport, occurrencesOf } from './fleet.js';
import { appendHistory, readHistory } from './history.js';
import { type InventoryEntry, readInventory } from './read-inventory.js';
import { renderFleetHtml, renderFleetTerminal } from './render-fleet.js';

/** The longest the audits of one fleet run side by side: more would only wait for each other. */
const mostAtOnce = 32;

/** What `--inventory` cannot be combined with: these mean one deployment. */
const ofOne = [
  'fix',
  'baseline',
  'evidence',
  'sarif',
  'junit',
  'csv',
  'markdown',
  'user',
  'passwordFile',
  'ca',
  'cert',
  'key',
  'roles',
  'records',
  'waivers',
  'name',
  'data',
  'profile',
  'dir',
] as const;

interface Outcome {
  readonly entry: FleetEntry;
  readonly result?: AuditResult;
}

/** `redkeep audit --inventory FILE`: many deployments, one overview. One that cannot be audited stops none of the others. */
export async function auditInventory(
  context: Context,
  targets: readonly string[],
  options: AuditOptions,
  threshold: Severity | 'never',
): Promise<void> {
  const wrong = ofOne.find((name) => options[name] !== undefined);
  if (targets.length > 0 || wrong !== undefined)
    throw new CliError(
      'REDKEEP_USAGE',
      `--inventory takes ${targets.length > 0 ? 'no further targets' : `no --${(wrong ?? '').replace(/[A-Z]/g, (one) => `-${one.toLowerCase()}`)}`}.`,
      'Write it into the inventory, for the deployment that it concerns, or audit that one by itself.',
    );
  const inventory = await readInventory(context, options.inventory ?? '');
  const historyFile = path.resolve(context.cwd, options.history ?? `${inventory.file}.history.jsonl`);
  const history = await readHistory(historyFile);
  const observedAt = context.clock.now().toISOString();
  const outcomes = await atMost(
    concurrencyOf(options.concurrency),
    inventory.entries,
    async (entry): Promise<Outcome> => {
      stopIfInterrupted(context.signal);
      context.terminal.detail(`auditing ${entry.name}`);
      const past = history.get(entry.name);
      try {
        const audited = await runAudit(
          contextOf(context, inventory.folder),
          [entry.target].flat(),
          optionsOf(entry, options),
        );
        return { entry: entryOf(entry.name, audited, past), result: audited.result };
      } catch (error) {
        stopIfInterrupted(context.signal);
        return { entry: failedEntry(entry.name, [entry.target].flat().join(', '), reasonOf(error), past) };
      }
    },
  );
  const report = fleetReport(
    inventory.file,
    observedAt,
    version,
    outcomes.map(({ entry }) => entry),
  );
  await writePages(context, options, outcomes, renderFleetHtml, report);
  await appendHistory(
    historyFile,
    outcomes.flatMap(({ entry: { name, grade, score }, result }) =>
      result ? [{ name, observedAt, grade, score, findings: occurrencesOf(result) }] : [],
    ),
  );
  if (options.json) context.terminal.json(report);
  else renderFleetTerminal(context, report);
  context.exitCode = exitCodeOf(outcomes, threshold);
}

/** Credentials of the environment belong to one deployment: an inventory says for each which file to read. */
function contextOf(context: Context, cwd: string): Context {
  const env = Object.fromEntries(
    Object.entries(context.env).filter(([name]) => !/^(REDKEEP_(USER|PASSWORD|DIR)|REDIS_)/.test(name)),
  );
  return Object.create(context, { cwd: { value: cwd }, env: { value: env } }) as Context;
}

function optionsOf(
  entry: InventoryEntry,
  { timeout, failOn, sampleKeys, cveData, follow }: AuditOptions,
): AuditOptions {
  const { user, passwordFile, ca, cert, key, profile, data, names, roles, records, waivers } = entry;
  return {
    timeout,
    failOn,
    sampleKeys,
    ...(cveData !== undefined && { cveData }),
    follow: entry.follow ?? follow,
    ...(user !== undefined && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(profile !== undefined && { profile }),
    ...(data !== undefined && { data }),
    ...(names !== undefined && { name: names }),
    ...(roles !== undefined && { roles: Object.entries(roles).map(([name, role]) => `${name}=${role}`) }),
    ...(records !== undefined && { records }),
    ...(waivers !== undefined && { waivers }),
  };
}

function concurrencyOf(text: string | undefined): number {
  const count = Number(text ?? 4);
  if (Number.isInteger(count) && count >= 1 && count <= mostAtOnce) return count;
  throw new CliError(
    'REDKEEP_USAGE',
    `--concurrency ${text} is not a number from 1 to ${mostAtOnce}.`,
    'For example --concurrency 4.',
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof RedkeepError || error instanceof CliError) return `${error.message} [${error.code}]`;
  return error instanceof Error ? error.message : String(error);
}

/** Runs a task for each item, at most `limit` at a time; the results are in the order of the items. */
async function atMost<T, R>(limit: number, items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await task(next[1]);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}

async function writePages(
  { cwd, terminal }: Context,
  { html, output }: AuditOptions,
  outcomes: readonly Outcome[],
  render: typeof renderFleetHtml,
  report: Parameters<typeof renderFleetHtml>[0],
): Promise<void> {
  const files: [string, string][] = html === undefined ? [] : [[html, render(report, new Set())]];
  if (output !== undefined) {
    const audited = outcomes.flatMap(({ entry, result }) => (result ? [{ name: entry.name, result }] : []));
    files.push(
      [path.join(output, 'report.html'), render(report, new Set(audited.map(({ name }) => name)))],
      [path.join(output, 'report.json'), `${JSON.stringify(report, null, 2)}\n`],
      ...audited.flatMap(({ name, result }): [string, string][] => [
        [path.join(output, name, 'report.html'), renderHtml(result)],
        [path.join(output, name, 'report.json'), renderJson(result)],
      ]),
    );
  }
  for (const [name, content] of files) {
    const file = path.resolve(cwd, name);
    try {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content, { mode: 0o600 });
    } catch (error) {
      throw explainSystemError(error, file);
    }
  }
  if (files[0]) terminal.note(`wrote ${path.resolve(cwd, files[0][0])}`);
}

/** The worst of the fleet: findings before gaps; 5 only where no deployment could be audited. */
function exitCodeOf(outcomes: readonly Outcome[], threshold: Severity | 'never'): ExitCode {
  const results = outcomes.flatMap(({ result }) => result ?? []);
  if (results.length === 0) return ExitCode.Connection;
  if (
    threshold !== 'never' &&
    results.some(({ findings }) => findings.some(({ severity }) => atLeast(severity, threshold)))
  )
    return ExitCode.Findings;
  const blind = results.some(({ checks }) =>
    checks.some(({ status, severity }) => status === 'unknown' && severity === 'critical'),
  );
  const dead = outcomes.some(({ entry }) => entry.error !== undefined || entry.unreachable.length > 0);
  return blind || dead ? ExitCode.Incomplete : ExitCode.Ok;
}
