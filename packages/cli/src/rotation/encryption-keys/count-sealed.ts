import { Encryption, keysFromValue } from '@redkeep/guard';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { stopIfInterrupted } from '../../interruption.js';
import type { EncryptionFile } from './encryption-file.js';
import { bytesOf, lookAtAll, onPrimaries } from './on-primaries.js';

/** How many values are still sealed with keys, by the first part of the names they are kept under. */
export interface SealedCount {
  readonly looked: number;
  readonly sealed: number;
  readonly places: Readonly<Record<string, number>>;
}

type Read = ReturnType<typeof bytesOf>;

const batch = 500;
/** A sealed value is known by its first 33 bytes; a record that contains one as text has it within so many. */
const headBytes = 4096;
/** A sealed value as text begins so: in base64 of both alphabets, and in hexadecimal. 33 bytes have all that is needed. */
const asText = /9VJL[\w+/-]{40}|f5524b[\da-f]{60}/gi;

/**
 * Looks at every value of every primary, not only at those that are known to be sealed: a key may leave the ring only
 * when nothing anywhere is sealed with it. A value names its key, so nothing is opened. Entries of lists, sets, sorted
 * sets and streams count, too, and what is inside text as base64 or hexadecimal, as wrapped keys are.
 */
export async function countSealed(
  context: Context,
  deployments: readonly LoadedDeployment[],
  file: EncryptionFile,
  keys: readonly string[],
): Promise<SealedCount> {
  return lookAtAll(context, deployments, () => countOnce(context, deployments, file, keys));
}

async function countOnce(
  context: Context,
  deployments: readonly LoadedDeployment[],
  file: EncryptionFile,
  keys: readonly string[],
): Promise<SealedCount> {
  const rings = keys.map((key) => new Encryption({ keys: keysFromValue([key]), environment: file.environment }));
  const places: Record<string, number> = {};
  let looked = 0;
  let sealed = 0;
  const isSealed = async (value: Buffer): Promise<boolean> => {
    for (const form of formsOf(value))
      for (const ring of rings) if (!(await ring.isStale(form).catch(() => true))) return true;
    return false;
  };
  await onPrimaries(context, deployments, async (client) => {
    const read = bytesOf(client);
    for await (const names of namesOf(read)) {
      stopIfInterrupted(context.signal);
      const counts = await Promise.all(
        names.map(async (name) => {
          let found = 0;
          for await (const value of valuesOf(read, name)) if (await isSealed(value)) found += 1;
          return found;
        }),
      );
      looked += names.length;
      for (const [index, found] of counts.entries()) {
        if (found === 0) continue;
        sealed += found;
        // Names may hold what is personal: only their first part is told.
        const place = `${names[index]!.toString().split(':', 1)[0]}:*`;
        places[place] = (places[place] ?? 0) + found;
      }
    }
  });
  return { looked, sealed, places };
}

async function* namesOf(read: Read): AsyncGenerator<Buffer[]> {
  for (let cursor = '0'; ; ) {
    const [next, names] = (await read('SCAN', cursor, 'COUNT', String(batch))) as [Buffer, Buffer[]];
    yield names;
    cursor = String(next);
    if (cursor === '0') return;
  }
}

/** Everything below a name that could be a sealed value; a name that is gone meanwhile has nothing. */
async function* valuesOf(read: Read, name: Buffer): AsyncGenerator<Buffer> {
  const type = String(await read('TYPE', name));
  if (type === 'string') {
    const value = await read('GETRANGE', name, '0', String(headBytes - 1));
    if (Buffer.isBuffer(value)) yield value;
  } else if (type === 'hash') yield* scanned(read, 'HSCAN', name);
  else if (type === 'set') yield* scanned(read, 'SSCAN', name);
  else if (type === 'zset') yield* scanned(read, 'ZSCAN', name);
  else if (type === 'list') {
    for (let start = 0; ; start += batch) {
      const page = (await read('LRANGE', name, String(start), String(start + batch - 1))) as Buffer[];
      yield* page;
      if (page.length < batch) return;
    }
  } else if (type === 'stream') {
    for (let from = '-'; ; ) {
      const page = (await read('XRANGE', name, from, '+', 'COUNT', String(batch))) as [Buffer, Buffer[]][];
      for (const [, fields] of page) yield* buffersOf(fields);
      if (page.length < batch) return;
      from = `(${page.at(-1)![0].toString()}`;
    }
  }
}

async function* scanned(read: Read, command: string, name: Buffer): AsyncGenerator<Buffer> {
  for (let cursor = '0'; ; ) {
    const [next, found] = (await read(command, name, cursor, 'COUNT', String(batch))) as [Buffer, unknown];
    yield* buffersOf(found);
    cursor = String(next);
    if (cursor === '0') return;
  }
}

/** Bytes of a reply whatever its shape: RESP3 gives maps and pairs where RESP2 gives lists. */
function buffersOf(reply: unknown): Buffer[] {
  if (Buffer.isBuffer(reply)) return [reply];
  if (Array.isArray(reply)) return reply.flatMap(buffersOf);
  if (reply instanceof Map) return [...reply.values()].flatMap(buffersOf);
  return reply !== null && typeof reply === 'object' ? Object.values(reply).flatMap(buffersOf) : [];
}

/** What may be sealed of a value: itself, and what it contains as text. Only the head of each is needed. */
function formsOf(value: Buffer): Buffer[] {
  const text = value.toString('latin1', 0, Math.min(value.length, headBytes));
  const found = [...text.matchAll(asText)].map(([form]) => Buffer.from(form, form.startsWith('9') ? 'base64' : 'hex'));
  // Long enough to be judged by its header alone.
  return [value, ...found.map((head) => Buffer.concat([head, Buffer.alloc(headBytes)]))];
}
