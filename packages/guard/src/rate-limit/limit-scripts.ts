import { Script } from '../redis/redis.js';

/*
 * One script decides all limits of an identity at once: either every limit has room and all are charged, or none is.
 * The server's clock counts, in microseconds, so application clocks may differ.
 *
 *   KEYS  block, one key per limit          (one hash tag, so one cluster slot)
 *   ARGV  mode (0 peek, 1 check, 2 force), cost, then per limit: kind (g, w), limit, period us, burst
 *   reply block ms left, allowed, then per limit: remaining, retry us (-1 = never), reset us
 *
 * g: GCRA. The stored number is the theoretical arrival time (TAT): when the bucket will be full again.
 * w: sliding window by two counters; the previous window counts by the share of it that is still in sight.
 */
export const CHECK = new Script(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local mode, cost = ARGV[1], tonumber(ARGV[2])
local block = redis.call('PTTL', KEYS[1])
if block < 0 then block = 0 end
local allowed = block == 0
local reply, writes = { block, 0 }, {}
for i = 2, #KEYS do
  local at = (i - 2) * 4 + 3
  local kind, limit, period, burst = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local retry, reset, remaining = 0, 0, 0
  if kind == 'g' then
    local step = period / limit
    local tat = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now)
    local after = tat + cost * step
    local over = after - burst * step - now
    if mode == '2' then after = math.min(math.max(after, now), now + math.max(burst * step, period) + 86400000000) end
    if over > 0 then
      retry = cost > burst and -1 or over
      remaining = math.floor((burst * step - (tat - now)) / step)
      reset = tat - now
    else
      local final = mode == '0' and tat or after
      remaining = math.floor((burst * step - (final - now)) / step + 0.000001)
      reset = final - now
    end
    writes[i] = { after, math.ceil((after - now) / 1000) }
  else
    local h = redis.call('HMGET', KEYS[i], 'w', 'c', 'p')
    local window = math.floor(now / period)
    local elapsed = now - window * period
    local w, c, p = tonumber(h[1] or '-9'), tonumber(h[2] or '0'), tonumber(h[3] or '0')
    if w == window - 1 then p, c = c, 0 elseif w ~= window then p, c = 0, 0 end
    local used = p * (1 - elapsed / period) + c
    if used + cost > limit then
      if cost > limit then retry = -1
      elseif c + cost <= limit then retry = (1 - (limit - c - cost) / p) * period - elapsed
      else retry = period - elapsed + (1 - (limit - cost) / c) * period end
      remaining = limit - used
    else
      remaining = limit - used - (mode == '0' and 0 or cost)
    end
    remaining = math.floor(remaining)
    reset = period - elapsed + (c > 0 and period or 0)
    writes[i] = { window, math.max(c + cost, 0), p, math.ceil(2 * period / 1000) }
  end
  if retry ~= 0 then allowed = false end
  reply[#reply + 1] = math.max(remaining, 0)
  reply[#reply + 1] = math.ceil(retry)
  reply[#reply + 1] = math.ceil(reset)
end
if mode == '2' or (mode == '1' and allowed) then
  for i = 2, #KEYS do
    local w = writes[i]
    if #w == 2 then
      if w[2] > 0 then redis.call('SET', KEYS[i], string.format('%.0f', w[1]), 'PX', w[2]) else redis.call('DEL', KEYS[i]) end
    else
      redis.call('HSET', KEYS[i], 'w', string.format('%.0f', w[1]), 'c', w[2], 'p', w[3])
      redis.call('PEXPIRE', KEYS[i], w[4])
    end
  end
end
reply[2] = allowed and 1 or 0
return reply`);

/** KEYS counter; ARGV change, window ms. Hits and ms left of a fixed window. */
export const COUNT = new Script(`
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
return { hits, left }`);
