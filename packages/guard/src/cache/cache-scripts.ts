import { Script } from '../redis/script.js';

/*
 * A load takes a ticket, keeps it while it runs, and its value is stored only while the ticket is still there: `delete`, `set`, another load
 * after the ticket ran out and `clear` take it away, so no older value overwrites a newer state.
 */

/** KEYS value, ticket; ARGV ticket, value, ttl ms. 1 = stored. */
export const STORE = new Script(
  'cache_store',
  `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1`,
);

/** KEYS ticket; ARGV ticket, ms. Keeps a ticket that is still there. 0 = it is gone. */
export const KEEP = new Script(
  'cache_keep',
  `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`,
);

/** KEYS ticket; ARGV ticket. Gives an unused ticket back. */
export const GIVE_BACK = new Script(
  'cache_give_back',
  `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`,
);

/** KEYS value, ticket; ARGV value, ttl ms. Stores a value that is known to be the newest. */
export const PUT = new Script(
  'cache_put',
  `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[2])
return 1`,
);

/** KEYS generation; ARGV a random id. The generation, which a lost one's values never come back to. */
export const GENERATION = new Script(
  'cache_generation',
  `
local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]`,
);
