import { Script } from '../redis/script.js';

/*
 * One hash for each subject and purpose: h = keyed hash of the token or code, v = sealed content, x = end (Unix ms),
 * l = attempts left, 0 = a token, which guesses do not void; b = when the newest ones were issued (Unix ms, oldest
 * first), which outlives the token. Single moments: a count for each hour would let two hours' worth pass around its end.
 */

const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** KEYS token; ARGV hash, content, ttl ms, attempts (0 = a token), most in an hour. 1, 0 = too many. */
export const ISSUE = new Script(
  'token_issue',
  `${CLOCK}
local issued = {}
for at in string.gmatch(redis.call('HMGET', KEYS[1], 'b')[1] or '', '%d+') do
  if math.abs(now - at) < 3600000 then issued[#issued + 1] = at end
end
if #issued >= tonumber(ARGV[5]) then return 0 end
issued[#issued + 1] = string.format('%.0f', now)
redis.call('HSET', KEYS[1], 'h', ARGV[1], 'v', ARGV[2], 'x', string.format('%.0f', now + ARGV[3]), 'l', ARGV[4],
  'b', table.concat(issued, ' '))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), 3600000))
return 1`,
);

/** KEYS token; ARGV hash, 1 = a wrong one counts. { 1, content }, { 0 }. */
export const REDEEM = new Script(
  'token_redeem',
  `${CLOCK}
local held = redis.call('HMGET', KEYS[1], 'h', 'v', 'x', 'l')
if not held[1] then return { 0 } end
if tonumber(held[3]) <= now then redis.call('HDEL', KEYS[1], 'h', 'v', 'x', 'l') return { 0 } end
if held[1] ~= ARGV[1] then
  if ARGV[2] == '1' and tonumber(held[4]) > 0 then
    if tonumber(held[4]) <= 1 then redis.call('HDEL', KEYS[1], 'h', 'v', 'x', 'l')
    else redis.call('HSET', KEYS[1], 'l', held[4] - 1) end
  end
  return { 0 }
end
redis.call('HDEL', KEYS[1], 'h', 'v', 'x', 'l')
return { 1, held[2] }`,
);

/** KEYS family; ARGV generation presented, sealed content, idle ms, grace ms. { status, generation, content }. */
export const REFRESH = new Script(
  'refresh_next',
  `${CLOCK}
local held = redis.call('HMGET', KEYS[1], 'g', 'x', 'd', 'a')
if held[3] then return { 3 } end
if not held[1] then return { 0 } end
if tonumber(held[2]) <= now then redis.call('DEL', KEYS[1]) return { 0 } end
local current, given = tonumber(held[1]), tonumber(ARGV[1])
if given > current then return { 0 } end
if given < current then
  -- Of parallel twins the slower one gets an answer of its own; an old token that comes later was stolen, or lost.
  if given == current - 1 and math.abs(now - tonumber(held[4])) < tonumber(ARGV[4]) then return { 2 } end
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'd', 1)
  redis.call('PEXPIRE', KEYS[1], math.max(held[2] - now, 1))
  return { 3 }
end
redis.call('HSET', KEYS[1], 'g', current + 1, 'v', ARGV[2], 'a', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.max(math.min(tonumber(ARGV[3]), held[2] - now), 1))
return { 1, current + 1 }`,
);

/** KEYS family; ARGV sealed content, idle ms, absolute ms, user hash. 1, 0 = ended before it began. */
export const START_FAMILY = new Script(
  'refresh_start',
  `${CLOCK}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'g', 1, 'v', ARGV[1], 'x', string.format('%.0f', now + ARGV[3]), 'a', string.format('%.0f', now), 'u', ARGV[4])
redis.call('PEXPIRE', KEYS[1], math.min(tonumber(ARGV[2]), tonumber(ARGV[3])))
return 1`,
);

/** KEYS family; ARGV ms that the mark stays. Ends a family, also one that is only about to begin. */
export const END_FAMILY = new Script(
  'refresh_end',
  `
local was = redis.call('HGET', KEYS[1], 'g')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'd', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return was and 1 or 0`,
);

/** KEYS index of a user; ARGV family, ms. Before the family begins, so that ending all ends it, too. */
export const ADD_FAMILY = new Script(
  'refresh_add',
  `${CLOCK}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
);
