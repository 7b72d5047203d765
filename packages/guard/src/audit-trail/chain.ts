import { createHmac } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { GuardError, hasCode } from '../errors.js';
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
 * is lost, or is not what a trail wrote, or contradicts the last entry; 3 = the stream ends with what no trail wrote:
 * neither is guessed at, both need `repairAuditTrail`. A last entry before the head is what a cut end looks like, also
 * after its repair: `verify` reports it.
 */
export const APPEND = new Script(
  'audit_append',
  `
local head = redis.pcall('HMGET', KEYS[2], 'seq', 'hash')
if head.err then
  if string.find(head.err, 'WRONGTYPE') then return { 2, '0', '' } end
  return head
end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local seq, hash = head[1], head[2]
if (not seq and not hash) or (seq == '0' and hash == '') then
  if last then return { 2, '0', '' } end
  seq, hash = '0', ''
else
  if not seq or not hash or #seq > 15 or not string.find(seq, '^[1-9]%d*$') then return { 2, '0', '' } end
  if #hash ~= 43 or string.find(hash, '[^%w_-]') then return { 2, '0', '' } end
  if last then
    local at, linked = string.match(last[1], '^%d+'), nil
    for i = 1, #last[2], 2 do
      if last[2][i] == 'h' then linked = last[2][i + 1] end
    end
    if last[1] == seq .. '-0' then
      if linked ~= hash then return { 2, '0', '' } end
    elseif #at > #seq or (#at == #seq and at >= seq) then
      return { 3, '0', '' }
    elseif linked == hash then
      return { 2, '0', '' }
    end
  end
end
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

/** What REDKEEP_AUDIT_REPAIR says of a head. */
export const HEAD_DAMAGED = 'the head is lost or was changed';

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
  if (done === 2) throw new GuardError('REDKEEP_AUDIT_REPAIR', HEAD_DAMAGED);
  if (done === 3) throw new GuardError('REDKEEP_AUDIT_REPAIR', 'a foreign entry is at the end');
  return { appended: done === 1, head: { seq: Number(textOf(seq)), hash: textOf(hash) ?? '' } };
}

const ATTEMPTS = 100;
const LONGEST_PAUSE_MS = 50;

/**
 * Waits before another attempt after `lost` of them lost to other writers: a moment by chance, so that they part.
 * Errors: REDKEEP_STORE_UNAVAILABLE after 100.
 */
export async function nextAttempt(lost: number): Promise<void> {
  if (lost >= ATTEMPTS)
    throw new GuardError('REDKEEP_STORE_UNAVAILABLE', `other writers of the trail were faster ${lost} times`);
  // The first are repeated at once: two writers that meet are the common case.
  if (lost > 5) await setTimeout(Math.random() * LONGEST_PAUSE_MS);
}

/** The fields of the head key as they are; undefined when the key has another type. */
export type StoredHead = readonly [seq: Buffer | undefined, hash: Buffer | undefined] | undefined;

/** What is stored where the head should be. */
export async function readStoredHead(redis: Redis, name: string): Promise<StoredHead> {
  try {
    const [seq, hash] = listOf(await redis.read(trailKeys(name).head, 'HMGET', 'seq', 'hash'));
    return [bytesOf(seq), bytesOf(hash)];
  } catch (error) {
    if (hasCode(error, 'REDKEEP_STORE_REFUSED') && /\bWRONGTYPE\b/.test(error.message)) return undefined;
    throw error;
  }
}

/** The head that is stored, by the rules of {@link APPEND}; seq 0 before the first entry, undefined when no trail wrote it. */
export function headOf(stored: StoredHead): Head | undefined {
  if (stored === undefined) return undefined;
  const [seq, hash] = stored.map((field) => field?.toString('latin1'));
  if ((seq === undefined && hash === undefined) || (seq === '0' && hash === '')) return { seq: 0, hash: '' };
  if (seq === undefined || !/^[1-9]\d{0,14}$/.test(seq)) return undefined;
  if (hash === undefined || !/^[\w-]{43}$/.test(hash)) return undefined;
  return { seq: Number(seq), hash };
}

/** The head as Redis has it. Errors: REDKEEP_AUDIT_REPAIR when it is nothing that a trail wrote. */
export async function readHead(redis: Redis, name: string): Promise<Head> {
  const head = headOf(await readStoredHead(redis, name));
  if (head === undefined) throw new GuardError('REDKEEP_AUDIT_REPAIR', HEAD_DAMAGED);
  return head;
}

function bytesOf(reply: Reply): Buffer | undefined {
  if (Buffer.isBuffer(reply)) return reply;
  const text = textOf(reply);
  return text === undefined ? undefined : Buffer.from(text);
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
