import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { createClient, createClientPool, createCluster, createSentinel, InvalidOptionError, Secret } from '../index.js';
import { CLIENT_SCHEMA, CLUSTER_SCHEMA, POOL_SCHEMA, type Schema, SENTINEL_SCHEMA } from './option-schema.js';
import type { ClientOptions } from './options.js';

const SPKI = `${'A'.repeat(43)}=`;
const noop = () => undefined;
const provider = { type: 'credentials-source', current: () => ({}) };

/** A right value for each option of a client. */
const GOOD: Readonly<Record<string, unknown>> = {
  url: 'rediss://localhost',
  'socket.host': 'cache.internal',
  'socket.port': 6380,
  'socket.path': '/run/redis.sock',
  'socket.family': 4,
  'socket.localAddress': '127.0.0.1',
  'socket.tls': true,
  'socket.connectTimeout': 100,
  'socket.socketTimeout': 0,
  'socket.noDelay': true,
  'socket.keepAlive': false,
  'socket.keepAliveInitialDelay': 10,
  'socket.reconnectStrategy': false,
  'socket.localPort': '4000',
  'socket.lookup': noop,
  'socket.hints': 0,
  'socket.autoSelectFamily': true,
  'socket.autoSelectFamilyAttemptTimeout': 100,
  'socket.signal': new AbortController().signal,
  'tls.caFile': '/ca.crt',
  'tls.servername': 'cache.internal',
  'tls.minVersion': 'TLSv1.3',
  'tls.maxVersion': 'TLSv1.3',
  'tls.ciphers': 'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384',
  'tls.ecdhCurve': 'P-256',
  'tls.sigalgs': 'RSA-PSS+SHA256:ECDSA+SHA256',
  'tls.ALPNProtocols': ['redis'],
  'tls.pinnedSpki': [SPKI],
  'tls.pinnedCa': 'ab:'.repeat(31).concat('ab'),
  'tls.checkServerIdentity': noop,
  'tls.rejectUnauthorized': true,
  allowPlaintext: true,
  username: 'app',
  password: new Secret('p'),
  credentialsProvider: provider,
  name: 'worker-1',
  database: 3,
  keyPrefix: 'app:',
  RESP: 3,
  commandsQueueMaxLength: 10,
  maxQueueBytes: 1e6,
  disableOfflineQueue: true,
  readonly: true,
  pingInterval: 1000,
  maxRetriesPerCommand: 0,
  'commandOptions.timeout': 100,
  'commandOptions.abortSignal': new AbortController().signal,
  'commandOptions.typeMapping': {},
  'commandOptions.asap': true,
  'commandOptions.idempotent': true,
  'commandOptions.cache.ttlMs': 10,
  'commandOptions.chainId': Symbol('chain'),
  'replyLimits.maxBulkBytes': 1000,
  'replyLimits.maxElements': 1000,
  'replyLimits.maxDepth': 10,
  'replyLimits.maxLineBytes': 1000,
  'replyLimits.maxBigNumberDigits': 10,
  'replyLimits.maxReplyBytes': 1000,
  'rateLimit.rate': 10,
  'circuitBreaker.threshold': 3,
  'circuitBreaker.coolDownMs': 100,
  disableClientInfo: true,
  clientInfoTag: 'v1',
  'clientSideCache.ttl': 10,
  'clientSideCache.maxEntries': 10,
  'clientSideCache.evictPolicy': 'FIFO',
  'clientSideCache.recordStats': false,
  'clientSideCache.byCall': true,
  emitInvalidate: true,
  commandPolicy: 'unrestricted',
  allowCommands: ['FLUSHDB'],
  denyCommands: ['EVAL'],
  readOnlyCommands: true,
  maxScripts: 5,
  validateCommand: noop,
  modules: {},
  functions: {},
  scripts: {},
  maintNotifications: 'disabled',
  maintEndpointType: 'auto',
  maintRelaxedCommandTimeout: 1000,
  maintRelaxedSocketTimeout: 1000,
};
/** Right only beside another option: tested with it elsewhere. */
const IN_COMPANY = [
  ...['ca', 'cert', 'key', 'passphrase', 'certFile', 'keyFile', 'pfx', 'crl', 'dangerouslyAcceptAnyCertificate'],
].map((name) => `tls.${name}`);
/** Options of Node.js that are named only to be refused with a reason. */
const REFUSED = ['socket.secureContext', 'socket.session', 'socket.blockList'];
const RATE_COMPANY = ['rateLimit.burst', 'rateLimit.mode', 'rateLimit.maxWaiting'];

