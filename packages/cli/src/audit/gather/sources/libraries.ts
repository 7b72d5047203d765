/** Whose options a client takes: it decides which defaults are missing and which are safe. */
export type Dialect = 'node-redis' | 'ioredis' | 'valkey-glide' | 'redkeep' | 'redkeep (ioredis)';

/** A package whose clients are known by how they are made. */
export interface Library {
  readonly dialect: Dialect;
  /** Exports that make a client when they are called or constructed. */
  readonly makers: ReadonlySet<string>;
  /** Types of clients, for parameters and fields that are only declared. */
  readonly types: RegExp;
}

const ioredisMakers = new Set(['*', 'default', 'Redis', 'Cluster', '*.Cluster', 'default.Cluster', 'Redis.Cluster']);
const ioredisTypes = /^(\*|default|Redis|Cluster)$/;
const nodeRedisMakers = new Set(['createClient', 'createClientPool', 'createCluster', 'createSentinel']);
const nodeRedisTypes =
  /^(RedisClientType|RedisClientPoolType|RedisClusterType|RedisSentinelType|Client|Pool|Cluster|Sentinel)$/;

const libraries: Readonly<Record<string, Library>> = {
  redis: { dialect: 'node-redis', makers: nodeRedisMakers, types: nodeRedisTypes },
  '@redis/client': { dialect: 'node-redis', makers: nodeRedisMakers, types: nodeRedisTypes },
  ioredis: { dialect: 'ioredis', makers: ioredisMakers, types: ioredisTypes },
  iovalkey: { dialect: 'ioredis', makers: ioredisMakers, types: ioredisTypes },
  '@valkey/valkey-glide': {
    dialect: 'valkey-glide',
    makers: new Set(['GlideClient.createClient', 'GlideClusterClient.createClient']),
    types: /^Glide(Cluster)?Client$/,
  },
  redkeep: { dialect: 'redkeep', makers: nodeRedisMakers, types: nodeRedisTypes },
  'redkeep/ioredis': { dialect: 'redkeep (ioredis)', makers: ioredisMakers, types: ioredisTypes },
  '@redkeep/ioredis': { dialect: 'redkeep (ioredis)', makers: ioredisMakers, types: ioredisTypes },
};

/** `default.createClient` and `*.createClient` are the export itself. */
function plain(name: string): string {
  return name.replace(/^(\*|default)\.(?=.)/, '').replace(/^default\./, '');
}

/** The library of an export that makes clients. */
export function makerOf(from: string, name: string): Library | undefined {
  const library = libraries[from];
  return library !== undefined && (library.makers.has(name) || library.makers.has(plain(name))) ? library : undefined;
}

/** The library of a type of clients. */
export function clientType(from: string, name: string): Library | undefined {
  const library = libraries[from];
  return library?.types.test(plain(name)) ? library : undefined;
}

/** A package that makes its connections itself, from options or from a client that it is given. */
export interface Consumer {
  readonly name: string;
  readonly dialect: Dialect;
  /** Names of the option with the connection; '' where the argument itself is it. */
  readonly options: readonly string[];
  /** Whether it needs `maxRetriesPerRequest: null`, since its commands block for as long as there is no work. */
  readonly blocks: boolean;
  /** Field that says whether the options are for a server at all, and the export it has to be. */
  readonly only?: { readonly field: string; readonly is: string };
}

const consumers: readonly [packages: readonly string[], exports: RegExp, Consumer][] = [
  [
    ['bullmq'],
    /^(Queue|Worker|QueueEvents|FlowProducer|QueueScheduler|JobScheduler)$/,
    { name: 'BullMQ', dialect: 'ioredis', options: ['connection'], blocks: true },
  ],
  [['bull'], /^(\*|default|Queue)$/, { name: 'Bull', dialect: 'ioredis', options: ['redis', ''], blocks: true }],
  [['bee-queue'], /^(\*|default)$/, { name: 'Bee-Queue', dialect: 'ioredis', options: ['redis'], blocks: true }],
  [
    ['@nestjs/bull', '@nestjs/bullmq'],
    /^BullModule\.(forRoot|registerQueue)(Async)?$/,
    { name: 'BullModule', dialect: 'ioredis', options: ['redis', 'connection'], blocks: true },
  ],
  [
    ['@nestjs-modules/ioredis', '@liaoliaots/nestjs-redis', 'nestjs-redis'],
    /^(RedisModule|ClusterModule)\.(forRoot|register)(Async)?$/,
    { name: 'RedisModule', dialect: 'ioredis', options: ['config', 'options', ''], blocks: false },
  ],
  [
    ['@nestjs/microservices', '@nestjs/core'],
    /^(ClientsModule\.register(Async)?|ClientProxyFactory\.create|NestFactory\.createMicroservice)$/,
    {
      name: 'Nest microservices',
      dialect: 'ioredis',
      options: ['options'],
      blocks: true,
      only: { field: 'transport', is: 'Transport.REDIS' },
    },
  ],
  [
    ['connect-redis'],
    /^(\*|default|RedisStore)(\(\))?$/,
    { name: 'connect-redis', dialect: 'ioredis', options: ['client', ''], blocks: false },
  ],
  [
    ['@keyv/redis'],
    /^(\*|default|KeyvRedis|createKeyv)$/,
    { name: 'Keyv', dialect: 'node-redis', options: [''], blocks: false },
  ],
  [
    ['cache-manager-redis-store', 'cache-manager-ioredis', 'cache-manager-ioredis-yet', 'cache-manager-redis-yet'],
    /^(redisStore|ioRedisStore|default|\*)(\.create)?$/,
    { name: 'cache-manager', dialect: 'ioredis', options: [''], blocks: false },
  ],
  [
    ['socket.io-redis'],
    /^(\*|default|createAdapter)$/,
    { name: 'socket.io-redis', dialect: 'ioredis', options: [''], blocks: false },
  ],
];

/** The consumer that an export stands for. */
export function consumerOf(from: string, name: string): Consumer | undefined {
  const found = consumers.find(
    ([packages, exports]) => packages.includes(from) && (exports.test(name) || exports.test(plain(name))),
  );
  return found?.[2];
}

/** Methods of a client that give a client again, the same or another one. */
export const chained =
  /^(connect|on|once|off|addListener|removeListener|duplicate|multi|pipeline|batch|withCommandOptions|withTypeMapping|withAbortSignal|asap|legacy|v4|master|nodes|getConnection)$/i;

/** Methods that lend a client to the function they are given. */
export const lends = /^(use|execute|executeIsolated|withClient|using)$/;
