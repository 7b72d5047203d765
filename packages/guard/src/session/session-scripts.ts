import { Script } from '../redis/script.js';

/*
 * A session is one hash, so every change of it is one key and one script:
 *
 *   p  proof of the current id          v  sealed record           n  version of v, also inside it
 *   s  sealed time of the last touch,   x  absolute end, Unix ms   u  hash of its user, '' for none
 *      empty when v is newer            d  1 = destroyed (tombstone)
 *   op, ov  proof and record before the last rotation, readable until oe (Unix ms)
 *
 * The index of a user is a sorted set, family -> when it was enlisted (Unix us). A session is enlisted before it gets
 * its user, so "log out everywhere" misses none. Whatever is in the index and not in a hash may still be on its way:
 * CREATE, SAVE and ROTATE refuse a user that was enlisted longer than PENDING ago, and only later than SETTLED may
 * somebody else take an entry for what a crash left. A tombstone outlives both.
 *
 * The server's clock decides; a TTL never reaches beyond x.
 */

/** Microseconds a session may take from its enlistment until it has its user. */
const PENDING_US = 15_000_000;
/** Milliseconds after which an entry without a session is certainly left over; allows for clocks of cluster nodes. */
export const SETTLED_MS = 45_000;
/** No session lives longer, so no entry of an index is needed longer. */
const INDEX_MS = 86_400_000;

/** The clock, in ms; the expiry of a session that ends at `x`: true when there is any time left. */
const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function alive(x, idle)
  local left = tonumber(x) - now
  if left <= 0 then redis.call('DEL', KEYS[1]) return false end
  redis.call('PEXPIRE', KEYS[1], math.min(left, tonumber(idle)))
  return true
end
local function late(enlisted)
  return enlisted ~= '' and math.abs(t[1] * 1000000 + t[2] - tonumber(enlisted)) > ${PENDING_US}
end`;

/**
 * KEYS session; ARGV proof, record, version of the record, idle ms, absolute ms, 1 = replace what is there, user,
 * enlisted at. { 1, version } | { -1 } exists or destroyed | { -2, version } another is there | { -3 } too late.
 */
export const CREATE = new Script(
  'session_create',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'd', 'x', 'n', 'op')
if h[1] then return { -1 } end
if ARGV[6] ~= '1' and h[2] then return { -1 } end
local n = tonumber(h[3] or '0')
if n + 1 ~= tonumber(ARGV[3]) then return { -2, n } end
if late(ARGV[8]) then return { -3 } end
local x = h[2] or string.format('%.0f', now + tonumber(ARGV[5]))
-- The first write must be one that a full server refuses: a script that has written may go on writing.
redis.call('HSET', KEYS[1], 'p', ARGV[1], 'v', ARGV[2], 'n', ARGV[3], 'x', x, 's', '', 'u', ARGV[7])
if h[4] then redis.call('HDEL', KEYS[1], 'op', 'ov', 'oe') end
alive(x, ARGV[4])
return { 1, n + 1 }`,
);

/**
 * KEYS session; ARGV proof, record, version it was loaded at, idle ms, user or '=' for the same,
 * enlisted at. New version, -1 = gone, -2 = changed since, -3 = enlisted too long ago.
 */
export const SAVE = new Script(
  'session_save',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'p', 'n', 'x')
if h[1] ~= ARGV[1] then return -1 end
if h[2] ~= ARGV[3] then return -2 end
if late(ARGV[6]) then return -3 end
local n = tonumber(h[2]) + 1
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'n', n, 's', '')
if ARGV[5] ~= '=' then redis.call('HSET', KEYS[1], 'u', ARGV[5]) end
return alive(h[3], ARGV[4]) and n or -1`,
);

/** KEYS session; ARGV proof, sealed time, idle ms. 1, 0 = gone. */
export const TOUCH = new Script(
  'session_touch',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'p', 'x')
if h[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[2])
return alive(h[2], ARGV[3]) and 1 or 0`,
);

