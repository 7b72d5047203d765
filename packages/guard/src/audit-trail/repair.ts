import type { RedisArgument } from 'redkeep';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError } from '../errors.js';
import { client as anyClient, anything, checked, key, list, prefix, required, type Schema } from '../options.js';
import { type GuardClient, Redis } from '../redis/redis.js';
import { Script } from '../redis/script.js';
import type { Anchor } from './anchor.js';
import {
  chainHash,
  type Head,
  headOf,
  nextAttempt,
  readChain,
  readStoredHead,
  type StoredHead,
  type StreamedEntry,
  trailKeys,
} from './chain.js';

/**
 * KEYS stream, head, quarantine, where a head of another type goes; ARGV last id expected ('' for none), head expected
 * (seq, hash, as {@link expected} writes them), head to set (seq, hash), then ids to move. 0 = somebody wrote meanwhile.
 */
const REPAIR = new Script(
  'audit_repair',
  `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local head = redis.pcall('HMGET', KEYS[2], 'seq', 'hash')
local typed = true
if head.err then
  if not string.find(head.err, 'WRONGTYPE') then return head end
  typed = false
end
local function field(value)
  if not typed then return 'no hash' end
  return value and '=' .. value or ''
end
if (last and last[1] or '') ~= ARGV[1] then return 0 end
if field(head[1]) ~= ARGV[2] or field(head[2]) ~= ARGV[3] then return 0 end
for i = 6, #ARGV do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
  redis.call('XADD', KEYS[3], '*', 'id', ARGV[i], unpack(entry[2]))
  redis.call('XDEL', KEYS[1], ARGV[i])
end
if not typed then redis.call('RENAME', KEYS[2], KEYS[4]) end
redis.call('HSET', KEYS[2], 'seq', ARGV[4], 'hash', ARGV[5])
if #ARGV < 6 then return 1 end
local set = redis.pcall('XSETID', KEYS[1], ARGV[4] .. '-0')
if type(set) == 'table' and set.err then
  -- Where an id that was deleted keeps the stream from going on below it: the same entries in a new stream.
  local kept = redis.call('XRANGE', KEYS[1], '-', '+')
  redis.call('DEL', KEYS[1])
  for _, entry in ipairs(kept) do redis.call('XADD', KEYS[1], entry[1], unpack(entry[2])) end
end
return 1`,
);

/** Options of {@link repairAuditTrail}. */
export interface AuditRepairOptions {
  /** A connection of an administrator: writers and auditors cannot do this. */
  readonly client: GuardClient;
  /** Name of the trail; default `audit`. */
  readonly name?: string;
  readonly chainKey: KeyMaterial;
  /** Anchors kept outside: where nothing of the chain is left, the newest says where it ended. Verify them first. */
  readonly anchors?: readonly Anchor[];
}

const REPAIR_OPTIONS: Schema<AuditRepairOptions> = {
  client: required(anyClient),
  name: prefix,
  chainKey: required(key),
  anchors: list(anything),
};

/** What a repair did. */
export interface AuditRepair {
  /** Where the chain goes on from. */
  readonly head: Head;
  /** Entries moved to `{name}:quarantine`: no trail wrote them. */
  readonly quarantined: number;
  /** The head was set anew. */
  readonly headRestored: boolean;
}

/**
 * Lets writers go on after the head of a trail was lost or changed, or something foreign was added at its end. It never removes an
 * entry that belongs to the chain and hides nothing: what is missing or modified before the end still shows in `verify`.
 * Errors: REDKEEP_AUDIT_REPAIR when nothing says where the chain ended; REDKEEP_STORE_UNAVAILABLE, _DENIED.
 */
export async function repairAuditTrail(options: AuditRepairOptions): Promise<AuditRepair> {
  const { client, name = 'audit', anchors = [], chainKey } = checked(options, REPAIR_OPTIONS);
  const redis = new Redis(client, 10_000);
  const key = decodeKey(chainKey);
  const { stream, head: headKey } = trailKeys(name);
  for (let lost = 0; ; await nextAttempt(++lost)) {
    const stored = await readStoredHead(redis, name);
    const said = headOf(stored);
    const { end, foreign, lastId, disproved } = await walk(redis, name, key, said, anchors);
    const head = goesOnFrom(disproved ? undefined : said, end, anchors);
    if (head === undefined) {
      if (lastId === '' && foreign.length === 0 && said?.seq === 0)
        return { head: said, quarantined: 0, headRestored: false };
      throw new GuardError('REDKEEP_AUDIT_REPAIR', 'nothing says where the chain ended: pass anchors');
    }
    const ids = foreign.map(({ id }) => id);
    const args = [lastId, ...expected(stored), String(head.seq), head.hash, ...ids];
    const keys = [stream, headKey, `{${name}}:quarantine`, `{${name}}:quarantine:head`];
    if ((await redis.script(REPAIR, keys, args)) !== 1) continue;
    const headRestored = head.seq !== said?.seq || head.hash !== said.hash;
    return { head, quarantined: ids.length, headRestored };
  }
}

/** The stored head byte for byte, also one that no trail wrote: '' for a field that is absent, or `=` and its value. */
function expected(stored: StoredHead): RedisArgument[] {
  if (stored === undefined) return ['no hash', 'no hash'];
  return stored.map((field) => (field === undefined ? '' : Buffer.concat([Buffer.from('='), field])));
}

/**
 * The last entry that is linked to the one before it, and everything after that; whether the entries disprove the head.
 */
async function walk(
  redis: Redis,
  name: string,
  key: Uint8Array,
  said: Head | undefined,
  anchors: readonly Anchor[],
): Promise<{ end: Head | undefined; foreign: readonly StreamedEntry[]; lastId: string; disproved: boolean }> {
  let end: Head | undefined;
  let foreign: StreamedEntry[] = [];
  let lastId = '';
  let disproved = false;
  let previous: Head | undefined;
  for await (const entry of readChain(redis, name, 0)) {
    const { seq, body, hash, id } = entry;
    lastId = id;
    const before = previous ?? { seq: 0, hash: '' };
    // By the stored hash of the one before: a modified entry in the middle breaks no link after it, and the first of a
    // trimmed trail is confirmed by its successor.
    const linked = seq === before.seq + 1 && chainHash(key, seq, before.hash, body) === hash;
    // Nothing links the first entry of a trimmed trail, and if it is the last too, only the head or an anchor names it.
    const named = previous === undefined && [said, ...anchors].some((head) => head?.seq === seq && head.hash === hash);
    if (linked || named) {
      end = { seq, hash };
      foreign = [];
      // The hash of one entry is not that of another.
      if (hash === said?.hash && seq !== said.seq) disproved = true;
    } else foreign.push(entry);
    if (!Number.isNaN(seq)) previous = { seq, hash };
  }
  return { end, foreign, lastId, disproved };
}

/** The furthest that is known: a head beyond the entries stays, because what is missing must go on missing. */
function goesOnFrom(said: Head | undefined, end: Head | undefined, anchors: readonly Anchor[]): Head | undefined {
  const heads = anchors.filter(({ kind }) => kind === 'head');
  const anchored = heads.sort((a, b) => a.seq - b.seq).at(-1);
  const known = [said, end, anchored].filter((head) => head !== undefined && head.seq > 0) as Head[];
  const furthest = known.sort((a, b) => a.seq - b.seq).at(-1);
  return furthest === undefined ? undefined : { seq: furthest.seq, hash: furthest.hash };
}
