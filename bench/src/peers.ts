/** Every client behind the same few calls, in each setting that matters for its speed. */
import { createRequire } from 'node:module';
import { createClient, createCluster } from 'redkeep';
import { Redis } from 'redkeep/ioredis';

export interface Target {
  readonly port: number;
  /** PEM of the CA; undefined = plaintext. */
  readonly ca?: string;
  /** The port is that of a node of a cluster. */
  readonly cluster?: boolean;
}

/** What a case may ask of a client. Optional calls are left out where a client has no equal. */
export interface Peer {
  get(key: string): Promise<unknown>;
  set(key: string, value: string | Buffer): Promise<unknown>;
  getBuffer(key: string): Promise<Buffer>;
  mGet(keys: string[]): Promise<unknown>;
  hGetAll(key: string): Promise<unknown>;
  lRange(key: string): Promise<unknown>;
  /** 100 GETs as the client's own pipeline. */
  pipeline(keys: string[]): Promise<unknown>;
  /** Calls `onMessage` for each message. */
  subscribe?(channel: string, onMessage: () => void): Promise<unknown>;
  close(): Promise<unknown> | unknown;
}

// The peers' own types would need the peers installed to compile; this declares what is used of them.
// biome-ignore lint/suspicious/noExplicitAny: modules that are installed on demand
type Foreign = any;
export const load = (name: string): Foreign => createRequire(new URL('../peers/package.json', import.meta.url))(name);

const BLOB_STRING = 36;

// biome-ignore lint/suspicious/noExplicitAny: redkeep and node-redis have the same calls, which is the point
function nodeRedisShape(client: any, subscriber: () => Promise<any>): Peer {
  const buffers = client.withTypeMapping({ [BLOB_STRING]: Buffer });
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getBuffer: (key) => buffers.get(key),
    mGet: (keys) => client.mGet(keys),
    hGetAll: (key) => client.hGetAll(key),
    lRange: (key) => client.lRange(key, 0, -1),
    pipeline: (keys) => {
      const multi = client.multi();
      for (const key of keys) multi.get(key);
      return multi.execAsPipeline();
    },
    subscribe: async (channel, onMessage) => (await subscriber()).subscribe(channel, onMessage),
    close: () => client.destroy(),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: as above
function clusterOf(cluster: any): Peer {
  return nodeRedisShape(cluster, () => Promise.reject(new Error('not measured on a cluster')));
}

function ioredisShape(client: Foreign, subscriber: () => Foreign): Peer {
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getBuffer: (key) => client.getBuffer(key),
    mGet: (keys) => client.mget(keys),
    hGetAll: (key) => client.hgetall(key),
    lRange: (key) => client.lrange(key, 0, -1),
    pipeline: (keys) => {
      const pipeline = client.pipeline();
      for (const key of keys) pipeline.get(key);
      return pipeline.exec();
    },
    subscribe: async (channel, onMessage) => {
      const second = subscriber();
      second.on('message', onMessage);
      await second.subscribe(channel);
    },
    close: () => client.disconnect(),
  };
}

async function redkeep(target: Target): Promise<Peer> {
  if (target.cluster) {
    const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${target.port}` }] });
    await cluster.connect();
    return clusterOf(cluster);
  }
  const make = () => {
    const client = createClient(
      target.ca === undefined
        ? { url: `redis://127.0.0.1:${target.port}` }
        : { url: `rediss://localhost:${target.port}`, tls: { ca: target.ca } },
    );
    return client.connect();
  };
  return nodeRedisShape(await make(), make);
}

async function nodeRedis(target: Target, commandOptions: object | undefined): Promise<Peer> {
  const { createClient: create, createCluster: createNodeRedisCluster } = load('redis');
  if (target.cluster) {
    const cluster = createNodeRedisCluster({
      rootNodes: [{ url: `redis://127.0.0.1:${target.port}` }],
      ...(commandOptions === undefined ? {} : { commandOptions }),
    }).on('error', () => {});
    await cluster.connect();
    return clusterOf(cluster);
  }
  const make = () =>
    create({
      ...(target.ca === undefined
        ? { url: `redis://127.0.0.1:${target.port}` }
        : { socket: { host: 'localhost', port: target.port, tls: true, ca: target.ca } }),
      ...(commandOptions === undefined ? {} : { commandOptions }),
    })
      .on('error', () => {})
      .connect();
  return nodeRedisShape(await make(), make);
}