/** What no option is, or only a few are. */
const WRONG: readonly unknown[] = [
  null,
  Number.NaN,
  -1,
  1.5,
  '',
  'a b\r\n',
  true,
  [],
  [1],
  {},
  { a: 1 },
  noop,
  Symbol('x'),
  7n,
];

const leaves = (schema: Schema, path = ''): string[] =>
  Object.entries(schema).flatMap(([name, rule]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return rule.schema === undefined ? [at] : leaves(rule.schema(), at);
  });
/** `{ socket: { port: value } }` for `socket.port`. */
const nested = (path: string, value: unknown): object =>
  path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
const isTls = (path: string) =>
  leaves(CLIENT_SCHEMA).includes(path.replace(/^socket\./, 'tls.')) && path.startsWith('socket.');
const create = (options: unknown) => createClient(options as ClientOptions);

describe('every option of a client', () => {
  // Those of TLS may stand in `socket` too.
  const paths = leaves(CLIENT_SCHEMA).filter((path) => !isTls(path) && !REFUSED.includes(path));

  test('has a right value in this test', () => {
    assert.deepEqual([...Object.keys(GOOD), ...IN_COMPANY, ...RATE_COMPANY].sort(), paths.sort());
    for (const [path, value] of Object.entries(GOOD)) assert.doesNotThrow(() => create(nested(path, value)), path);
    assert.doesNotThrow(() => create({ rateLimit: { rate: 1, burst: 2, mode: 'wait', maxWaiting: 3 } }));
  });

  test('is refused by its path when it is something else', () => {
    let refused = 0;
    for (const path of leaves(CLIENT_SCHEMA)) {
      let here = 0;
      for (const wrong of WRONG) {
        try {
          create(nested(path, wrong));
        } catch (error) {
          assert.ok(error instanceof InvalidOptionError, `${path}: ${String(error)}`);
          // Company is missed only when the value itself is right.
          const asTls = path.replace(/^socket\./, 'tls.');
          if ([path, asTls].includes(error.option) || path.startsWith(`${error.option}.`)) here++;
          else
            assert.match(
              error.message,
              /beside|needs|has no key|TLS is off|contradicts/,
              `${path} blamed ${error.option}`,
            );
        }
      }
      assert.ok(here >= 6, `${path} takes nearly anything`);
      refused += here;
      if (path !== 'username' && path !== 'password')
        assert.throws(() => create(nested(path, null)), { code: 'REDKEEP_INVALID_OPTION', option: path });
    }
    assert.ok(refused > 800);
  });

  test('is refused with its right name when it is misspelled', () => {
    for (const path of leaves(CLIENT_SCHEMA)) {
      const misspelled = `${path}${path.at(-1)}`;
      assert.throws(() => create(nested(misspelled, 1)), {
        option: misspelled,
        message: new RegExp(`did you mean ${path.split('.').at(-1)}\\?`),
      });
    }
  });
});

