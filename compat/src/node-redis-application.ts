/**
 * An application as it is written for node-redis 6, with only the import changed: it has to compile. Nothing runs it;
 * what its calls do is tested elsewhere.
 */
import {
  BasicClientSideCache,
  type CommandParser,
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
  defineScript,
  ErrorReply,
  RESP_TYPES,
  type RedisArgument,
  type RedisClientOptions,
  type RedisClientPoolType,
  type RedisClientType,
  type RedisClusterType,
  type RedisFunctions,
  type RedisModules,
  type RedisScripts,
  type RedisSentinelType,
  type RespVersions,
  SCHEMA_FIELD_TYPE,
  type SetOptions,
  TIME_SERIES_AGGREGATION_TYPE,
  type TypeMapping,
  WatchError,
} from 'redkeep';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only when both are the same type. */
const same = <A, B>(_: Same<A, B>): void => {};

const show = (..._: unknown[]): void => {};

const options: RedisClientOptions = {
  url: process.env.REDIS_URL ?? 'redis://localhost:6379',
  socket: { connectTimeout: 5000, keepAlive: true, reconnectStrategy: (retries) => Math.min(retries * 50, 2000) },
  pingInterval: 60_000,
  disableOfflineQueue: true,
};

/** The module that many applications have. */
export class RedisService {
  private client: RedisClientType;
  private subscriber: ReturnType<typeof createClient> | undefined;

  constructor() {
    this.client = createClient(options);
    this.client.on('error', (error: Error) => show('redis', error.message));
    this.client.on('ready', () => show('ready'));
    this.client.on('reconnecting', () => show('reconnecting'));
  }

  async start(): Promise<void> {
    if (!this.client.isOpen) await this.client.connect();
    this.subscriber = this.client.duplicate();
    await this.subscriber.connect();
    await this.subscriber.subscribe('news', (message, channel) => show(channel.toUpperCase(), message.length));
    await this.subscriber.pSubscribe('news:*', (message: Buffer, channel: Buffer) => show(message, channel), true);
  }

  async remember<T>(key: string, seconds: number, make: () => Promise<T>): Promise<T> {
    const cached = await this.client.get(key);
    if (cached !== null) return JSON.parse(cached) as T;
    const value = await make();
    await this.client.set(key, JSON.stringify(value), { expiration: { type: 'EX', value: seconds }, condition: 'NX' });
    await this.client.setEx(`${key}:old`, seconds, JSON.stringify(value));
    return value;
  }

  async lock(key: string, owner: string): Promise<boolean> {
    const how: SetOptions = { NX: true, PX: 10_000 };
    return (await this.client.set(key, owner, how)) === 'OK';
  }

  async board(): Promise<{ value: string; score: number }[]> {
    await this.client.zAdd('board', [{ score: 1, value: 'one' }], { XX: true });
    const members: string[] = await this.client.zRange('board', 0, -1, { REV: true });
    show(members.join());
    return this.client.zRangeWithScores('board', 0, -1);
  }

  async hash(): Promise<void> {
    await this.client.hSet('user:1', { name: 'Ann', age: 40 });
    const user = await this.client.hGetAll('user:1');
    same<typeof user.name, string | undefined>(true);
    for await (const page of this.client.hScanIterator('user:1', { COUNT: 10 }))
      for (const { field, value } of page) show(field, value);
    const keys: string[] = [];
    for await (const page of this.client.scanIterator({ MATCH: 'user:*', COUNT: 100 })) keys.push(...page);
  }

  async stream(): Promise<void> {
    const id: string = await this.client.xAdd('jobs', '*', { kind: 'mail' });
    await this.client.xGroupCreate('jobs', 'workers', '0', { MKSTREAM: true });
    const streams = await this.client.xReadGroup('workers', 'me', { key: 'jobs', id: '>' }, { COUNT: 1, BLOCK: 5000 });
    show(id, streams);
    await this.client.xAck('jobs', 'workers', id);
  }

  async optimistic(): Promise<void> {
    try {
      await this.client.watch('stock');
      const left = Number(await this.client.get('stock'));
      const [set, after] = await this.client
        .multi()
        .set('stock', left - 1)
        .get('stock')
        .execTyped();
      same<typeof set, string | null>(true);
      same<typeof after, string | null>(true);
    } catch (error) {
      if (error instanceof WatchError) return this.optimistic();
      if (error instanceof ErrorReply) show(error.message);
      throw error;
    }
  }

  async raw(): Promise<void> {
    const encoding = await this.client.sendCommand<string>(['OBJECT', 'ENCODING', 'key']);
    show(encoding.length, (await this.client.info('server')).length);
    const { cursor, keys } = await this.client.scan('0', { TYPE: 'string' });
    show(cursor, keys.length, (await this.client.time()).toString());
  }

