import { checkedPrefix, type GuardClient, Redis, textOf } from '../redis/redis.js';
import { Script } from '../redis/script.js';

/** Where wrapped keys are kept. Its content is useless without the key-encryption key. */
export interface KeyStore {
  get(name: string): Promise<string | undefined>;
  /** Writes `value` if the stored one is `expected` (undefined = nothing); false when it is not. */
  swap(name: string, expected: string | undefined, value: string): Promise<boolean>;
  /** The Redis client it is kept with, to tell whether keys would lie beside the data they protect. */
  readonly client?: GuardClient;
}

export const SWAP = new Script(
  'key_swap',
  `
local held = redis.call('GET', KEYS[1])
if ARGV[1] == '0' then if held then return 0 end
elseif held ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
return 1`,
);

/** Key store in Redis: `<prefix><name>`, without expiry. Use a server with persistence and no eviction. */
export function redisKeyStore(client: GuardClient, prefix = 'redkeep:keys:'): KeyStore {
  checkedPrefix(prefix);
  const redis = new Redis(client);
  return {
    client,
    async get(name) {
      return textOf(await redis.read(prefix + name, 'GET'));
    },
    async swap(name, expected, value) {
      const args = [expected === undefined ? '0' : '1', expected ?? '', value];
      return (await redis.script(SWAP, [prefix + name], args)) === 1;
    },
  };
}
