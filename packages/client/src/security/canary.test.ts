/**
 * Secrets are planted wherever a user can put one; every error and every channel is provoked; then everything that came
 * out is searched for them, in clear and in the encodings they could hide in.
 */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import diagnostics_channel from 'node:diagnostics_channel';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { register } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as api from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import {
  type Cluster,
  type SentinelSetup,
  type Server,
  sharedPki,
  startCluster,
  startScriptedServer,
  startSentinel,
  startServer,
  waitFor,
} from '@redkeep/testing';
import { slotOf } from '../cluster/slot.js';
import {
  type ClientOptions,
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
  digest,
  ERRORS,
  fromAwsSecretsManager,
  fromCallback,
  fromEnv,
  fromFile,
  fromVault,
  OpenTelemetry,
  type RedisClient,
  Secret,
} from '../index.js';
import { CANARIES, ENCODINGS, FORMS, Net } from '../testing/canaries.js';

const { password, token, value, key } = CANARIES;
const net = new Net();
let provoked = 0;
let server: Server;
let cluster: Cluster;
let sentinels: SentinelSetup;
let folder: string;
const ends: (() => unknown)[] = [];

/** Runs `what`; what comes of it, and what is thrown, goes into the net. */
async function provoke(what: () => unknown, code?: string): Promise<void> {
  try {
    net.add(await what(), 'result');
    if (code !== undefined) assert.fail(`${code} was not provoked`);
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    provoked++;
    net.add(error, 'error');
    if (code !== undefined) assert.equal((error as { code?: string }).code, code, String((error as Error).stack));
  }
}

const EVENTS = [
  'error',
  'connect',
  'ready',
  'end',
  'reconnecting',
  'reauthenticated',
  'command-refused',
  'rate-limited',
  'circuit',
  'retry',
  'certificate-expiring',
  'leak',
  'node-error',
  'topology-change',
  'ping-interval',
];
function watched<C extends { on(event: string, listener: (...args: unknown[]) => void): unknown }>(client: C): C {
  for (const event of EVENTS) client.on(event, (...args) => net.add(args, `event ${event}`));
  net.add(client, 'client');
  net.add((client as { options?: unknown }).options, 'client.options');
  return client;
}
const connected = async (options: ClientOptions): Promise<RedisClient> => {
  const client = watched(createClient(options)) as RedisClient;
  ends.push(() => client.isOpen && client.destroy());
  await client.connect();
  net.add(client, 'connected client');
  return client;
};

before(async () => {
  const onWarning = (warning: Error) => net.add(warning, 'warning');
  process.on('warning', onWarning);
  ends.push(() => process.off('warning', onWarning));
  const traced = ['command', 'batch', 'connect'].flatMap((what) =>
    ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((step) => `tracing:node-redis:${what}:${step}`),
  );
  for (const name of ['redkeep:command', 'redkeep:connection', 'redkeep:protection', 'redkeep:pool', ...traced]) {
    const listen = (message: unknown) => net.add(message, name);
    diagnostics_channel.subscribe(name, listen);
    ends.push(() => diagnostics_channel.unsubscribe(name, listen));
  }
  folder = await mkdtemp(join(tmpdir(), 'redkeep-'));
  ends.push(() => rm(folder, { recursive: true }));
  [server, cluster, sentinels] = await Promise.all([
    startServer({ password, tls: true, plaintext: true }),
    startCluster({ masters: 3, password: token }),
    startSentinel({ replicas: 1, sentinels: 1 }),
  ]);
});
after(async () => {
  for (const end of ends.reverse()) await end();
  await Promise.all([server, cluster, sentinels].map((one) => one?.[Symbol.asyncDispose]()));
});