  async modules(): Promise<void> {
    await this.client.json.set('doc', '$', { a: 1, b: ['x'] });
    const found = await this.client.json.get('doc', { path: '$.a' });
    await this.client.ft.create(
      'idx',
      {
        '$.name': { type: SCHEMA_FIELD_TYPE.TEXT, AS: 'name' },
        '$.age': { type: SCHEMA_FIELD_TYPE.NUMERIC, AS: 'age' },
      },
      { ON: 'JSON', PREFIX: 'user:' },
    );
    const { total, documents } = await this.client.ft.search('idx', '@name:Ann', { LIMIT: { from: 0, size: 10 } });
    await this.client.ts.add('temperature', '*', 21.5);
    await this.client.ts.range('temperature', '-', '+', {
      AGGREGATION: { type: TIME_SERIES_AGGREGATION_TYPE.AVG, timeBucket: 1000 },
    });
    await this.client.bf.add('seen', 'item');
    show(found, total, documents.length);
  }

  async stop(): Promise<void> {
    await this.subscriber?.unsubscribe();
    this.subscriber?.destroy();
    await this.client.close();
  }
}

const square = defineScript({
  SCRIPT: 'return redis.call("GET", KEYS[1]) ^ 2',
  NUMBER_OF_KEYS: 1,
  FIRST_KEY_INDEX: 1,
  parseCommand(parser: CommandParser, key: RedisArgument) {
    parser.pushKey(key);
  },
  transformReply: undefined as unknown as () => number,
});

export async function typed(): Promise<void> {
  const client = createClient({ scripts: { square } });
  same<Awaited<ReturnType<typeof client.square>>, number>(true);
  const replies = await client.multi().set('key', 3).square('key').exec();
  same<(typeof replies)[1], number>(true);
  same<Awaited<ReturnType<typeof client.get>>, string | null>(true);

  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  same<Awaited<ReturnType<typeof bytes.get>>, Buffer | null>(true);
  const maps = client.withTypeMapping({ [RESP_TYPES.MAP]: Map });
  const map = await maps.hGetAll('hash');
  same<typeof map, Map<string, string>>(true);

  const mapped = createClient({ commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } });
  same<Awaited<ReturnType<typeof mapped.get>>, Buffer | null>(true);
  const abortable = client.withAbortSignal(AbortSignal.timeout(100)).asap();
  await abortable.square('key');

  const pool = createClientPool({ scripts: { square } }, { minimum: 1, maximum: 10, acquireTimeout: 1000 });
  await pool.connect();
  const result: number = await pool.execute(async (lent) => {
    await lent.watch('key');
    return lent.square('key');
  });
  show(result, pool.idleClients, client.createPool({ maximum: 5 }).totalClients);

  const cached = createClient({ RESP: 3, clientSideCache: new BasicClientSideCache({ ttl: 0, maxEntries: 100 }) });
  show(cached.options?.RESP);
}

export async function topologies(): Promise<void> {
  const cluster: RedisClusterType = createCluster({
    rootNodes: [{ url: 'redis://10.0.0.1:30001' }, { socket: { host: '10.0.0.2', port: 30002 } }],
    defaults: { username: 'app', password: 'secret' },
    useReplicas: true,
    nodeAddressMap: (address) => ({ host: '127.0.0.1', port: Number(address.split(':')[1]) }),
  });
  cluster.on('node-error', (error: Error, node: { host: string; port: number }) => show(error, node.port));
  await cluster.connect();
  for (const master of cluster.masters) await (await cluster.nodeClient(master)).ping();
  show(cluster.slots[0]?.master.address, cluster.nodeByAddress.get('127.0.0.1:30001')?.client?.isReady);
  await cluster.multi().set('{a}1', '1').get('{a}1').exec();
  await cluster.sSubscribe('channel', (message) => show(message));
  await cluster.close();

  const sentinel: RedisSentinelType = createSentinel({
    name: 'primary',
    sentinelRootNodes: [{ host: '10.0.0.1', port: 26_379 }],
    nodeClientOptions: { password: 'secret' },
    masterPoolSize: 2,
    replicaPoolSize: 1,
  });
  sentinel.on('topology-change', (event: { type: string }) => show(event.type));
  await sentinel.connect();
  await sentinel.use(async (client) => {
    await client.watch('x');
    return client.multi().incr('x').exec();
  });
  const lease = await sentinel.acquire();
  await lease.set('a', '1');
  await lease.release();
  for await (const keys of sentinel.scanIterator({ MATCH: '*' })) show(keys.length);
  sentinel.destroy();
}

/** Libraries take any client. */
export class Store {
  readonly #client: RedisClientType;
  constructor(client: RedisClientType) {
    this.#client = client;
  }
  read(key: string): Promise<string | null> {
    return this.#client.get(key);
  }
}
export const stores = [new Store(createClient()), new Store(createClient({ scripts: { square } }))];
export type AnyClient = RedisClientType<RedisModules, RedisFunctions, RedisScripts, RespVersions, TypeMapping>;
export const scripted: RedisClientType<
  Record<never, never>,
  Record<never, never>,
  { square: typeof square }
> = createClient({ scripts: { square } });
export const anyClients: (RedisClientType | RedisClusterType | RedisClientPoolType)[] = [
  createClient(),
  createCluster({ rootNodes: [{ socket: { host: 'localhost' } }] }),
  createClientPool(),
];
