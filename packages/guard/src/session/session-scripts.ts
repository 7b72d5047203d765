import { Script } from '../redis/redis.js';

/*
 * A session is one hash, so every change of it is one key and one script:
 *
 *   p  proof of the current id          v  sealed record           n  version of v
 *   s  sealed time of the last touch    x  absolute end, Unix ms   d  1 = destroyed (tombstone)
 *   op, ov  proof and record before the last rotation, readable until oe (Unix ms)
 *
 * The server's clock decides; a TTL never reaches beyond x.
 */

const EXPIRE = `
local function expire(key, idle)
  local t = redis.call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  local left = tonumber(redis.call('HGET', key, 'x')) - now
  if left <= 0 then redis.call('DEL', key) return 0 end
  redis.call('PEXPIRE', key, math.min(left, tonumber(idle)))
  return 1
end`;

/** KEYS session; ARGV proof, record, idle ms, absolute ms, 1 = replace what is there. 1, 0 = exists or destroyed. */
export const CREATE = new Script(`${EXPIRE}
if redis.call('HGET', KEYS[1], 'd') then return 0 end
if ARGV[5] ~= '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local t = redis.call('TIME')
local x = redis.call('HGET', KEYS[1], 'x')
if not x then x = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[4])) end
local n = tonumber(redis.call('HGET', KEYS[1], 'n') or '0') + 1
-- The first write must be one that a full server refuses: a script that has written may go on writing.
redis.call('HSET', KEYS[1], 'p', ARGV[1], 'v', ARGV[2], 'n', n, 'x', x)
redis.call('HDEL', KEYS[1], 's', 'op', 'ov', 'oe')
expire(KEYS[1], ARGV[3])
return n`);

/** KEYS session; ARGV proof, record, version it was loaded at, idle ms. New version, -1 = gone, -2 = changed since. */
export const SAVE = new Script(`${EXPIRE}
local h = redis.call('HMGET', KEYS[1], 'p', 'n')
if h[1] ~= ARGV[1] then return -1 end
if h[2] ~= ARGV[3] then return -2 end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 'n', tonumber(h[2]) + 1)
redis.call('HDEL', KEYS[1], 's')
if expire(KEYS[1], ARGV[4]) == 0 then return -1 end
return tonumber(h[2]) + 1`);

/** KEYS session; ARGV proof, sealed time, idle ms. 1, 0 = gone. */
export const TOUCH = new Script(`${EXPIRE}
if redis.call('HGET', KEYS[1], 'p') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 's', ARGV[2])
return expire(KEYS[1], ARGV[3])`);

/** KEYS session; ARGV old proof, version, new proof, new record, idle ms, grace ms. New version, -1 gone, -2 changed. */
export const ROTATE = new Script(`${EXPIRE}
local h = redis.call('HMGET', KEYS[1], 'p', 'n', 'v')
if h[1] ~= ARGV[1] then return -1 end
if h[2] ~= ARGV[2] then return -2 end
if tonumber(ARGV[6]) > 0 then
  local t = redis.call('TIME')
  local till = t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[6])
  redis.call('HSET', KEYS[1], 'op', h[1], 'ov', h[3], 'oe', string.format('%.0f', till))
else
  redis.call('HDEL', KEYS[1], 'op', 'ov', 'oe')
end
redis.call('HSET', KEYS[1], 'p', ARGV[3], 'v', ARGV[4], 'n', tonumber(h[2]) + 1)
redis.call('HDEL', KEYS[1], 's')
if expire(KEYS[1], ARGV[5]) == 0 then return -1 end
return tonumber(h[2]) + 1`);

/** KEYS session; ARGV proof or '' for any, tombstone ms. 1 = ended, 0 = there was none. */
export const DESTROY = new Script(`
local p = redis.call('HGET', KEYS[1], 'p')
if p and ARGV[1] ~= '' and p ~= ARGV[1] and redis.call('HGET', KEYS[1], 'op') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'd', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return p and 1 or 0`);

/**
 * KEYS index of a user; ARGV family, absolute ms, limit (0 = none), 1 = evict the oldest. Adds the family and
 * returns those to end; false when the limit refuses it. The caller ends them and removes them then: every member outlives its session, so a session is
 * always in the index, and "log out everywhere" misses none.
 */
export const ENLIST = new Script(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local evicted = {}
local limit = tonumber(ARGV[3])
if limit > 0 then
  local over = redis.call('ZCARD', KEYS[1]) + 1 - limit
  if over > 0 then
    if ARGV[4] ~= '1' then return false end
    evicted = redis.call('ZRANGE', KEYS[1], 0, over - 1)
  end
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return evicted`);
