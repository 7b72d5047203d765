/** The ways on which a client promises something: the rows of the matrix in docs/guarantees.md. */
import type { EventEmitter } from 'node:events';
import { createClient, createClientPool, type RedisClient } from '../../client/client.js';
import { CORE } from '../../client/symbols.js';
import { createCluster, type RedisCluster } from '../../cluster/cluster.js';
import type { ClientOptions } from '../../options/options.js';
import { createSentinel, type RedisSentinel } from '../../sentinel/sentinel.js';
import { connectionOf, OwnError, type Path, type Scene } from './cell.js';
import { COMMAND_MS, commandMs, type Fault, FaultyServer, type Script, SLOW_MS } from './faults.js';

const VALUE = 'the value';
const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (...items: string[]) => `*${items.length}\r\n${items.join('')}`;
const push = (...items: string[]) => `>${items.length}\r\n${items.join('')}`;
const map = (fields: Readonly<Record<string, string>>) =>
  `%${Object.keys(fields).length}\r\n${Object.entries(fields)
    .map(([name, value]) => bulk(name) + value)
    .join('')}`;

const GET: Script = { target: 'GET', right: bulk(VALUE) };
const HELLO = map({
  server: bulk('redis'),
  version: bulk('7.4.0'),
  proto: ':3\r\n',
  id: ':1\r\n',
  mode: bulk('standalone'),
  role: bulk('master'),
  modules: '*0\r\n',
});

/** Bounds of every client in the matrix. */
const options = (server: FaultyServer, fault: Fault, more: ClientOptions = {}): ClientOptions => ({
  url: server.url,
  commandOptions: { timeout: commandMs(fault) },
  maxQueueBytes: 1_000_000,
  ...more,
});

const fail = () => {
  throw new OwnError('of the application');
};
const never = () => new Promise<never>(() => {});
const wrongly = (how: 'callback throws' | 'callback hangs') => (how === 'callback throws' ? fail : never);
const NO_CALLBACK = 'no code of the application runs on it';
const isValue = (value: unknown) => value === VALUE;

const EVENTS = ['connect', 'ready', 'reconnecting', 'error', 'end', 'invalidate', 'retry', 'ping-interval'];
/** Listeners that do to an emitter what `how` says. */
function listenBadly(
  emitter: EventEmitter,
  events: readonly string[],
  how: 'callback throws' | 'callback hangs',
): void {
  for (const event of events) emitter.on(event, wrongly(how));
}

/** A client that is connected; it ends with the scene. */
async function connected(server: FaultyServer, fault: Fault, more?: ClientOptions): Promise<RedisClient> {
  const client = createClient(options(server, fault, more)) as RedisClient;
  client.on('error', () => {});
  return client.connect();
}
const destroy = (client: { isOpen: boolean; destroy(): unknown }) => {
  if (client.isOpen) client.destroy();
};

/** A client, one command of it, and one server. */
async function withClient(
  fault: Fault,
  script: Script,
  use: (client: RedisClient) => Promise<unknown>,
  more: Partial<Scene> & { readonly options?: ClientOptions } = {},
): Promise<Scene & { readonly client: RedisClient }> {
  const server = await FaultyServer.start(script);
  const client = await connected(server, fault, more.options);
  return {
    server,
    client,
    use: (signal) => use(signal === undefined ? client : client.withAbortSignal(signal)),
    isRight: isValue,
    connections: () => [connectionOf(client)],
    end: () => destroy(client),
    ...more,
  };
}

const NODE_EVENTS = [
  'connect',
  'node-connect',
  'node-ready',
  'node-error',
  'node-reconnecting',
  'node-disconnect',
  'error',
];

const slotsOf = (port: number) =>
  array(array(':0\r\n', ':16383\r\n', array(bulk('127.0.0.1'), `:${port}\r\n`, bulk('node'))));

/** A cluster of one node, which is its seed too. Not connected yet. */
async function withCluster(
  fault: Fault,
  script: Script,
): Promise<Omit<Scene, 'use'> & { readonly cluster: RedisCluster }> {
  const others = { CLUSTER: () => slotsOf(server.port), GET: bulk(VALUE), ...script.others };
  const server: FaultyServer = await FaultyServer.start({ ...script, others });
  const cluster = createCluster({
    rootNodes: [{ url: server.url }],
    commandOptions: { timeout: commandMs(fault) },
  }) as RedisCluster;
  cluster.on('error', () => {});
  return {
    server,
    cluster,
    isRight: isValue,
    connections: () => cluster.masters.flatMap(({ client }) => (client === undefined ? [] : [connectionOf(client)])),
    end: () => destroy(cluster),
  };
}