describe('no secret comes out of', () => {
  const spans = new InMemorySpanExporter();
  const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: measured })] });
  const tracers = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  before(() => {
    tracers.register();
    ends.push(OpenTelemetry.init({ api, metrics: { meterProvider: meters } }), () => tracers.shutdown());
  });
  const plain = () => `redis://127.0.0.1:${server.port}`;
  const noRetry = { socket: { reconnectStrategy: false } } as const;

  test('options that are refused', async () => {
    const encoded = encodeURIComponent(password);
    for (const [options, code] of [
      [{ url: `redis://:${encoded}@example.com` }, 'REDKEEP_PLAINTEXT_REFUSED'],
      [{ url: `http://:${encoded}@h` }],
      [{ url: `redis://:${encoded}@h:99999` }],
      [{ url: `redis://:${encoded}@localhost/${encoded}` }],
      [{ url: `redis://:${encoded}@localhost?token=${encoded}` }],
      [{ url: `rediss://:${encoded}@localhost#${encoded}` }],
      [{ url: `rediss://:${encoded}@localhost`, tls: false }],
      [{ url: `rediss://:${encoded}@localhost`, password: token }],
      [{ url: `rediss://:%zz${password}@localhost` }],
      [{ url: password }],
      [{ password: { secret: password } }],
      [{ username: [password] }],
      [{ password, tls: { key: password, passphrase: password } }],
      [{ tls: { ca: password } }],
      [{ tls: { cert: (await sharedPki()).client.cert, key: password, passphrase: password } }],
      [{ tls: { pinnedSpki: password } }],
      [{ tls: { ciphers: password } }],
      [{ socket: { localAddress: password } }],
      [{ name: `${password} \r\n` }],
      [{ credentialsProvider: { type: token } }],
      [{ allowCommands: [{ password }] }],
      [{ database: password }],
      [{ commandPolicy: token }],
    ] as [object, string?][])
      await provoke(() => createClient(options as ClientOptions), code ?? 'REDKEEP_INVALID_OPTION');
    await provoke(
      () => createCluster({ rootNodes: [{ url: `redis://:${encoded}@example.com` }] }),
      'REDKEEP_PLAINTEXT_REFUSED',
    );
    await provoke(
      () => createSentinel({ name: 'm', sentinelRootNodes: [{ host: password, port: token as never }] }),
      'REDKEEP_INVALID_OPTION',
    );
    await provoke(() => createClientPool({ password }, { maximum: token as never }), 'REDKEEP_INVALID_OPTION');
  });

  test('clients, and what they show of themselves', async () => {
    const pki = await sharedPki();
    const secret = new Secret(password);
    const passphrase = token;
    const encrypted = createPrivateKey(pki.client.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
      .toString();
    for (const options of [
      { url: plain(), password },
      { url: plain(), password: secret },
      { url: `redis://default:${encodeURIComponent(password)}@127.0.0.1:${server.port}` },
      {
        url: plain(),
        credentialsProvider: fromCallback(() => ({ password, expiresAt: new Date(Date.now() + 60_000) })),
      },
      { url: plain(), credentialsProvider: fromEnv({ password: 'CANARY' }, { CANARY: password }) },
      {
        url: server.url,
        password,
        tls: { ca: pki.ca, cert: pki.client.cert, key: encrypted, passphrase },
      },
    ] satisfies ClientOptions[]) {
      const client = await connected(options);
      if ('tls' in options) {
        net.add(client.duplicate(), 'duplicate');
        net.add(client.withCommandOptions({ timeout: 10 }), 'view');
      }
      net.add(client.multi().set(key, value), 'transaction');
      net.add(await client.healthCheck(), 'health');
      net.add(client.tlsInfo(), 'tlsInfo');
      await client.close();
    }
    const pool = watched(createClientPool({ url: plain(), password }));
    const nodes = watched(
      createCluster({
        rootNodes: [{ url: cluster.masters[0]!.url }],
        defaults: { password: token },
      }),
    );
    const sentinel = watched(
      createSentinel({
        name: sentinels.name,
        sentinelRootNodes: sentinels.sentinels.map(({ host, port }) => ({ host, port })),
        nodeClientOptions: { tls: false, password: new Secret(token) },
      }),
    );
    for (const one of [pool, nodes, sentinel]) {
      await one.connect();
      net.add(one, 'connected');
      await one.close();
    }
  });

  test('credentials that are wrong, late or missing', async () => {
    const wrong = `${password}x`;
    await provoke(() => watched(createClient({ url: plain(), password: wrong })).connect(), 'REDKEEP_AUTH_FAILED');
    await provoke(
      () => watched(createClient({ url: plain(), username: 'app', password: token })).connect(),
      'REDKEEP_AUTH_FAILED',
    );
    const unreadable = join(folder, 'empty');
    await writeFile(unreadable, '');
    for (const credentialsProvider of [
      fromEnv({ password: 'NOT_SET' }, { OTHER: password }),
      fromFile({ password: unreadable }),
      fromFile({ password: '/nonexistent' }),
      fromVault({ address: 'http://127.0.0.1:1', path: 'secret/data/x', auth: { token } }),
      fromVault({ address: 'http://127.0.0.1:1', path: 'secret/data/x', auth: { roleId: token, secretId: password } }),
      fromAwsSecretsManager({
        client: { getSecretValue: async () => ({ SecretString: `{"other":"${password.replace('"', '')}"}` }) },
        secretId: 's',
      }),
    ]) {
      net.add(credentialsProvider, 'provider');
      await provoke(
        () => watched(createClient({ url: plain(), credentialsProvider, ...noRetry })).connect(),
        'REDKEEP_CREDENTIALS_UNAVAILABLE',
      );
    }
    const client = await connected({ url: plain(), password });
    await provoke(() => client.sendCommand(['AUTH', password, token]), 'REDKEEP_SERVER');
    await provoke(() => client.auth({ username: password, password: token }), 'REDKEEP_SERVER');
  });

  test('handshakes that fail', async () => {
    const pki = await sharedPki();
    const secure = (certificate: 'expired' | 'wrongName' | 'otherServer') =>
      startScriptedServer({ tls: pki[certificate] });
    const attempt = (url: string, tls: ClientOptions['tls']) => () =>
      watched(createClient({ url, password, tls, socket: { connectTimeout: 3000 } })).connect();
    for (const [certificate, code] of [
      ['expired', 'REDKEEP_CERTIFICATE_EXPIRED'],
      ['wrongName', 'REDKEEP_CERTIFICATE_NAME'],
      ['otherServer', 'REDKEEP_CERTIFICATE_UNTRUSTED'],
    ] as const) {
      await using bad = await secure(certificate);
      await provoke(attempt(`rediss://localhost:${bad.port}`, { ca: pki.ca }), code);
    }
    await using mutual = await startServer({ tls: { clientAuth: 'required' } });
    await provoke(attempt(mutual.url, { ca: pki.ca }), 'REDKEEP_CERTIFICATE_REQUIRED');
    await provoke(attempt(server.url, { ca: pki.ca, pinnedSpki: `${'A'.repeat(43)}=` }), 'REDKEEP_TLS_FAILED');
    await provoke(attempt(`rediss://127.0.0.1:${server.port}`, { ca: pki.ca }), 'REDKEEP_SERVER_PLAINTEXT');
    await provoke(
      () => watched(createClient({ url: `redis://127.0.0.1:${mutual.tlsPort}`, password })).connect(),
      'REDKEEP_SERVER_TLS',
    );
    const twice = await connected({ url: plain(), password });
    await provoke(() => twice.connect(), 'REDKEEP_ALREADY_CONNECTED');
    // It takes connections and says nothing.
    const silent = createServer().listen(0, '127.0.0.1');
    ends.push(() => silent.close());
    await once(silent, 'listening');
    const silentPort = (silent.address() as AddressInfo).port;
    const closing = await startScriptedServer({ handshake: 'none', onCommand: (_, peer) => void peer.end() });
    ends.push(() => closing[Symbol.asyncDispose]());
    await provoke(
      () => watched(createClient({ url: closing.url, password, ...noRetry })).connect(),
      'REDKEEP_SOCKET_CLOSED',
    );
    await provoke(
      () => watched(createClient({ url: 'redis://127.0.0.1:1', password, ...noRetry })).connect(),
      'ECONNREFUSED',
    );
    // A listener that takes nothing: the connect timeout.
    await provoke(
      () =>
        watched(
          createClient({
            url: `rediss://:${encodeURIComponent(password)}@127.0.0.1:${silentPort}`,
            socket: { connectTimeout: 50, reconnectStrategy: false },
          }),
        ).connect(),
      'REDKEEP_CONNECT_TIMEOUT',
    );
    await provoke(
      () =>
        watched(
          createClient({ url: closing.url, password, socket: { reconnectStrategy: () => new Error('enough') } }),
        ).connect(),
      'REDKEEP_RECONNECT_STOPPED',
    );
  });

  test('arguments of every kind of refusal', async () => {
    const client = await connected({ url: plain(), password, maxScripts: 2, denyCommands: ['GETDEL'] });
    const run =
      (...words: string[]) =>
      () =>
        client.sendCommand(words);
    await client.set('text', 'not a number');
    await client.sendCommand(['RPUSH', 'list', 'x']);
    for (const bad of [
      () => client.get({ [value]: value } as never),
      () => client.set(key, [value] as never),
      () => client.set(key, value, { condition: value as never }),
      () => client.set(key, value, { expiration: { type: value as never, value: 1 } }),
      () => client.hSet(key, { [value]: { value } } as never),
      () => client.zAdd(key, { score: value as never, value }),
      () => client.xAdd(key, value, { a: value }),
      () => client.sendCommand([value, value]),
      () => client.sendCommand([`${key} ${value}`]),
    ])
      await provoke(bad);
    await provoke(() => client.get(undefined as never), 'REDKEEP_INVALID_ARGUMENT');
    await provoke(() => client.flushAll(), 'REDKEEP_COMMAND_REFUSED');
    await provoke(run('GETDEL', value), 'REDKEEP_COMMAND_REFUSED');
    for (const words of [
      ['SET', key, value, value, value],
      ['GETRANGE', 'text', value, '1'],
      ['CONFIG', value, value],
      ['LPUSH', 'text', value],
      ['EXPIRE', 'text', value],
      ['INCRBY', 'text', value],
      ['OBJECT', value, value],
      ['CLIENT', 'SETNAME', `${value} x`],
      ['XADD', key, value, value, value],
      ['NOSUCHCOMMAND', value, token],
      ['FCALL', value, '0', value],
      ['EVALSHA', value, '0', value],
    ])
      await provoke(run(...words), 'REDKEEP_SERVER');
    const script = 'return redis.error_reply(ARGV[1])';
    for (const text of [value, `ERR ${value}`, `-${value}`, `-CANARY ${value}`, `WRONGTYPE ${value}`])
      await provoke(run('EVAL', script, '0', text), 'REDKEEP_SERVER');
    await provoke(run('EVAL', "return redis.call('INCR', ARGV[1], ARGV[1])", '0', value), 'REDKEEP_SERVER');
    await provoke(run('EVAL', `return '${'x'}'`, '0', value), 'REDKEEP_SCRIPT_NOT_STATIC');
    await provoke(
      () => client.multi().set('text', value).incr('text').addCommand(['EVAL', script, '0', value]).exec(),
      'REDKEEP_SERVER',
    );
    await provoke(() => client.multi().addCommand(['NOSUCH', value]).exec(), 'REDKEEP_SERVER');
    await provoke(() => client.multi().addCommand(['EVAL', script, '0', value]).execAsPipeline(), 'REDKEEP_SERVER');
    await provoke(() => client.withAbortSignal(AbortSignal.abort()).set(key, value), 'REDKEEP_ABORTED');
    await provoke(() =>
      client
        .withCommandOptions({ timeout: 1 })
        .sendCommand([
          'EVAL',
          `local t=redis.call('TIME')[1]+0; while redis.call('TIME')[1]+0 < t+1 do end return ARGV[1]`,
          '0',
          value,
        ]),
    );
    await client.watch(key);
    await using other = createClient({ url: plain(), password });
    await other.connect();
    await other.set(key, value);
    await provoke(() => client.multi().set(key, value).exec(), 'REDKEEP_WATCH');
    await client.set(key, value.repeat(10));
    await provoke(async () => {
      for await (const _ of (await client.getStream(key, { chunkBytes: 4 }))!) await other.set(key, value);
    }, 'REDKEEP_VALUE_CHANGED');
    await client.close();
    await provoke(() => client.set(key, value), 'REDKEEP_CLIENT_CLOSED');
  });

  test('connections that break and peers that mean harm', async () => {
    await using peer = await startScriptedServer({ onCommand: (_, from) => void from.reset() });
    const broken = await connected({ url: peer.url, password, ...noRetry });
    await provoke(() => broken.set(key, value), 'REDKEEP_MAYBE_EXECUTED');
    for (const [answer, code] of [
      [(words: readonly string[]) => `@${words.join(' ')}\r\n`, 'REDKEEP_PROTOCOL'],
      [(words: readonly string[]) => `:${words.join('')}\r\n`, 'REDKEEP_PROTOCOL'],
      [(words: readonly string[]) => `+${words.join('').repeat(3000)}\r\n`, 'REDKEEP_REPLY_LIMIT'],
    ] as const) {
      await using garbling = await startScriptedServer({ onCommand: answer });
      const client = await connected({ url: garbling.url, password, ...noRetry });
      await provoke(() => client.get(value));
      await waitFor(() => !client.isOpen);
      assert.ok(net.codes.has(code), code);
    }
    await using stuck = await startScriptedServer({ onCommand: () => undefined });
    const slow = (options: ClientOptions) =>
      connected({ url: stuck.url, password, commandOptions: { timeout: 20 }, ...options });
    const short = await slow({ commandsQueueMaxLength: 1 });
    const waiting = provoke(() => short.set(key, value), 'REDKEEP_TIMEOUT');
    await provoke(() => short.set(key, value), 'REDKEEP_QUEUE_FULL');
    await waiting;
    const breaking = await slow({ circuitBreaker: { threshold: 1 } });
    await provoke(() => breaking.set(key, value), 'REDKEEP_TIMEOUT');
    await provoke(() => breaking.set(key, value), 'REDKEEP_CIRCUIT_OPEN');
    stuck.reply('GET', '-LOADING Redis is loading the dataset in memory\r\n');
    const loading = await slow({});
    await provoke(() => loading.get(key), 'REDKEEP_SERVER_NOT_READY');
    loading.on('ready', () => {
      throw new Error('of the application');
    });
    stuck.dropPeers();
    await waitFor(() => net.codes.has('REDKEEP_CALLBACK_FAILED'));
    const limited = await slow({ rateLimit: { rate: 0.001, burst: 1 } });
    await provoke(() => limited.set(key, value), 'REDKEEP_TIMEOUT');
    await provoke(() => limited.set(key, value), 'REDKEEP_RATE_LIMITED');
    const offline = await connected({
      url: stuck.url,
      password,
      disableOfflineQueue: true,
      socket: { reconnectStrategy: 10_000 },
    });
    stuck.dropPeers();
    await waitFor(() => !offline.isReady);
    await provoke(() => offline.set(key, value), 'REDKEEP_CLIENT_OFFLINE');
  });

  test('pools, clusters and Sentinel clients', async () => {
    const pool = watched(createClientPool({ url: plain(), password }, { maximum: 1, leakTimeoutMs: 10 }));
    ends.push(() => pool.isOpen && pool.destroy());
    await pool.connect();
    const lease = await pool.acquire();
    await waitFor(() => net.codes.has('REDKEEP_LEASE_LEAKED'));
    await lease.set(key, value);
    await lease.release();
    await provoke(() => lease.set(key, value), 'REDKEEP_LEASE_RELEASED');

    const nodes = watched(
      createCluster({
        rootNodes: [{ url: cluster.masters[0]!.url }],
        defaults: { password: token },
        maxCommandRedirections: 0,
      }),
    );
    ends.push(() => nodes.isOpen && nodes.destroy());
    await nodes.connect();
    await provoke(
      () => nodes.mGet([key, value]).then(() => nodes.lMove(key, value, 'LEFT', 'RIGHT')),
      'REDKEEP_CROSS_SLOT',
    );
    for (const [moved, code] of [
      ['192.0.2.1:6379', 'REDKEEP_REDIRECT_REFUSED'],
      [undefined, 'REDKEEP_TOO_MANY_REDIRECTS'],
    ] as const) {
      const fake = await startScriptedServer({
        onCommand: (words) =>
          words[0] === 'PING'
            ? '+PONG\r\n'
            : words[0] === 'CLUSTER'
              ? `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:${fake.port}\r\n$1\r\na\r\n`
              : `-MOVED ${slotOf(key)} ${moved ?? `127.0.0.1:${fake.port}`}\r\n`,
      });
      ends.push(() => fake[Symbol.asyncDispose]());
      const led = watched(
        createCluster({ rootNodes: [{ url: fake.url }], defaults: { password }, maxCommandRedirections: 2 }),
      );
      ends.push(() => led.isOpen && led.destroy());
      await led.connect();
      await provoke(() => led.set(key, value), code);
    }
    await provoke(
      () => watched(createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1', password }] })).connect(),
      'REDKEEP_NO_NODE',
    );
    await provoke(
      () =>
        watched(
          createSentinel({
            name: sentinels.name,
            sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }],
            nodeClientOptions: { tls: false, password },
          }),
        ).connect(),
      'REDKEEP_NO_NODE',
    );
    const iterating = watched(
      createSentinel({
        name: sentinels.name,
        sentinelRootNodes: sentinels.sentinels.map(({ host, port }) => ({ host, port })),
        nodeClientOptions: { tls: false },
      }),
    );
    ends.push(() => iterating.isOpen && iterating.destroy());
    await iterating.connect();
    const pages = iterating.scanIterator({ MATCH: value, COUNT: 1 });
    const iterated = provoke(() => pages.next(), 'REDKEEP_SCAN_INTERRUPTED');
    iterating.emit('topology-change', { type: 'MASTER_CHANGE', node: { host: '127.0.0.1', port: 1 } });
    await iterated;
    // As on a machine without that package.
    register(
      `data:text/javascript,${encodeURIComponent(
        `export const resolve = (name, context, next) => {
           if (name === '@node-rs/xxhash') throw new Error('not installed');
           return next(name, context);
         };`,
      )}`,
    );
    await provoke(() => digest(value), 'REDKEEP_DIGEST_UNAVAILABLE');
    // A sentinel that names a replica as the master.
    const [replica] = sentinels.replicas;
    const liar = await startScriptedServer({
      onCommand: (words) =>
        words[1] === 'MASTER' ? `%2\r\n+ip\r\n+127.0.0.1\r\n+port\r\n+${replica!.port}\r\n` : '*0\r\n',
    });
    ends.push(() => liar[Symbol.asyncDispose]());
    const misled = watched(
      createSentinel({
        name: 'm',
        sentinelRootNodes: [{ host: liar.host, port: liar.port }],
        nodeClientOptions: { tls: false, socket: { reconnectStrategy: false } },
        passthroughClientErrorEvents: true,
      }),
    );
    await provoke(() => misled.connect(), 'REDKEEP_WRONG_ROLE');
  });

  test('and all of it was looked at', async (t) => {
    await chmod(folder, 0o700);
    await meters.forceFlush();
    net.add(
      spans.getFinishedSpans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
      'spans',
    );
    net.add(measured.getMetrics(), 'metrics');
    assert.ok(spans.getFinishedSpans().length > 30);
    const missing = Object.keys(ERRORS).filter((code) => !net.codes.has(code));
    assert.deepEqual(missing, [], 'every code was provoked');
    assert.ok(provoked >= 100, `${provoked} errors were provoked`);
    t.diagnostic(
      `${Object.keys(CANARIES).length} canaries in ${Object.keys(ENCODINGS).length} encodings (${FORMS.length} forms), ` +
        `${provoked} errors, all ${Object.keys(ERRORS).length} codes, ${net.texts} texts searched, ${net.leaks.length} leaks`,
    );
    assert.deepEqual(net.leaks, []);
  });
});

test('the net catches what it should', () => {
  for (const [encoding, encode] of Object.entries(ENCODINGS))
    for (const form of encode(value)) {
      const other = new Net();
      other.add(new Error('x', { cause: { deep: [`..${form}..`] } }), 'test');
      assert.ok(other.leaks.length > 0, encoding);
    }
  for (const hidden of [
    Object.defineProperty({}, 'hidden', { value }),
    { [Symbol('s')]: value },
    Object.assign(new Error('x'), { bytes: Buffer.from(value) }),
    new Map([['a', value]]),
  ]) {
    const other = new Net();
    other.add(hidden, 'test');
    assert.ok(other.leaks.length > 0);
  }
});
