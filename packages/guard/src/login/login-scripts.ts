import { Script } from '../redis/script.js';

/*
 * Attempts are a hash: n = attempts counted, w = ms to wait since a, a = when that was (us). Durations, so that a server
 * whose clock is behind makes nobody wait longer.
 */

/** KEYS counter; ARGV free attempts, base ms, longest ms, ms until forgotten. { 1, 0 } = counted, { 0, ms to wait }. */
export const BEGIN_ATTEMPT = new Script(
  'login_begin',
  `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local h = redis.call('HMGET', KEYS[1], 'n', 'w', 'a')
local passed = math.max(now - tonumber(h[3] or now), 0) / 1000
local left = math.ceil(tonumber(h[2] or '0') - passed)
if left > 0 then
  if now < tonumber(h[3]) then redis.call('HSET', KEYS[1], 'w', left, 'a', string.format('%.0f', now)) end
  return { 0, left }
end
local n = tonumber(h[1] or '0') + 1
local wait = 0
if n >= tonumber(ARGV[1]) then wait = math.min(ARGV[2] * 2 ^ math.min(n - ARGV[1], 40), tonumber(ARGV[3])) end
redis.call('HSET', KEYS[1], 'n', n, 'w', string.format('%.0f', wait), 'a', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[4]), wait))
return { 1, 0 }`,
);

/** KEYS counter. Takes one attempt back that turned out right, with the wait it caused. */
export const FORGET_ATTEMPT = new Script(
  'login_forget',
  `
local n = tonumber(redis.call('HGET', KEYS[1], 'n') or '0')
if n <= 1 then redis.call('DEL', KEYS[1]) return 1 end
redis.call('HSET', KEYS[1], 'n', n - 1, 'w', 0)
return 1`,
);
