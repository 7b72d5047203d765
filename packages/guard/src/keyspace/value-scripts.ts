import { Script } from '../redis/script.js';

/** Increments and sets the expiry of a new counter in one step. */
export const COUNT = new Script(
  'value_count',
  `
local n = redis.call('INCRBY', KEYS[1], ARGV[1])
if ARGV[2] ~= '' and redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return n`,
);
