import { expiredObjects } from '../../backup/restore/expired-objects.js';
import { type LoadedEntries, loadEntries, onlySource, type Problem } from '../../backup/restore/load-entries.js';
import { compareWithSeen } from '../../backup/restore/seen-chains.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { BackupEnvironment, type ReadOptions } from './options.js';
import { plural } from './sizes.js';

export interface Reading {
  readonly environment: BackupEnvironment;
  readonly loaded: LoadedEntries;
  readonly source: string;
  readonly trusted: readonly string[];
  /** Objects that expiry removed. */
  readonly gone: ReadonlySet<string>;
}

/** Opens a store and reads the chains of one source. */
export async function readBackup(context: Context, options: ReadOptions): Promise<Reading> {
  const environment = await BackupEnvironment.open(context, options);
  const { store } = environment;
  const trusted = await environment.trusted(options.trust);
  const loaded = await loadEntries(store, { source: environment.source, trusted });
  const source = onlySource(loaded, environment.source, store);
  const { names: gone } = await expiredObjects(store, source, trusted);
  const seen = await compareWithSeen(environment.stateFolder, store.description, source, loaded);
  const problems = [...loaded.problems, ...seen];
  return { environment, loaded: { ...loaded, problems }, source, trusted, gone };
}

/**
 * Refuses entries of writers that nobody named. Encryption is to public keys, so anybody who can write to the store
 * could have put a data set of theirs there.
 */
export function requireTrust(context: Context, reading: Reading, unverifiedWriter: boolean): Reading {
  const { loaded, source } = reading;
  const writers = loaded.writers.filter((writer) => writer.source === source);
  const strangers = writers.filter(({ trusted }) => !trusted);
  if (strangers.length === 0 || unverifiedWriter) return reading;
  if (strangers.length < writers.length) {
    // Beside writers that are believed, others are passed over: a stranger must not be able to prevent a restore.
    for (const { publicKey } of strangers)
      context.terminal.warn(`Passing over a writer that was not named: ${publicKey}`);
    const believed = new Set(writers.flatMap(({ id, trusted }) => (trusted ? [id] : [])));
    const entries = loaded.entries.filter((entry) => entry.source !== source || believed.has(entry.writer));
    return { ...reading, loaded: { ...loaded, entries } };
  }
  throw new CliError(
    'REDKEEP_BACKUP_WRITER_UNKNOWN',
    `The backup was signed by a key that was not named: ${strangers.map(({ publicKey }) => publicKey).join(', ')}.`,
    'Compare it with the recovery kit and name it with --trust; --unverified-writer accepts any writer.',
  );
}

/** Says what does not verify; what does is still of its writer, and a restore uses only that. */
export function warnOfProblems({ terminal }: Context, problems: readonly Problem[]): void {
  for (const { object, text } of problems.slice(0, 10)) terminal.warn(`${object}: ${text}`);
  if (problems.length > 10) terminal.warn(`${plural(problems.length - 10, 'more problem')}: redkeep backup verify`);
}

/** Refuses to build on a chain that is broken. */
export function refuseProblems(problems: readonly Problem[]): void {
  const [first] = problems;
  if (!first) return;
  throw new CliError(
    'REDKEEP_BACKUP_DAMAGED',
    `${first.object}: ${first.text}${problems.length > 1 ? `, and ${plural(problems.length - 1, 'more problem')}` : ''}.`,
    'Run "redkeep backup verify" for all of it.',
  );
}
