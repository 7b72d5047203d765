import { Script } from '../redis/script.js';

/*
 * The server's clock counts, in microseconds, so application clocks may differ. What is stored for a limit:
 *
 *   GCRA            "<tat>", or while an identity is blocked "b<until>:<tat>". TAT, the theoretical arrival time, is
 *                   when the bucket will be full again.
 *   sliding window  a hash: w = number of the window, c = count in it, p = count in the one before, b = blocked until.
 *                   The window before counts by the share of it that is still in sight.
 */

/**
 * One GCRA limit, the commonest case: three commands inside, one number back.
 *
 *   KEYS  limit     ARGV  what the cost adds (us), what the burst allows (us)
 *   reply  >= 0: allowed, us until full     < 0: refused, us until there is room
 *          { ms blocked, us until full }: refused by a block
 */
export const CHECK_GCRA = new Script(
  'limit_gcra',
  `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local held = redis.call('GET', KEYS[1])
local tat = now
if held then
  if string.byte(held) == 98 then
    local till, rest = string.match(held, '^b(%d+):([%d.]+)$')
    if tonumber(till) > now then
      return { math.ceil((till - now) / 1000), math.max(math.ceil(rest - now), 0) }
    end
    held = rest
  end
  tat = math.max(tonumber(held), now)
end
local full = tat + ARGV[1] - now
local room = tonumber(ARGV[2])
if full > room then return -math.ceil(full - room) end
redis.call('SET', KEYS[1], string.format('%.2f', now + full), 'PX', math.ceil(full / 1000))
return math.ceil(full)`,
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
  `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local mode, cost = ARGV[1], tonumber(ARGV[2])
local blocked, allowed = 0, true
local reply, writes, left, retries = { 0, 0 }, {}, {}, {}
for i = 1, #KEYS do
  local at = (i - 1) * 4 + 3
  local kind, limit, period, burst = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local retry, till = 0, 0
  if kind == 'g' then
    local step = period / limit
    local held = redis.call('GET', KEYS[i]) or '0'
    local block, rest = string.match(held, '^b(%d+):([%d.]+)$')
    if block then till, held = tonumber(block), rest end
    local tat = math.max(tonumber(held), now)
    local after = tat + cost * step
    local over = after - burst * step - now
    if over > 0 then retry = cost > burst and -1 or over end
    left[i] = { (burst * step - (tat - now)) / step + 0.000001, tat - now, (burst * step - (after - now)) / step + 0.000001, after - now }
    if mode == '2' then after = math.min(math.max(after, now), now + math.max(burst * step, period) + 86400000000) end
    writes[i] = { after, till }
  else
    local h = redis.call('HMGET', KEYS[i], 'w', 'c', 'p', 'b')
    local window = math.floor(now / period)
    local elapsed = now - window * period
    local w, c, p = tonumber(h[1] or '-9'), tonumber(h[2] or '0'), tonumber(h[3] or '0')
    till = tonumber(h[4] or '0')
    if w == window - 1 then p, c = c, 0 elseif w ~= window then p, c = 0, 0 end
    local used = p * (1 - elapsed / period) + c
    if used + cost > limit then
      if cost > limit then retry = -1
      elseif c + cost <= limit then retry = (1 - (limit - c - cost) / p) * period - elapsed
      else retry = period - elapsed + (1 - (limit - cost) / c) * period end
    end
    local reset = period - elapsed + (c > 0 and period or 0)
    left[i] = { limit - used, reset, limit - used - cost, reset }
    writes[i] = { window, math.max(c + cost, 0), p, math.ceil(2 * period / 1000), till }
  end
  blocked = math.max(blocked, math.ceil((till - now) / 1000))
  if retry ~= 0 then allowed = false end
  retries[i] = math.ceil(retry)
end
if blocked > 0 then allowed = false end
-- What is left: as it was, or after the charge.
local at = (mode == '1' and allowed) and 3 or 1
for i = 1, #KEYS do
  reply[#reply + 1] = math.max(math.floor(left[i][at]), 0)
  reply[#reply + 1] = retries[i]
  reply[#reply + 1] = math.ceil(left[i][at + 1])
end
if mode == '2' or (mode == '1' and allowed) then
  for i = 1, #KEYS do
    local w = writes[i]
    if #w == 2 then
      local value, last = string.format('%.2f', w[1]), w[1]
      if w[2] > now then value, last = string.format('b%.0f:', w[2]) .. value, math.max(w[1], w[2]) end
      local left = math.ceil((last - now) / 1000)
      if left > 0 then redis.call('SET', KEYS[i], value, 'PX', left) else redis.call('DEL', KEYS[i]) end
    else
      redis.call('HSET', KEYS[i], 'w', string.format('%.0f', w[1]), 'c', w[2], 'p', w[3])
      redis.call('PEXPIRE', KEYS[i], math.max(w[4], math.ceil((w[5] - now) / 1000)))
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
  `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local till = now + ARGV[1] * 1000
for i = 1, #KEYS do
  if ARGV[i + 1] == 'g' then
    local held = redis.call('GET', KEYS[i]) or string.format('%.2f', now)
    local tat = string.match(held, '^b%d+:([%d.]+)$') or held
    local left = math.ceil((math.max(tonumber(tat), till) - now) / 1000)
    local value = till > now and string.format('b%.0f:', till) .. tat or tat
    if left > 0 then redis.call('SET', KEYS[i], value, 'PX', left) else redis.call('DEL', KEYS[i]) end
  else
    redis.call('HSET', KEYS[i], 'b', string.format('%.0f', till))
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
