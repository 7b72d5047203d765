import { CliError } from '../../errors.js';
import { type Entry, entrySchema } from '../format/entry.js';
import { entryFolder } from '../format/names.js';
import { parseLine, readSigned, sha256Of, signerId } from '../format/signed.js';
import { readObject, type Store } from '../store/store.js';
import { checkOrder } from './check-order.js';

/** Something that is not as a backup must be. */
export interface Problem {
  readonly object: string;
  readonly text: string;
}

export interface Writer {
  readonly source: string;
  readonly id: string;
  readonly publicKey: string;
  /** The caller named its key. */
  readonly trusted: boolean;
  /** Number of its newest entry, and the hash of that. */
  readonly seq: number;
  readonly hash: string;
}

export interface LoadedEntries {
  readonly entries: readonly Entry[];
  readonly writers: readonly Writer[];
  readonly problems: readonly Problem[];
}

/** Entries are small; an object of this size under an entry's name is not one. */
const largestEntry = 1024 * 1024;
const readers = 16;
const objectName = /^[A-Za-z0-9._/-]+$/;

/**
 * Reads the chains of a source, or of all. What does not verify is a problem and not an entry: a restore uses only
 * what a writer signed, in its order.
 */
export async function loadEntries(
  store: Store,
  options: { readonly source?: string | undefined; readonly trusted?: readonly string[] },
): Promise<LoadedEntries> {
  const prefix = options.source === undefined ? 'entries/' : entryFolder(options.source);
  const names = (await store.list(prefix)).map(({ name }) => name).sort();
  // Not a name of ours, and perhaps one that would write on the terminal that shows it.
  const foreign = names.filter((name) => !objectName.test(name));
  const read = await mapLimited(
    names.filter((name) => objectName.test(name)),
    readers,
    (name) => readEntry(store, name),
  );
  const problems: Problem[] = read.flatMap((result) => ('problem' in result ? [result.problem] : []));
  for (const name of foreign) problems.push({ object: JSON.stringify(name), text: 'it has not the name of an entry' });
  const chains = group(read.flatMap(found));
  const entries: Entry[] = [];
  const writers: Writer[] = [];
  for (const chain of chains.values()) {
    problems.push(...checkChain(chain));
    const last = chain.at(-1)!;
    const reasons = checkOrder(chain.map(({ entry }) => entry));
    for (const [index, { name, entry }] of chain.entries()) {
      const reason = reasons[index];
      if (reason === undefined) entries.push(entry);
      else problems.push({ object: name, text: reason });
    }
    writers.push({
      source: last.entry.source,
      id: last.entry.writer,
      publicKey: last.signer,
      trusted: options.trusted?.includes(last.signer) ?? false,
      seq: last.entry.seq,
      hash: last.hash,
    });
  }
  return { entries, writers, problems };
}

/** Ends the names of safety copies, which `restore` takes and `restore undo` reads. */
export const safetySuffix = '.before-restore';

/** The source a command works on: the one named, else the only one there is. */
export function onlySource({ writers }: LoadedEntries, named: string | undefined, store: Store): string {
  const all = [...new Set(writers.map(({ source }) => source))];
  if (named !== undefined && all.includes(named)) return named;
  const sources = all.filter((source) => !source.endsWith(safetySuffix));
  if (named === undefined && sources.length === 1) return sources[0]!;
  throw new CliError(
    'REDKEEP_BACKUP_NOT_FOUND',
    named === undefined
      ? `${store.description} has ${sources.length === 0 ? 'no backup' : 'backups of more than one source'}.`
      : `${store.description} has no backup of "${named}".`,
    sources.length === 0 ? 'Check --store.' : `Name one with --source: ${sources.join(', ')}.`,
  );
}

interface Found {
  readonly name: string;
  readonly entry: Entry;
  readonly signer: string;
  readonly hash: string;
}

function found(result: Found | { readonly problem: Problem }): Found[] {
  return 'problem' in result ? [] : [result];
}

function chainOf({ entry }: Found): string {
  return `${entry.source}/${entry.writer}`;
}

function group(all: readonly Found[]): Map<string, Found[]> {
  const groups = new Map<string, Found[]>();
  for (const one of all) {
    const chain = groups.get(chainOf(one));
    if (chain) chain.push(one);
    else groups.set(chainOf(one), [one]);
  }
  return groups;
}

async function readEntry(store: Store, name: string): Promise<Found | { readonly problem: Problem }> {
  const bad = (text: string) => ({ problem: { object: name, text } });
  const content = await readObject(store, name, largestEntry);
  if (!content) return bad('it is larger than an entry can be');
  const signed = readSigned(content);
  if (!signed) return bad('its signature does not hold');
  const entry = parseLine(signed.line, entrySchema);
  if (!entry) return bad('it is not an entry of this format');
  if (signerId(signed.signer) !== entry.writer) return bad('it was signed by another key than its writer’s');
  const expected = `${entryFolder(entry.source)}${entry.writer}/${String(entry.seq).padStart(10, '0')}.json`;
  if (name !== expected) return bad(`it belongs at ${expected}`);
  return { name, entry, signer: signed.signer, hash: sha256Of(signed.line) };
}

function checkChain(chain: readonly Found[]): Problem[] {
  return chain.flatMap(({ name, entry }, index) => {
    const before = chain[index - 1];
    const seq = (before?.entry.seq ?? 0) + 1;
    if (entry.seq !== seq) return [{ object: name, text: `entries ${seq} to ${entry.seq - 1} are missing before it` }];
    const holds = entry.previous === (before?.hash ?? null);
    return holds ? [] : [{ object: name, text: 'it does not follow the entry before it' }];
  });
}

/** `Promise.all` with at most `limit` at a time, in order. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