/** Clients in ioredis's shape. */
export type IoredisModule = 'redkeep/ioredis' | 'ioredis' | 'iovalkey';
export const ioredisClass = (module: IoredisModule): Foreign =>
  module === 'redkeep/ioredis' ? Redis : (load(module).default ?? load(module));

async function ioredis(module: IoredisModule, target: Target, options: object): Promise<Peer> {
  const Client = ioredisClass(module);
  if (target.cluster) {
    const cluster = new Client.Cluster([{ host: '127.0.0.1', port: target.port }], options).on('error', () => {});
    await cluster.ping();
    return ioredisShape(cluster, () => Promise.reject(new Error('not measured on a cluster')));
  }
  const make = () =>
    new Client({
      host: target.ca === undefined ? '127.0.0.1' : 'localhost',
      port: target.port,
      ...(target.ca === undefined ? {} : { tls: { ca: target.ca } }),
      ...options,
    }).on('error', () => {});
  const client = make();
  await client.ping();
  return ioredisShape(client, make);
}

async function glide(target: Target): Promise<Peer> {
  const { Batch, ClusterBatch, Decoder, GlideClient, GlideClientConfiguration, GlideClusterClient } =
    load('@valkey/valkey-glide');
  const configuration = {
    addresses: [{ host: target.ca === undefined ? '127.0.0.1' : 'localhost', port: target.port }],
    inflightRequestsLimit: 1_000_000,
    ...(target.ca === undefined
      ? {}
      : {
          useTLS: true,
          advancedConfiguration: { tlsAdvancedConfiguration: { rootCertificates: Buffer.from(target.ca) } },
        }),
  };
  const client = await (target.cluster ? GlideClusterClient : GlideClient).createClient(configuration);
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getBuffer: (key) => client.get(key, { decoder: Decoder.Bytes }),
    mGet: (keys) => client.mget(keys),
    hGetAll: (key) => client.hgetall(key),
    lRange: (key) => client.lrange(key, 0, -1),
    pipeline: (keys) => {
      const batch = new (target.cluster ? ClusterBatch : Batch)(false);
      for (const key of keys) batch.get(key);
      return client.exec(batch, false);
    },
    subscribe: (channel, onMessage) =>
      GlideClient.createClient({
        ...configuration,
        pubsubSubscriptions: {
          channelsAndPatterns: { [GlideClientConfiguration.PubSubChannelModes.Exact]: new Set([channel]) },
          callback: onMessage,
        },
      }),
    close: () => client.close(),
  };
}

/** Name as printed -> how to connect. The first is measured against each of the others. */
export const PEERS: Readonly<Record<string, (target: Target) => Promise<Peer>>> = {
  redkeep,
  'node-redis': (target) => nodeRedis(target, undefined),
  'node-redis, no timeout': (target) => nodeRedis(target, { timeout: undefined }),
  ioredis: (target) => ioredis('ioredis', target, {}),
  'ioredis, auto-pipelining': (target) => ioredis('ioredis', target, { enableAutoPipelining: true }),
  iovalkey: (target) => ioredis('iovalkey', target, {}),
  'iovalkey, auto-pipelining': (target) => ioredis('iovalkey', target, { enableAutoPipelining: true }),
  'valkey-glide': glide,
};

/** Measured by `npm run bench:ioredis`; the first against the others. */
export const IOREDIS_PEERS: typeof PEERS = {
  'redkeep/ioredis': (target) => ioredis('redkeep/ioredis', target, {}),
  ...Object.fromEntries(Object.entries(PEERS).filter(([name]) => /^io(redis|valkey)/.test(name))),
};