const master = (port: number) =>
  map({ name: bulk('primary'), ip: bulk('127.0.0.1'), port: bulk(String(port)), flags: bulk('master') });

/** A client that asks the application for credentials whenever it connects; the faults are the application's. */
async function withProvider(fault: Fault): Promise<Scene> {
  const server = await FaultyServer.start({
    target: 'HELLO',
    right: HELLO,
    handshake: 'none',
    others: { GET: bulk(VALUE) },
  });
  const good = { username: 'app', password: 'secret' };
  let provide: () => unknown = () => good;
  let client: RedisClient | undefined;
  let passed = 0;
  const wrong: Partial<Record<Fault, () => unknown>> = {
    silence: never,
    'half a frame': () => ({ username: 'app', password: undefined }),
    garbage: () => 42,
    'wrong shape': () => null,
    'passing error': () => (passed++ < 2 ? fail() : good),
    'permanent error': () => Promise.reject(new OwnError('of the application')),
    slow: () => new Promise((resolve) => setTimeout(resolve, SLOW_MS, good)),
    abort: () => new Promise((resolve) => setTimeout(resolve, SLOW_MS, good)),
    'blocked event loop': () => {
      const end = performance.now() + COMMAND_MS * 1.5;
      while (performance.now() < end);
      return good;
    },
    'callback throws': fail,
    'callback hangs': never,
  };
  const behave = () => {
    provide = () => good;
  };
  return {
    server: Object.create(server, {
      inject: {
        value: () => {
          passed = 0;
          if (wrong[fault] === undefined) server.inject(fault);
          else provide = wrong[fault];
        },
      },
      heal: {
        value: () => {
          server.heal();
          behave();
        },
      },
    }),
    async use() {
      if (client?.isOpen) client.destroy();
      client = createClient(
        options(server, fault, {
          socket: { connectTimeout: COMMAND_MS },
          credentialsProvider: { type: 'async-credentials-provider', credentials: () => provide() as never },
        }),
      ) as RedisClient;
      client.on('error', () => {});
      await client.connect();
      return client.get('k');
    },
    isRight: isValue,
    connections: () => (client === undefined ? [] : [connectionOf(client)]),
    abort: () => client?.destroy(),
    misbehave: (how) => {
      provide = wrongly(how);
    },
    behave,
    end: () => client !== undefined && destroy(client),
  };
}