test('pools, clusters and Sentinel clients refuse by path, with the nearest name', () => {
  const node = { host: 'h', port: 26_379 };
  const refusals: readonly (readonly [make: () => unknown, option: string, message?: RegExp])[] = [
    [() => createClientPool({}, { minumum: 1 } as never), 'minumum', /did you mean minimum/],
    [() => createClientPool({}, { maximum: 0 }), 'maximum'],
    [() => createClientPool({}, { minimum: 5, maximum: 2 }), 'maximum'],
    [() => createClientPool({}, { clientSideCache: { tll: 1 } as never }), 'clientSideCache.tll', /ttl/],
    [() => createClientPool({ usrname: 'x' } as never), 'usrname', /did you mean username/],
    [() => createCluster({} as never), 'rootNodes'],
    [() => createCluster({ rootNodes: {} } as never), 'rootNodes'],
    [() => createCluster({ rootNodes: [{ ulr: 'x' }] } as never), 'rootNodes[0].ulr', /did you mean url/],
    [() => createCluster({ rootNodes: [{}, { socket: { port: 0 } }] }), 'rootNodes[1].socket.port'],
    [() => createCluster({ rootNodes: [{ url: 'redis://example.com' }] }), 'rootNodes[0].url', /rediss/],
    [
      () => createCluster({ rootNodes: [{}], defaults: { socket: { tsl: true } } } as never),
      'defaults.socket.tsl',
      /tls/,
    ],
    [() => createCluster({ rootNodes: [{}], useReplica: true } as never), 'useReplica', /did you mean useReplicas/],
    [
      () => createCluster({ rootNodes: [{}], redirectPolicy: { allowHost: [] } } as never),
      'redirectPolicy.allowHost',
      /allowHosts/,
    ],
    [() => createSentinel({ sentinelRootNodes: [node] } as never), 'name'],
    [() => createSentinel({ name: 'm', sentinelRootNodes: [] }), 'sentinelRootNodes'],
    [
      () => createSentinel({ name: 'm', sentinelRootNodes: [node, { hots: 1 }] } as never),
      'sentinelRootNodes[1].hots',
      /host/,
    ],
    [() => createSentinel({ name: 'm', sentinelRootNodes: [node], masterPoolSize: 0 }), 'masterPoolSize'],
    [
      () =>
        createSentinel({ name: 'm', sentinelRootNodes: [node], nodeClientOptions: { tls: { caFiel: 'x' } } } as never),
      'nodeClientOptions.tls.caFiel',
      /caFile/,
    ],
    [
      () => createSentinel({ name: 'm', sentinelRootNodes: [node], nodeClientOptions: { url: 'rediss://h' } }),
      'nodeClientOptions.url',
    ],
    [
      () => createSentinel({ name: 'm', sentinelRootNodes: [node], nodeClientOptions: { RESP: 4 } } as never),
      'nodeClientOptions.RESP',
    ],
    [() => createClient('redis://localhost' as never), 'options', /\{ url \}/],
  ];
  for (const [make, option, message] of refusals)
    assert.throws(make, (error) => {
      assert.ok(error instanceof InvalidOptionError, String(error));
      assert.equal(error.option, option);
      assert.ok(error.hint.length > 10 && (message === undefined || message.test(error.message)), error.message);
      return true;
    });
});

