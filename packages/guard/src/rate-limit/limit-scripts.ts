import { Script } from '../redis/script.js';

/*
 * The server's clock counts, in microseconds, so application clocks may differ. What is stored for a limit:
 *
 *   GCRA            "<full> <at>" or, while an identity is blocked, "<full> <at> <block>": at the time `at` it was
 *                   `full` us until the bucket would be full again, and `block` us until the end of the block.
 *   sliding window  a hash: w = number of the window, c = count in it, p = count in the one before; a, b = at the time
 *                   a it was b us until the end of a block. The window before counts by its share still in sight.
 *
 * Durations, not points in time, so that after a failover to a server whose clock is behind nobody waits longer than
 * before: time then stops until the next call, which notes the new clock.
 */

const CLOCK = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]`;

/** GCRA: us until full, us blocked, whether the clock is behind the one that wrote. */
const GCRA = `
local function held(key)
  local text = redis.call('GET', key)
  if not text then return 0, 0, false end
  local full, at, block = string.match(text, '^([%d.]+) (%d+) ?(%d*)$')
  local passed = math.max(now - at, 0)
  return math.max(full - passed, 0), math.max((tonumber(block) or 0) - passed, 0), now < tonumber(at)
end
local function hold(key, full, block)
  local left = math.ceil(math.max(full, block) / 1000)
  if left <= 0 then redis.call('DEL', key) return end
  local text = string.format('%.2f %.0f', full, now)
  if block > 0 then text = text .. string.format(' %.0f', block) end
  redis.call('SET', key, text, 'PX', left)
end`;

/**
 * One GCRA limit, the commonest case: three commands inside, one number back.
 *
 *   KEYS  limit     ARGV  what the cost adds (us), what the burst allows (us)
 *   reply  >= 0: allowed, us until full     < 0: refused, us until there is room
 *          { ms blocked, us until full }: refused by a block
 */
export const CHECK_GCRA = new Script(
  'limit_gcra',
  `${CLOCK}${GCRA}
local full, block, behind = held(KEYS[1])
local after = full + ARGV[1]
local over = after - ARGV[2]
if block > 0 or over > 0 then
  if behind then hold(KEYS[1], full, block) end
  if block > 0 then return { math.ceil(block / 1000), math.ceil(full) } end
  return -math.ceil(over)
end
redis.call('SET', KEYS[1], string.format('%.2f %.0f', after, now), 'PX', math.ceil(after / 1000))
return math.ceil(after)`,
);

/**
 * All limits of an identity at once: either every limit has room and all are charged, or none is.
 *
 *   KEYS  one per limit   (one hash tag, so one cluster slot)
 *   ARGV  mode (0 peek, 1 check, 2 force), cost, then per limit: kind (g, w), limit, period us, burst
 *   reply ms blocked, allowed, then per limit: remaining, retry us (-1 = never), reset us
 */
export const CHECK = new Script(
  'limit_check',
  `${CLOCK}${GCRA}
local mode, cost = ARGV[1], tonumber(ARGV[2])
local blocked, allowed, late = 0, true, false
local reply, writes, left, retries = { 0, 0 }, {}, {}, {}
for i = 1, #KEYS do
  local at = (i - 1) * 4 + 3
  local kind, limit, period, burst = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local retry, block = 0, 0
  if kind == 'g' then
    local step = period / limit
    local full, held_block, behind = held(KEYS[i])
    block, late = held_block, late or behind
    local after = full + cost * step
    local over = after - burst * step
    if over > 0 then retry = cost > burst and -1 or over end
    left[i] = { (burst * step - full) / step + 0.000001, full, (burst * step - after) / step + 0.000001, after }
    if mode == '2' then after = math.min(math.max(after, 0), math.max(burst * step, period) + 86400000000) end
    writes[i] = { full, after, block }
  else
    local h = redis.call('HMGET', KEYS[i], 'w', 'c', 'p', 'b', 'a')
    local window = math.floor(now / period)
    local elapsed = now - window * period
    local w, c, p = tonumber(h[1] or '-9'), tonumber(h[2] or '0'), tonumber(h[3] or '0')
    if h[4] then block = math.max(h[4] - math.max(now - h[5], 0), 0) end
    -- A window that has not begun yet by this clock is the current one.
    if w > window or (h[5] and now < tonumber(h[5])) then late = true end
    if w == window - 1 then p, c = c, 0 elseif w < window then p, c = 0, 0 end
    local used = p * (1 - elapsed / period) + c
    if used + cost > limit then
      if cost > limit then retry = -1
      elseif c + cost <= limit then retry = (1 - (limit - c - cost) / p) * period - elapsed
      else retry = period - elapsed + (1 - (limit - cost) / c) * period end
    end
    local reset = period - elapsed + (c > 0 and period or 0)
    left[i] = { limit - used, reset, limit - used - cost, reset }
    writes[i] = { c, math.max(c + cost, 0), block, window, p, math.ceil(2 * period / 1000) }
  end
  blocked = math.max(blocked, math.ceil(block / 1000))
  if retry ~= 0 then allowed = false end
  retries[i] = math.ceil(retry)
end
if blocked > 0 then allowed = false end
local charge = mode == '2' or (mode == '1' and allowed)
-- What is left: as it was, or after the charge.
local at = (mode == '1' and allowed) and 3 or 1
for i = 1, #KEYS do
  reply[#reply + 1] = math.max(math.floor(left[i][at]), 0)
  reply[#reply + 1] = retries[i]
  reply[#reply + 1] = math.ceil(left[i][at + 1])
end
if charge or (late and mode == '1') then
  for i = 1, #KEYS do
    local w = writes[i]
    local amount, block = charge and w[2] or w[1], w[3]
    if #w == 3 then
      hold(KEYS[i], amount, block)
    else
      redis.call('HSET', KEYS[i], 'w', string.format('%.0f', w[4]), 'c', amount, 'p', w[5])
      if block > 0 then
        redis.call('HSET', KEYS[i], 'b', string.format('%.0f', block), 'a', string.format('%.0f', now))
      end
      redis.call('PEXPIRE', KEYS[i], math.max(w[6], math.ceil(block / 1000)))
    end
  end
end
reply[1] = blocked
reply[2] = allowed and 1 or 0
return reply`,
);

/** KEYS one per limit; ARGV ms (0 ends a block), then the kind of each limit. What was used stays as it is. */
export const BLOCK = new Script(
  'limit_block',
  `${CLOCK}${GCRA}
for i = 1, #KEYS do
  if ARGV[i + 1] == 'g' then
    hold(KEYS[i], (held(KEYS[i])), ARGV[1] * 1000)
  else
    redis.call('HSET', KEYS[i], 'b', string.format('%.0f', ARGV[1] * 1000), 'a', string.format('%.0f', now))
    redis.call('PEXPIRE', KEYS[i], math.max(redis.call('PTTL', KEYS[i]), ARGV[1], 1))
  end
end
return 1`,
);

/** KEYS counter; ARGV change, window ms. Hits and ms left of a fixed window. */
export const COUNT = new Script(
  'limit_count',
  `
local hits = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  left = tonumber(ARGV[2])
end
if hits < 0 then
  redis.call('SET', KEYS[1], 0, 'KEEPTTL')
  hits = 0
end
return { hits, left }`,
);