export const PATHS: readonly Path[] = [
  {
    name: 'main connection',
    async open(fault) {
      let check: () => unknown = () => undefined;
      const scene = await withClient(fault, GET, (client) => client.get('k'), {
        options: { validateCommand: () => check() },
      });
      return {
        ...scene,
        misbehave: (how) => {
          check = wrongly(how);
        },
        behave: () => {
          check = () => undefined;
        },
      };
    },
  },
  {
    name: 'handshake',
    async open(fault) {
      const server = await FaultyServer.start({
        target: 'HELLO',
        right: HELLO,
        wrong: '*1\r\n:1\r\n',
        permanent: 'WRONGPASS invalid username-password pair or user is disabled.',
        handshake: 'none',
        others: { GET: bulk(VALUE) },
      });
      let client: RedisClient | undefined;
      let bad: 'callback throws' | 'callback hangs' | undefined;
      return {
        server,
        async use() {
          if (client?.isOpen) client.destroy();
          const fresh = createClient(
            options(server, fault, { password: 'secret', socket: { connectTimeout: COMMAND_MS * 3 } }),
          ) as RedisClient;
          client = fresh;
          if (bad !== undefined) listenBadly(fresh, EVENTS, bad);
          fresh.on('error', () => {});
          await fresh.connect();
          return fresh.get('k');
        },
        isRight: isValue,
        connections: () => (client === undefined ? [] : [connectionOf(client)]),
        abort: () => client?.destroy(),
        misbehave: (how) => {
          bad = how;
        },
        behave: () => {
          bad = undefined;
        },
        end: () => client !== undefined && destroy(client),
      };
    },
  },
  {
    name: 'push',
    async open(fault) {
      let ill = false;
      const scene = await withClient(
        fault,
        {
          target: 'GET',
          // Each answer comes behind a push, as invalidations do.
          right: () => push('+invalidate\r\n', array(bulk('k'))) + bulk(VALUE),
          wrong: push('+message\r\n', ':1\r\n') + bulk(VALUE),
          passing: 'LOADING Redis is loading the dataset in memory',
        },
        (client) => client.get('k'),
        { options: { emitInvalidate: true } },
      );
      const bad = (how: 'callback throws' | 'callback hangs') => () => ill && wrongly(how)();
      return {
        ...scene,
        misbehave(how) {
          ill = true;
          scene.client.on('invalidate', bad(how));
        },
        behave: () => {
          ill = false;
        },
      };
    },
  },
  {
    name: 'blocking command',
    open: (fault) =>
      withClient(
        fault,
        {
          target: 'BLPOP',
          right: array(bulk('q'), bulk(VALUE)),
          wrong: ':1\r\n',
          permanent: "NOPERM this user has no permissions to run the 'blpop' command",
        },
        async (client) => (await client.blPop('q', 0.1))?.element,
      ),
    without: { 'callback throws': NO_CALLBACK, 'callback hangs': NO_CALLBACK },
  },
  {
    name: 'pool lease',
    async open(fault) {
      const server = await FaultyServer.start(GET);
      const pool = createClientPool(options(server, fault), { minimum: 1, maximum: 1, acquireTimeout: COMMAND_MS });
      pool.on('error', () => {});
      await pool.connect();
      let bad: (() => unknown) | undefined;
      const held: (() => void)[] = [];
      return {
        server,
        use: (signal) =>
          pool.execute(async (client) => {
            if (bad === fail) fail();
            if (bad === never) await new Promise<void>((resolve) => held.push(resolve));
            return (signal === undefined ? client : client.withAbortSignal(signal)).get('k');
          }),
        isRight: isValue,
        connections: () => pool[CORE].clients.map(connectionOf),
        misbehave(how) {
          bad = wrongly(how);
          // Somebody holds the only client for ever.
          if (bad === never)
            void pool.execute(() => new Promise<void>((resolve) => held.push(resolve))).catch(() => {});
        },
        behave() {
          bad = undefined;
          for (const release of held) release();
        },
        end: () => destroy(pool),
      };
    },
  },
  {
    name: 'cluster node',
    async open(fault) {
      const scene = await withCluster(fault, {
        ...GET,
        passing: 'TRYAGAIN Multiple keys request during rehashing of slot',
      });
      const { cluster } = scene;
      await cluster.connect();
      return {
        ...scene,
        use: (signal) => (signal === undefined ? cluster : cluster.withAbortSignal(signal)).get('k'),
        misbehave: (how) => listenBadly(cluster, NODE_EVENTS, how),
      };
    },
  },
  {
    name: 'cluster topology',
    async open(fault) {
      const scene: Awaited<ReturnType<typeof withCluster>> = await withCluster(fault, {
        target: 'CLUSTER',
        right: () => slotsOf(scene.server.port),
        wrong: array(array(':1\r\n')),
        others: { GET: bulk(VALUE) },
      });
      const { cluster } = scene;
      return {
        ...scene,
        async use() {
          if (cluster.isOpen) cluster.destroy();
          await cluster.connect();
          return cluster.get('k');
        },
        abort: () => destroy(cluster),
        misbehave: (how) => listenBadly(cluster, NODE_EVENTS, how),
      };
    },
  },
  {
    name: 'Sentinel monitor',
    async open(fault) {
      const data = await FaultyServer.start(GET);
      const server = await FaultyServer.start({
        target: 'SENTINEL',
        right: ([, what]) => (what?.toUpperCase() === 'MASTER' ? master(data.port) : '*0\r\n'),
        passing: 'LOADING Redis is loading the dataset in memory',
        permanent: "NOPERM this user has no permissions to run the 'sentinel|master' command",
      });
      const sentinel: RedisSentinel = createSentinel({
        name: 'primary',
        sentinelRootNodes: [{ host: '127.0.0.1', port: server.port }],
        nodeClientOptions: { tls: false, commandOptions: { timeout: commandMs(fault) } },
        sentinelClientOptions: { tls: false, commandOptions: { timeout: commandMs(fault) } },
      });
      sentinel.on('error', () => {});
      return {
        server,
        async use() {
          if (sentinel.isOpen) sentinel.destroy();
          await sentinel.connect();
          return sentinel.get('k');
        },
        isRight: isValue,
        connections: () => [],
        abort: () => destroy(sentinel),
        misbehave: (how) => listenBadly(sentinel, ['topology-change', 'client-error', 'error'], how),
        async end() {
          destroy(sentinel);
          await data[Symbol.asyncDispose]();
        },
      };
    },
  },
  {
    name: 'subscription',
    async open(fault) {
      const channel = 'news';
      let received = 0;
      const scene = await withClient(
        fault,
        {
          target: 'SUBSCRIBE',
          right: () =>
            push(bulk('subscribe'), bulk(channel), ':1\r\n') + push(bulk('message'), bulk(channel), bulk(VALUE)),
          wrong: push(bulk('subscribe'), '*0\r\n'),
          permanent: 'NOPERM this user has no permissions to access one of the channels used as arguments',
          others: { UNSUBSCRIBE: () => push(bulk('unsubscribe'), bulk(channel), ':0\r\n') },
        },
        async () => undefined,
      );
      const { client } = scene;
      let bad: (() => unknown) | undefined;
      return {
        ...scene,
        async use() {
          if (client.getPubSubListeners('CHANNELS').size > 0) await client.unsubscribe();
          const before = received;
          await Promise.all([
            bad === undefined ? undefined : client.subscribe(channel, bad),
            client.subscribe(channel, () => received++),
          ]);
          // The message comes with the confirmation.
          const until = performance.now() + commandMs(fault);
          while (received === before && performance.now() < until)
            await new Promise((resolve) => setTimeout(resolve, 2));
          return received > before ? VALUE : undefined;
        },
        misbehave: (how) => {
          bad = wrongly(how);
        },
        behave: () => {
          bad = undefined;
        },
      };
    },
    without: { abort: 'a subscription takes no signal' },
  },
  {
    name: 'cache load',
    async open(fault) {
      const scene = await withClient(fault, GET, async () => undefined, { options: { clientSideCache: {} } });
      const { client } = scene;
      let turn = 0;
      return {
        ...scene,
        // Two ask for one key: the signal is the first one's, the answer must reach the second.
        async use(signal) {
          const key = `k${turn++}`;
          const first = (signal === undefined ? client : client.withAbortSignal(signal)).get(key);
          const second = client.get(key);
          const [one, two] = await Promise.allSettled([first, second]);
          if (one.status === 'rejected' && two.status === 'fulfilled' && signal?.aborted !== true) throw one.reason;
          if (two.status === 'rejected') throw two.reason;
          return two.value;
        },
        misbehave: (how) => {
          for (const event of ['cached-key', 'invalidate', 'cache-evict'])
            client.clientSideCache!.on(event, wrongly(how));
        },
      };
    },
  },
  {
    name: 'credentials provider',
    open: withProvider,
  },
  {
    name: 'listener',
    async open(fault) {
      const scene = await withClient(fault, GET, (client) => client.get('k'));
      listenBadly(scene.client, EVENTS, 'callback throws');
      listenBadly(scene.client, EVENTS, 'callback hangs');
      // Under each fault of the network all listeners throw or hang; alone, the connection is lost under them.
      return { ...scene, misbehave: () => scene.server.inject('close') };
    },
  },
  {
    name: 'retry and reconnect strategy',
    async open(fault) {
      let strategy: () => unknown = () => 'soon';
      const scene = await withClient(fault, GET, (client) => client.get('k'), {
        options: { socket: { reconnectStrategy: (() => strategy()) as never } },
      });
      return {
        ...scene,
        misbehave(how) {
          strategy = wrongly(how);
          scene.server.inject('close');
        },
      };
    },
  },
  {
    name: 'close',
    async open(fault) {
      const server = await FaultyServer.start(GET);
      let client = await connected(server, fault);
      let bad: 'callback throws' | 'callback hangs' | undefined;
      return {
        server,
        // What is in flight when it closes settles, and so does closing.
        async use(signal) {
          if (!client.isOpen) client = await connected(server, fault);
          if (bad !== undefined) listenBadly(client, EVENTS, bad);
          const flight = (signal === undefined ? client : client.withAbortSignal(signal)).get('k');
          const [value, closed] = await Promise.allSettled([flight, client.close()]);
          if (closed.status === 'rejected') throw closed.reason;
          if (client.isOpen) throw new Error('still open');
          if (value.status === 'rejected') throw value.reason;
          return value.value;
        },
        isRight: isValue,
        connections: () => [connectionOf(client)],
        misbehave: (how) => {
          bad = how;
        },
        behave: () => {
          bad = undefined;
        },
        end: () => destroy(client),
      };
    },
  },
];
