import { Script } from '../redis/script.js';

/*
 * A session is one hash, so every change of it is one key and one script:
 *
 *   p  proof of the current id          v  sealed record           n  version of v
 *   s  sealed time of the last touch,   x  absolute end, Unix ms   d  1 = destroyed (tombstone)
 *      empty when v is newer
 *   op, ov  proof and record before the last rotation, readable until oe (Unix ms)
 *
 * The server's clock decides; a TTL never reaches beyond x.
 */

/** The clock, in ms, and the expiry of a session that ends at `x`: true when there is any time left. */
const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function alive(x, idle)
  local left = tonumber(x) - now
  if left <= 0 then redis.call('DEL', KEYS[1]) return false end
  redis.call('PEXPIRE', KEYS[1], math.min(left, tonumber(idle)))
  return true
end`;

/** KEYS session; ARGV proof, record, idle ms, absolute ms, 1 = replace what is there. 1, 0 = exists or destroyed. */
export const CREATE = new Script(
  'session_create',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'd', 'x', 'n', 'op')
if h[1] then return 0 end
if ARGV[5] ~= '1' and h[2] then return 0 end
local x = h[2] or string.format('%.0f', now + tonumber(ARGV[4]))
local n = tonumber(h[3] or '0') + 1
-- The first write must be one that a full server refuses: a script that has written may go on writing.
redis.call('HSET', KEYS[1], 'p', ARGV[1], 'v', ARGV[2], 'n', n, 'x', x, 's', '')
if h[4] then redis.call('HDEL', KEYS[1], 'op', 'ov', 'oe') end
alive(x, ARGV[3])
return n`,
);

/** KEYS session; ARGV proof, record, version it was loaded at, idle ms. New version, -1 = gone, -2 = changed since. */
export const SAVE = new Script(
  'session_save',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'p', 'n', 'x')
if h[1] ~= ARGV[1] then return -1 end
if h[2] ~= ARGV[3] then return -2 end
local n = tonumber(h[2]) + 1
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'n', n, 's', '')
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

/** KEYS session; ARGV old proof, version, new proof, new record, idle ms, grace ms. New version, -1 gone, -2 changed. */
export const ROTATE = new Script(
  'session_rotate',
  `${CLOCK}
local h = redis.call('HMGET', KEYS[1], 'p', 'n', 'x', 'v')
if h[1] ~= ARGV[1] then return -1 end
if h[2] ~= ARGV[2] then return -2 end
local n, grace = tonumber(h[2]) + 1, tonumber(ARGV[6])
local old = grace > 0 and { 'op', h[1], 'ov', h[4], 'oe', string.format('%.0f', now + grace) } or {}
redis.call('HSET', KEYS[1], 'p', ARGV[3], 'v', ARGV[4], 'n', n, 's', '', unpack(old))
if grace <= 0 then redis.call('HDEL', KEYS[1], 'op', 'ov', 'oe') end
return alive(h[3], ARGV[5]) and n or -1`,
);

/** KEYS session; ARGV proof or '' for any, tombstone ms. 1 = ended, 0 = there was none. */
export const DESTROY = new Script(
  'session_destroy',
  `
local p = redis.call('HGET', KEYS[1], 'p')
if p and ARGV[1] ~= '' and p ~= ARGV[1] and redis.call('HGET', KEYS[1], 'op') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'd', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return p and 1 or 0`,
);

/**
 * KEYS index of a user; ARGV family, absolute ms, limit (0 = none), 1 = evict the oldest. Adds the family and
 * returns those to end; false when the limit refuses it. The caller ends them and removes them then: every member outlives its session, so a session is
 * always in the index, and "log out everywhere" misses none.
 */
export const ENLIST = new Script(
  'session_enlist',
  `
local t = redis.call('TIME')
-- Microseconds: sessions made in one millisecond have an order, too.
local now = t[1] * 1000000 + t[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
local evicted = {}
local limit = tonumber(ARGV[3])
if limit > 0 then
  local over = redis.call('ZCARD', KEYS[1]) + 1 - limit
  if over > 0 then
    if ARGV[4] ~= '1' then return false end
    evicted = redis.call('ZRANGE', KEYS[1], 0, over - 1)
  end
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2] * 1000), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return evicted`,
);
