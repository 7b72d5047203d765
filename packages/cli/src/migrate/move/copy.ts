import type { Bytes } from './bytes.js';
import { flatten, keysOf, reads } from './digest.js';

/** How keys travel: in the server's own format, or read and written by the commands of their types. */
export type CopyMethod = 'dump' | 'commands';

export interface CopyReport {
  readonly keys: number;
  /** What could not be taken over, in words. */
  readonly lost: readonly string[];
}

/** Elements of a value that go over in one command. */
const elements = 1000;

/** Copies every key and function. Both servers must be quiet meanwhile, or the copy is of no moment. */
export async function copyAll(from: Bytes, to: Bytes, method: CopyMethod, signal: AbortSignal): Promise<CopyReport> {
  const lost = new Map<string, number>();
  const lose = (what: string): void => void lost.set(what, (lost.get(what) ?? 0) + 1);
  const hasFieldExpiry = await from('COMMAND', 'INFO', 'HPEXPIRETIME').then(
    (reply) => Array.isArray(reply) && reply[0] !== null && flatten(reply[0]).length > 0,
    () => false,
  );
  let keys = 0;
  let selected = '0';
  for await (const { database, keys: batch } of keysOf(from)) {
    signal.throwIfAborted();
    if (database !== selected) await to('SELECT', database);
    selected = database;
    const copied = await Promise.all(
      batch.map((key) =>
        method === 'dump' ? copyDump(from, to, key) : copyTyped(from, to, key, hasFieldExpiry, lose),
      ),
    );
    keys += copied.filter(Boolean).length;
  }
  if (selected !== '0') await to('SELECT', '0');
  await copyFunctions(from, to, lose);
  return { keys, lost: [...lost].map(([what, count]) => `${what} (${count})`) };
}

async function copyDump(from: Bytes, to: Bytes, key: Buffer): Promise<boolean> {
  const [dump, until] = await Promise.all([from('DUMP', key), from('PEXPIRETIME', key)]);
  if (!Buffer.isBuffer(dump)) return false;
  await to('RESTORE', key, String(Math.max(0, Number(until))), dump, 'REPLACE', 'ABSTTL');
  return true;
}

async function copyTyped(
  from: Bytes,
  to: Bytes,
  key: Buffer,
  hasFieldExpiry: boolean,
  lose: (what: string) => void,
): Promise<boolean> {
  const type = String(await from('TYPE', key));
  const words = reads[type];
  if (type === 'none') return false;
  if (!words) {
    lose(`keys of the type ${type}, which belongs to a module`);
    return false;
  }
  const until = Number(await from('PEXPIRETIME', key));
  const value = await from(...words(key));
  await to('DEL', key);
  if (type === 'stream') await writeStream(from, to, key, value, lose);
  else await writeParts(to, key, type, flatten(value));
  if (type === 'hash' && hasFieldExpiry) await copyFieldExpiry(from, to, key, flatten(value), lose);
  if (until > 0) await to('PEXPIREAT', key, String(until));
  return true;
}

async function writeParts(to: Bytes, key: Buffer, type: string, parts: readonly Buffer[]): Promise<void> {
  if (type === 'string') {
    await to('SET', key, parts[0] ?? Buffer.alloc(0));
    return;
  }
  const command = { list: 'RPUSH', set: 'SADD', hash: 'HSET', zset: 'ZADD' }[type]!;
  // Members come before their scores, and are written behind them.
  const ordered =
    type === 'zset' ? parts.flatMap((_, index) => (index % 2 === 0 ? [parts[index + 1]!, parts[index]!] : [])) : parts;
  for (let at = 0; at < ordered.length; at += elements) await to(command, key, ...ordered.slice(at, at + elements));
}

async function writeStream(
  from: Bytes,
  to: Bytes,
  key: Buffer,
  value: unknown,
  lose: (what: string) => void,
): Promise<void> {
  const entries = (Array.isArray(value) ? value : []) as readonly (readonly [Buffer, unknown])[];
  for (const [id, fields] of entries) await to('XADD', key, id, ...flatten(fields));
  // A stream without entries exists all the same.
  if (entries.length === 0) {
    await to('XADD', key, '0-1', 'x', 'x');
    await to('XDEL', key, '0-1');
  }
  const info = pairs(await from('XINFO', 'STREAM', key));
  const last = info.get('last-generated-id');
  if (last && String(last) !== '0-0') await to('XSETID', key, last as Buffer);
  for (const group of (await from('XINFO', 'GROUPS', key)) as readonly unknown[]) {
    const fields = pairs(group);
    await to('XGROUP', 'CREATE', key, fields.get('name') as Buffer, fields.get('last-delivered-id') as Buffer);
    if (Number(fields.get('pending') ?? 0) > 0) lose('pending entries of a consumer group');
  }
}

function pairs(reply: unknown): Map<string, unknown> {
  const parts = Array.isArray(reply) ? reply : [];
  const found = new Map<string, unknown>();
  for (let index = 0; index + 1 < parts.length; index += 2) found.set(String(parts[index]), parts[index + 1]);
  return found;
}

async function copyFieldExpiry(
  from: Bytes,
  to: Bytes,
  key: Buffer,
  parts: readonly Buffer[],
  lose: (what: string) => void,
): Promise<void> {
  const fields = parts.filter((_, index) => index % 2 === 0);
  if (fields.length === 0) return;
  const times = (await from('HPEXPIRETIME', key, 'FIELDS', String(fields.length), ...fields)) as readonly unknown[];
  for (const [index, time] of times.entries()) {
    if (Number(time) <= 0) continue;
    await to('HPEXPIREAT', key, String(time), 'FIELDS', '1', fields[index]!).catch(() =>
      lose('times to live of hash fields'),
    );
  }
}

async function copyFunctions(from: Bytes, to: Bytes, lose: (what: string) => void): Promise<void> {
  const libraries = await from('FUNCTION', 'LIST', 'WITHCODE').catch(() => []);
  for (const library of Array.isArray(libraries) ? libraries : []) {
    const code = pairs(library).get('library_code');
    if (Buffer.isBuffer(code))
      await to('FUNCTION', 'LOAD', 'REPLACE', code).catch(() =>
        lose('libraries of functions that the new server refuses'),
      );
  }
}
