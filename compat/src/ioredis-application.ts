/** A strict application of ioredis whose import is changed: it has to compile. */
import Redis, { type ChainableCommander, Cluster, type RedisOptions, type Result } from 'redkeep/ioredis';

declare module 'redkeep/ioredis' {
  interface RedisCommander<Context> {
    double(key: string, by: number): Result<number, Context>;
  }
}

const options: RedisOptions = {
  host: '127.0.0.1',
  port: 6379,
  enableReadyCheck: true,
  enableOfflineQueue: false,
  connectTimeout: 10_000,
  commandTimeout: 5000,
  keepAlive: 30_000,
  maxRetriesPerRequest: 3,
  retryStrategy: (times) => (times > 3 ? null : times * 50),
  reconnectOnError: (error) => error.message.includes('READONLY'),
  tls: { servername: 'cache.internal' },
};

export async function application(): Promise<void> {
  const redis = new Redis(options);
  redis.on('message', (channel, message) => void `${channel.length}${message.length}`);
  redis.defineCommand('double', { numberOfKeys: 1, lua: 'return redis.call("INCRBY", KEYS[1], ARGV[1] * 2)' });
  const doubled: number = await redis.double('n', 2);
  const stored: 'OK' = await redis.set('key', 'value', 'EX', 60);
  const once: 'OK' | null = await redis.set('key', 'value', 'NX');
  const value: string | null = await redis.get('key');
  const bytes: Buffer | null = await redis.getBuffer('key');
  const all: Record<string, string> = await redis.hgetall('hash');
  const [cursor, keys]: [string, string[]] = await redis.scan(0, 'MATCH', '*');
  const chain: ChainableCommander = redis.pipeline().set('a', 1).incr('a').double('a', 3);
  const results: [Error | null, unknown][] | null = await chain.exec();
  redis.get('key', (error, reply) => void [error, reply?.length]);
  const cluster = new Cluster([{ host: '127.0.0.1', port: 7000 }], { redisOptions: options, scaleReads: 'slave' });
  await cluster.mget('a', 'b');
  await redis.quit();
  void [doubled, stored, once, value, bytes, all, cursor, keys, results];
}