/**
 * KEYS session; ARGV old proof, version, new proof, new record, idle ms, grace ms, old record as the old id may read
 * it, user or '=' for the same, enlisted at. New version, -1 gone, -2 changed, -3 enlisted too long ago.
 */
export const ROTATE = new Script(
  'session_rotate',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'p', 'n', 'x')
if h[1] ~= ARGV[1] then return -1 end
if h[2] ~= ARGV[2] then return -2 end
if late(ARGV[9]) then return -3 end
local n, grace = tonumber(h[2]) + 1, tonumber(ARGV[6])
local old = grace > 0 and { 'op', h[1], 'ov', ARGV[7], 'oe', string.format('%.0f', now + grace) } or {}
redis.call('HSET', KEYS[1], 'p', ARGV[3], 'v', ARGV[4], 'n', n, 's', '', unpack(old))
if ARGV[8] ~= '=' then redis.call('HSET', KEYS[1], 'u', ARGV[8]) end
if grace <= 0 then redis.call('HDEL', KEYS[1], 'op', 'ov', 'oe') end
return alive(h[3], ARGV[5]) and n or -1`,
);

/** KEYS session; ARGV proof of an id before a rotation. Its record while the grace lasts by the server's clock. */
export const READ_BEFORE = new Script(
  'session_read_before',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'op', 'ov', 'oe', 'p')
if h[1] == ARGV[1] and tonumber(h[3]) > now then return { 1, h[2] } end
return { 0, h[4] == ARGV[1] and 1 or 0 }`,
);

/**
 * KEYS session; ARGV proof or '' for any, tombstone ms, user or '*' for any, 1 = also one that is only on its way.
 * { 1, user } = ended, { 0, '' } = there was none, { 2, user } = it is another user's.
 */
export const DESTROY = new Script(
  'session_destroy',
  `
local h = redis.call('HMGET', KEYS[1], 'p', 'op', 'u')
if h[1] and ARGV[1] ~= '' and h[1] ~= ARGV[1] and h[2] ~= ARGV[1] then return { 0, '' } end
if h[1] and ARGV[3] ~= '*' and h[3] ~= ARGV[3] then return { 2, h[3] or '' } end
if not h[1] and ARGV[4] ~= '1' then return { 0, '' } end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'd', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { h[1] and 1 or 0, h[3] or '' }`,
);

/**
 * KEYS index of a user; ARGV family, limit (0 = none), mode: 0 = look first, 1 = evict the oldest, 2 = refuse; then
 * pairs of family and score that are certainly left over and go.
 *
 * { 1, enlisted at, victim, score, … }: enlisted; the caller ends the victims before the session gets its user.
 * { 0, now, family, score, … }: not enlisted, there is no room. The caller looks which of these are left over.
 */
export const ENLIST = new Script(
  'session_enlist',
  `
local t = redis.call('TIME')
-- Microseconds: sessions made in one millisecond have an order, too.
local now = string.format('%.0f', t[1] * 1000000 + t[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ${INDEX_MS}000 * 1.1))
for i = 4, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
local limit, victims = tonumber(ARGV[2]), {}
if limit > 0 then
  local others = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  for i = #others - 1, 1, -2 do
    if others[i] == ARGV[1] then table.remove(others, i) table.remove(others, i) end
  end
  local over = #others / 2 + 1 - limit
  if over > 0 then
    if ARGV[3] ~= '1' then
      table.insert(others, 1, now)
      table.insert(others, 1, 0)
      return others
    end
    for i = 1, over * 2 do victims[i] = others[i] end
  end
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ${INDEX_MS})
table.insert(victims, 1, now)
table.insert(victims, 1, 1)
return victims`,
);

/** KEYS index; ARGV pairs of family and score. Takes out those that nobody has enlisted again. */
export const DELIST = new Script(
  'session_delist',
  `
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return 1`,
);

/** KEYS index. { now, family, score, … }; times in us. */
export const ENLISTED = new Script(
  'session_enlisted',
  `
local t = redis.call('TIME')
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
table.insert(all, 1, string.format('%.0f', t[1] * 1000000 + t[2]))
return all`,
);
