import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context } from '../../context.js';
import { CliError, explainSystemError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { checkedRecipients, keepTimestamp, sumsFile } from '../../incident/evidence/bundle.js';
import { type Collected, collect, plannedReads } from '../../incident/evidence/collect.js';
import { requestTimestamp } from '../../incident/evidence/timestamp.js';
import { IncidentFolder } from '../../incident/folder.js';
import { Terminal } from '../../terminal.js';
import { signingKey } from '../audit/evidence.js';
import type { TakeOptions } from '../backup/archive-options.js';
import { backupRun } from '../backup/run.js';
import { type IncidentOptions, incidentFolderOf, openIncidentSession, type Servers, serversOf } from './options.js';

interface CollectOptions extends IncidentOptions {
  readonly recipient?: readonly string[];
  readonly withData?: boolean;
  readonly timestamp?: string;
  readonly evidenceKey?: string;
  readonly dryRun?: boolean;
}

/** `redkeep incident collect`. */
export async function collectEvidence(
  context: Context,
  given: string | undefined,
  options: CollectOptions,
): Promise<void> {
  const { terminal, clock, signal } = context;
  const recipients = checkedRecipients(options.recipient ?? []);
  if (options.withData && recipients.length === 0)
    throw new CliError(
      'REDKEEP_USAGE',
      'A copy of the data is only kept sealed, and nobody is named who could open it.',
      'Name a key with --recipient (make one with "redkeep backup key new").',
    );
  const { target, endpoints } = await serversOf(context, given, options);
  if (options.dryRun) {
    const reads = plannedReads(endpoints);
    if (options.json) return terminal.json({ reads });
    for (const { source, id, asks } of reads) terminal.line(`${source}  ${id.padEnd(15)} ${asks.join(', ')}`);
    return terminal.note('Nothing was asked.');
  }
  const key = await signingKey(context, options.evidenceKey);
  const now = clock.now();
  const incident = await IncidentFolder.begin(incidentFolderOf(context, options), now);
  const name = path.join('evidence', now.toISOString().replace(/[-:]|\.\d+/g, ''));
  const collected = await collect({
    folder: incident.file(name),
    target: target.label,
    ...{ endpoints, recipients, key, signal },
    openSession: openIncidentSession,
    now: () => clock.now(),
    onArtefact: (source, id, outcome) => terminal.detail(`${source} ${id}: ${outcome}`),
    ...(options.withData && {
      copyData: (folder) => copyData(context, folder, { given, options, recipients, endpoints }),
    }),
  });
  const time = options.timestamp ? await timestamped(context, collected, options.timestamp) : undefined;
  const text = `${collected.artefacts} artefacts were collected${recipients.length > 0 ? ' and sealed' : ''}.`;
  await incident.record('collected', text, clock.now(), name);
  if (collected.missing.length > 0) context.exitCode = ExitCode.Incomplete;
  if (options.json)
    return terminal.json({
      folder: collected.folder,
      artefacts: collected.artefacts,
      missing: collected.missing,
      sealed: recipients.length > 0,
      timestamp: time?.toISOString() ?? null,
      tookMs: Math.round(collected.tookMs),
    });
  for (const missing of collected.missing) terminal.note(`not collected: ${missing}`);
  terminal.done(
    `Collected ${collected.artefacts} artefacts in ${(collected.tookMs / 1000).toFixed(1)} s: ${collected.folder}`,
  );
  if (recipients.length === 0) terminal.warn('The evidence is not sealed: anybody who reads the folder reads it.');
  terminal.note(`Verify it anywhere, with openssl alone: sh ${path.join(collected.folder, 'verify.sh')}`);
}

async function timestamped(context: Context, collected: Collected, url: string): Promise<Date | undefined> {
  try {
    const { query, reply, time } = await requestTimestamp(url, collected.signed, context.signal);
    await keepTimestamp(collected.folder, query, reply);
    return time;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // The evidence is worth more than its timestamp, which can be asked for later.
    context.terminal.warn(`${error.message} ${error.hint}`);
    context.exitCode = ExitCode.Incomplete;
    return undefined;
  }
}

/** `redkeep incident timestamp`. */
export async function timestampBundle(
  context: Context,
  given: string,
  options: { readonly authority: string; readonly json?: boolean },
): Promise<void> {
  const folder = path.resolve(context.cwd, given);
  const file = path.join(folder, sumsFile);
  const signed = await readFile(file).catch((error: unknown) => {
    throw explainSystemError(error, file);
  });
  const { query, reply, time } = await requestTimestamp(options.authority, signed, context.signal);
  try {
    await keepTimestamp(folder, query, reply);
  } catch (error) {
    throw explainSystemError(error, folder);
  }
  if (options.json) return context.terminal.json({ folder, timestamp: time.toISOString() });
  context.terminal.done(`The authority confirms that this evidence existed at ${time.toISOString()}.`);
}

interface DataCopy {
  readonly given: string | undefined;
  readonly options: CollectOptions;
  readonly recipients: readonly string[];
  readonly endpoints: Servers['endpoints'];
}

/** A backup of these servers inside the bundle; `redkeep restore` reads it. */
async function copyData(
  context: Context,
  folder: string,
  { given, options, recipients, endpoints }: DataCopy,
): Promise<{ name: string; bytes: number; sha256: string }[]> {
  const sink = { write: () => undefined };
  const quiet = Object.create(context, {
    terminal: { value: new Terminal({ out: sink, err: sink, env: {} }) },
  }) as Context;
  const state = path.join(folder, '..', '..', 'state');
  const about = { store: path.join(folder, 'data'), state, recipient: recipients, onPrimary: true };
  const [endpoint] = endpoints;
  if (given === undefined || !given.includes('://') || !endpoint)
    await backupRun(quiet, { ...about, ...((given ?? options.dir) && { dir: given ?? options.dir }) } as TakeOptions);
  else
    await withPasswordFile(endpoint.password, (passwordFile) => {
      const { host, port, tls, username, files } = endpoint;
      const name = host.includes(':') ? `[${host}]` : host;
      return backupRun(quiet, {
        ...about,
        source: 'incident',
        from: [`${tls ? 'rediss' : 'redis'}://${name}:${port}`],
        ...(!tls && { allowPlaintext: true }),
        ...(username !== undefined && { user: username }),
        ...(passwordFile !== undefined && { passwordFile }),
        ...(files?.ca !== undefined && { caFile: files.ca }),
        ...(files?.cert !== undefined && { certFile: files.cert }),
        ...(files?.key !== undefined && { keyFile: files.key }),
      });
    });
  const entries = await readdir(path.join(folder, 'data'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => {
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const part of createReadStream(file)) {
        hash.update(part as Buffer);
        bytes += (part as Buffer).length;
      }
      return { name: path.relative(folder, file), bytes, sha256: hash.digest('hex') };
    }),
  );
}

/** The password in a file of this user for as long as it is needed. */
async function withPasswordFile(
  password: string | undefined,
  work: (file: string | undefined) => Promise<void>,
): Promise<void> {
  if (password === undefined) return work(undefined);
  const folder = await mkdtemp(path.join(tmpdir(), 'redkeep-incident-'));
  try {
    const file = path.join(folder, 'password');
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