test('what contradicts itself, or undoes its own protection, is refused', () => {
  const tls = (options: object) => ({ tls: { caFile: '/ca', ...options } });
  const refusals: readonly (readonly [options: object, option: string])[] = [
    [{ url: 'rediss://a@localhost', username: 'b' }, 'username'],
    [{ url: 'rediss://:a@localhost', password: 'b' }, 'password'],
    [{ url: 'rediss://localhost/1', database: 2 }, 'database'],
    [{ url: 'rediss://localhost', socket: { host: 'other' } }, 'socket.host'],
    [{ url: 'rediss://localhost', socket: { port: 1 } }, 'socket.port'],
    [{ url: 'rediss://localhost', socket: { path: '/s' } }, 'socket.path'],
    [{ socket: { path: '/s', host: 'h' } }, 'socket.path'],
    [{ disableClientInfo: true, clientInfoTag: 'x' }, 'clientInfoTag'],
    [tls({ ca: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----' }), 'tls.caFile'],
    [{ tls: { ca: '/etc/ca.crt' } }, 'tls.ca'],
    [{ tls: { ca: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----' } }, 'tls.ca'],
    [tls({ certFile: '/c' }), 'tls.keyFile'],
    [tls({ keyFile: '/c' }), 'tls.certFile'],
    [tls({ passphrase: 'x' }), 'tls.passphrase'],
    [tls({ ciphers: 'ALL' }), 'tls.ciphers'],
    [tls({ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA' }), 'tls.ciphers'],
    [tls({ ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0' }), 'tls.ciphers'],
    [tls({ ciphers: 'TLS_NOSUCH_GCM_SHA1' }), 'tls.ciphers'],
    [tls({ ecdhCurve: 'no-such-curve' }), 'tls.ecdhCurve'],
    [tls({ minVersion: 'TLSv1' }), 'tls.minVersion'],
    [tls({ dangerouslyAcceptAnyCertificate: true, pinnedSpki: SPKI }), 'tls.pinnedSpki'],
    [{ clientSideCache: {}, RESP: 2 }, 'clientSideCache'],
  ];
  for (const [options, option] of refusals)
    assert.throws(() => create(options), { name: 'InvalidOptionError', option }, JSON.stringify(options));
});

test('whatever is given: an error about an option, or a client that has sent nothing', () => {
  const CANARY = 'c4n4ry-value';
  const names = [...new Set([CLIENT_SCHEMA, CLUSTER_SCHEMA, SENTINEL_SCHEMA, POOL_SCHEMA].flatMap((s) => leaves(s)))];
  const value = fc.oneof(
    fc.anything({ maxDepth: 2 }),
    fc.constantFrom(
      CANARY,
      { [Symbol.toPrimitive]: () => CANARY },
      [CANARY],
      { toString: () => CANARY },
      ...Object.values(GOOD),
    ),
  );
  const options = fc
    .array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 })
    .map((given) => Object.assign({}, ...given.map(([path, v]) => nested(path, v))) as object);
  const makers = [
    create,
    (o: object) => createClientPool(o, o as never),
    (o: object) => createCluster({ rootNodes: [o], ...o } as never),
    (o: object) =>
      createSentinel({ name: 'm', sentinelRootNodes: [{ host: 'h', port: 1 }], nodeClientOptions: o, ...o }),
  ];
  let refused = 0;
  let made = 0;
  fc.assert(
    fc.property(options, fc.constantFrom(...makers), (given, make) => {
      try {
        make(given);
        made++;
      } catch (error) {
        refused++;
        assert.ok(error instanceof InvalidOptionError, String((error as Error).stack));
        assert.ok(error.option.length > 0 && !error.message.includes(CANARY) && /^REDKEEP_\w+$/.test(error.code));
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(refused > 100 && made > 20, `${refused} refused, ${made} made`);
});

describe('Object.prototype that somebody wrote to', () => {
  const pollute = (name: string, value: unknown) =>
    Object.defineProperty(Object.prototype, name, { value, enumerable: true, configurable: true });
  const added = ['allowPlaintext', 'dangerouslyAcceptAnyCertificate', 'commandPolicy', 'url', 'rejectUnauthorized'];
  afterEach(() => {
    for (const name of added) delete (Object.prototype as Record<string, unknown>)[name];
  });
  test('gives no option', () => {
    pollute('allowPlaintext', true);
    assert.throws(() => create({ url: 'redis://example.com' }), { code: 'REDKEEP_PLAINTEXT_REFUSED' });
    pollute('dangerouslyAcceptAnyCertificate', true);
    pollute('url', 'redis://:x@evil.example');
    const warnings: unknown[] = [];
    const emitWarning = process.emitWarning;
    process.emitWarning = (...args: unknown[]) => void warnings.push(args);
    try {
      create({ socket: { host: 'localhost' }, tls: { caFile: '/ca' } });
    } finally {
      process.emitWarning = emitWarning;
    }
    assert.deepEqual(warnings, []);
    pollute('commandPolicy', 'unrestricted');
    return assert.rejects(create({}).flushAll(), { code: 'REDKEEP_COMMAND_REFUSED' });
  });
});
