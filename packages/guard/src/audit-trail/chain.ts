import { createHmac } from 'node:crypto';
import { GuardError } from '../errors.js';
import { listOf, type Redis, type Reply, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';

/** What an application reports: who did what to whose data, from where, with what outcome. */
export interface AuditEvent {
  /** Who acted: user name, service. Stored in clear unless the trail has person keys. */
  readonly actor: string;
  /**
   * With person keys: `person` (default) is kept as a pseudonym and sealed under the actor's own key, so that erasing
   * the actor erases the name and the address; `service` is kept in clear; `unauthenticated`, for somebody who only
   * claims a name (a failed login), gets a pseudonym and no key, and the address stays in clear.
   */
  readonly actorKind?: 'person' | 'service' | 'unauthenticated';
  /** `profile.read`, `session.destroy`, … */
  readonly action: string;
  /** Whose data. Stored as a pseudonym when the trail has person keys. */
  readonly subject?: string;
  readonly resource?: string;
  /** Address or system the request came from. */
  readonly from?: string;
  readonly outcome?: 'success' | 'denied' | 'failure';
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An event with its time and identity. */
export interface RecordedEvent extends AuditEvent {
  readonly id: string;
  /** Unix milliseconds, by the clock of the process that recorded it. */
  readonly at: number;
}

/** One element of the chain as stored. */
export interface ChainEntry {
  readonly seq: number;
  /** JSON text of the entry, exactly as hashed. */
  readonly body: string;
  readonly hash: string;
}

/** Where the chain ends. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/*
 * Stream entry ids are `<seq>-0` without gaps, so a deletion shows by itself. Each hash covers the sequence number,
 * the hash before and the body:   hash(n) = HMAC-SHA256(chain key, n | hash(n-1) | body(n))
 */

/** Hash of an entry. */
export function chainHash(key: Uint8Array, seq: number, previous: string, body: string): string {
  return createHmac('sha256', key).update(`${seq}|${previous}|${body}`).digest('base64url');
}

/** Names of a trail's keys; one hash tag, so one cluster slot. */
export function trailKeys(name: string): { readonly stream: string; readonly head: string } {
  return { stream: `{${name}}:stream`, head: `{${name}}:head` };
}

/**
 * KEYS stream, head; ARGV expected seq, expected hash, then body and hash of each entry. 1 | 0, seq, hash. 2 = the head
 * is lost, 3 = the stream ends with what no trail wrote: neither is guessed at, both need `repairAuditTrail`.
 */
export const APPEND = new Script(
  'audit_append',
  `
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
if not head[1] and #redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1) > 0 then return { 2, '0', '' } end
local seq, hash = head[1] or '0', head[2] or ''
if seq ~= ARGV[1] or hash ~= ARGV[2] then return { 0, seq, hash } end
for i = 3, #ARGV, 2 do
  seq = string.format('%.0f', tonumber(seq) + 1)
  hash = ARGV[i + 1]
  local added = redis.pcall('XADD', KEYS[1], seq .. '-0', 'e', ARGV[i], 'h', hash)
  if type(added) == 'table' and added.err then
    if string.find(added.err, 'equal or smaller') or string.find(added.err, 'exhausted') then return { 3, '0', '' } end
    return added
  end
end
redis.call('HSET', KEYS[2], 'seq', seq, 'hash', hash)
return { 1, seq, hash }`,
);

/**
 * Appends bodies after `head`. When another writer was faster, nothing is written and the new head comes back to try
 * again from: writers cannot fork the chain.
 */
export async function append(
  redis: Redis,
  name: string,
  key: Uint8Array,
  head: Head,
  bodies: readonly string[],
): Promise<{ readonly appended: boolean; readonly head: Head }> {
  const { stream, head: headKey } = trailKeys(name);
  const args: string[] = [String(head.seq), head.hash];
  let previous = head.hash;
  for (const [at, body] of bodies.entries()) {
    previous = chainHash(key, head.seq + 1 + at, previous, body);
    args.push(body, previous);
  }
  const [done, seq, hash] = listOf(await redis.script(APPEND, [stream, headKey], args));
  if (done === 2) throw new GuardError('REDKEEP_AUDIT_REPAIR', 'the head is lost');
  if (done === 3) throw new GuardError('REDKEEP_AUDIT_REPAIR', 'a foreign entry is at the end');
  return { appended: done === 1, head: { seq: Number(textOf(seq)), hash: textOf(hash) ?? '' } };
}

/** The head as Redis has it. */
export async function readHead(redis: Redis, name: string): Promise<Head> {
  const [seq, hash] = listOf(await redis.read(trailKeys(name).head, 'HMGET', 'seq', 'hash'));
  return { seq: Number(textOf(seq) ?? '0'), hash: textOf(hash) ?? '' };
}

const PAGE = 500;

/** All stored entries from `from` on, in order. An id that is not ours comes with `seq` NaN. */
export async function* readChain(redis: Redis, name: string, from = 1): AsyncGenerator<StreamedEntry> {
  const { stream } = trailKeys(name);
  for (let start = `${from}-0`; ; ) {
    const page = listOf(await redis.read(stream, 'XRANGE', start, '+', 'COUNT', String(PAGE)));
    let last = '';
    for (const row of page) {
      const [id, fields] = listOf(row);
      last = textOf(id)!;
      yield toEntry(last, listOf(fields));
    }
    if (page.length < PAGE) return;
    start = `(${last}`;
  }
}

/** The entry with a sequence number. */
export async function entryAt(redis: Redis, name: string, seq: number): Promise<StreamedEntry | undefined> {
  const [row] = listOf(await redis.read(trailKeys(name).stream, 'XRANGE', `${seq}-0`, `${seq}-0`));
  if (row === undefined) return undefined;
  const [id, fields] = listOf(row);
  return toEntry(textOf(id)!, listOf(fields));
}

/** An entry with the id it has in the stream. */
export interface StreamedEntry extends ChainEntry {
  readonly id: string;
}

function toEntry(id: string, fields: readonly Reply[]): StreamedEntry {
  const named = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) named.set(textOf(fields[i])!, textOf(fields[i + 1])!);
  const seq = /^\d+-0$/.test(id) ? Number.parseInt(id, 10) : Number.NaN;
  return { id, seq, body: named.get('e') ?? '', hash: named.get('h') ?? '' };
}
