/**
 * Every option of every component, with every value that it must not have: a value of plain JavaScript, of the
 * environment or of a typing error must not change what a component protects. One table says what each option is; it does
 * not compile when an option is missing from it.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { createClient } from 'redkeep';
import { GuardError } from './errors.js';
import * as guard from './index.js';
import type { WebSessionStore } from './session/express-store.js';
import { keyA, testEncryption } from './testing/support.js';

const wrongObjects = [0, 'x', Symbol('s'), true, null];
/** What an option of a kind must not be, whatever its bounds are. */
const KINDS = {
  /** A number with bounds: milliseconds, bytes, counts. */
  number: [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -1,
    '5',
    '',
    null,
    {},
    [5],
    true,
    5n,
    Symbol('s'),
  ],
  choice: ['', 'Other', 'constructor', 'toString', 0, null, {}, true],
  flag: ['true', 'false', 0, 1, null, {}, ''],
  text: ['', 0, null, {}, ['x'], true],
  prefix: ['', 'a*', '{a}:', 'a b', 'a[', 0, null, {}],
  callback: [...wrongObjects, {}, 'function'],
  client: [...wrongObjects, {}, { sendCommand: 1, withCommandOptions: 1 }],
  object: [...wrongObjects, {}],
  key: ['', 'short', new Uint8Array(16), new Uint8Array(31), 0, null, {}, [keyA], 'ab'.repeat(31)],
  keys: [[], ['short'], [keyA, ''], keyA, null, {}, 0, [undefined], [keyA, undefined]],
  signingKey: [
    ...wrongObjects,
    {},
    'pem',
    generateKeyPairSync('ed25519').publicKey,
    generateKeyPairSync('x25519').privateKey,
  ],
  list: ['x', 0, null, {}, [0], [null], ['']],
  nested: [...wrongObjects, []],
  /** What is in it is judged by itself. */
  items: [...wrongObjects, {}],
  /** Any value. */
  free: [],
} as const satisfies Record<string, readonly unknown[]>;
type Kind = keyof typeof KINDS;

interface Component<Options> {
  readonly make: (options: Options) => unknown;
  readonly good: Options;
  /** Every option there is. */
  readonly options: { readonly [Name in keyof Required<Options>]: Kind };
  readonly code?: 'REDKEEP_GUARD_ARGUMENT';
}
const component = <Options>(of: Component<Options>): Component<unknown> => of as unknown as Component<unknown>;

const client = createClient({ socket: { host: '127.0.0.1', port: 1, tls: true } });
const encryption = testEncryption();
const limits = [{ name: 'a', limit: 1, periodMs: 1000 }];
const limiter = new guard.RateLimiter({ client, limits });
const locks = new guard.Locks({ client });
const sessions = new guard.Sessions({ client, encryption });
const wrapper = guard.localWrapper(guard.keysFromValue(keyA), 'test');
const store = guard.redisKeyStore(client);
const people = new guard.PersonKeys({
  encryption,
  wrapper,
  store,
  data: client,
  pseudonymKey: keyA,
  dangerouslyKeepKeysWithData: true,
});
const csrf = new guard.CsrfTokens({ keys: [keyA], origins: ['https://app.example'] });
const once = new guard.IdempotencyKeys({ client, encryption });
const noop = () => undefined;

const sessionStore = {
  client: 'client',
  encryption: 'object',
  prefix: 'prefix',
  idleMs: 'number',
  absoluteMs: 'number',
  maxBytes: 'number',
  timeoutMs: 'number',
  indexKey: 'key',
  onRefused: 'callback',
} as const;
const webStore = {
  ...sessionStore,
  userOf: 'callback',
  maxPerUser: 'number',
  onConflict: 'choice',
  fingerprintOf: 'callback',
  onFingerprintMismatch: 'choice',
  dangerouslyAcceptShortIds: 'flag',
} as const;
const http = { identityOf: 'callback', costOf: 'callback' } as const;
class Base {
  createSession(): void {}
}

const CALLS = {
  start: sessions.create.bind(sessions),
  load: (presented: { fingerprint?: string }) => sessions.load('x', presented),
};

const components: Readonly<Record<string, Component<unknown>>> = {
  Sessions: component<guard.SessionsOptions<unknown>>({
    make: (options) => new guard.Sessions(options),
    good: { client, encryption },
    options: {
      ...sessionStore,
      schema: 'object',
      onFingerprintMismatch: 'choice',
      maxPerUser: 'number',
      onLimit: 'choice',
      graceMs: 'number',
    },
  }),
  expressSessionStore: component<guard.ExpressStoreOptions>({
    make: (options) => guard.expressSessionStore(Base, options),
    good: { client, encryption, userOf: () => 'ana' },
    options: webStore,
  }),
  fastifySessionStore: component<guard.ExpressStoreOptions>({
    make: (options): WebSessionStore => guard.fastifySessionStore(options),
    good: { client, encryption, userOf: () => 'ana' },
    options: webStore,
  }),
  SessionCookie: component<guard.SessionCookieOptions>({
    make: (options) => new guard.SessionCookie(options),
    good: {},
    options: {
      name: 'text',
      sameSite: 'choice',
      maxAgeMs: 'number',
      dangerouslyAllowHttp: 'flag',
      dangerouslyShareWithDomain: 'text',
      dangerouslyAllowCrossSite: 'flag',
    },
  }),
  RateLimiter: component<guard.RateLimiterOptions>({
    make: (options) => new guard.RateLimiter(options),
    good: { client, limits },
    options: {
      client: 'client',
      limits: 'list',
      prefix: 'prefix',
      onStoreError: 'choice',
      timeoutMs: 'number',
      identityKey: 'key',
      maxLocal: 'number',
      onError: 'callback',
    },
  }),
  'a limit': component<guard.Limit>({
    make: (limit) => new guard.RateLimiter({ client, limits: [limit] }),
    good: limits[0]!,
    options: { name: 'text', limit: 'number', periodMs: 'number', algorithm: 'choice', burst: 'number' },
  }),
  ExpressRateLimitStore: component<guard.ExpressRateLimitStoreOptions>({
    make: (options) => new guard.ExpressRateLimitStore(options),
    good: { client },
    options: { client: 'client', prefix: 'prefix', timeoutMs: 'number', identityKey: 'key' },
  }),
  rateLimitMiddleware: component<guard.RateLimitHttpOptions>({
    make: (options) => guard.rateLimitMiddleware(limiter, options),
    good: {},
    options: http,
  }),
  rateLimitHook: component<guard.RateLimitHttpOptions>({
    make: (options) => guard.rateLimitHook(limiter, options as object),
    good: {},
    options: http,
  }),
  webRateLimit: component<guard.WebRateLimitOptions>({
    make: (options) => guard.webRateLimit(limiter, options),
    good: { identityOf: String },
    options: http,
  }),
  honoRateLimit: component<Parameters<typeof guard.honoRateLimit>[1]>({
    make: (options) => guard.honoRateLimit(limiter, options),
    good: { identityOf: String },
    options: http,
  }),
  koaRateLimit: component<Parameters<typeof guard.koaRateLimit>[1]>({
    make: (options) => guard.koaRateLimit(limiter, options),
    good: { identityOf: String },
    options: http,
  }),
  NestRateLimitGuard: component<ConstructorParameters<typeof guard.NestRateLimitGuard>[1]>({
    make: (options) => new guard.NestRateLimitGuard(limiter, options),
    good: { identityOf: String, refuse: () => new Error('no') },
    options: { identityOf: 'callback', refuse: 'callback' },
  }),
  csrfMiddleware: component<guard.CsrfHttpOptions<guard.CsrfRequest>>({
    make: (options) => [guard.csrfMiddleware(csrf, options), guard.csrfHook(csrf, options)],
    good: { sessionIdOf: noop },
    options: { sessionIdOf: 'callback', tokenOf: 'callback' },
  }),
  webCsrf: component<guard.WebCsrfOptions>({
    make: (options) => guard.webCsrf(csrf, options),
    good: { sessionIdOf: noop },
    options: { sessionIdOf: 'callback', tokenOf: 'callback' },
  }),
  idempotencyMiddleware: component<guard.IdempotencyHttpOptions>({
    make: (options) => [
      guard.idempotencyMiddleware(once, options),
      guard.idempotencyHooks(once, options),
      guard.webIdempotency(once, options as object as guard.IdempotencyHttpOptions<Request>),
    ],
    good: { scopeOf: String },
    options: { scopeOf: 'callback', fingerprintOf: 'callback', requireKey: 'flag' },
  }),
  WebSessionHandler: component<guard.WebSessionHandlerOptions<Record<string, unknown>>>({
    make: (options) => new guard.WebSessionHandler(options),
    good: { sessions, cookie: new guard.SessionCookie() },
    options: { sessions: 'object', cookie: 'object', fingerprint: 'flag' },
  }),
  Cache: component<guard.CacheOptions>({
    make: (options) => new guard.Cache(options),
    good: { client, ttlMs: 1000 },
    options: {
      client: 'client',
      prefix: 'prefix',
      ttlMs: 'number',
      staleMs: 'number',
      negativeMs: 'number',
      jitter: 'number',
      maxBytes: 'number',
      timeoutMs: 'number',
      loadMs: 'number',
      encryption: 'object',
      onError: 'callback',
    },
  }),
  Locks: component<guard.LocksOptions>({
    make: (options) => new guard.Locks(options),
    good: { client },
    options: { client: 'client', prefix: 'prefix', timeoutMs: 'number', onError: 'callback' },
  }),
  'Locks.acquire': component<guard.LockOptions>({
    make: (options) => locks.acquire('x', options),
    good: {},
    options: { ttlMs: 'number', waitMs: 'number', renew: 'flag', signal: 'object' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  Semaphores: component<guard.SemaphoresOptions>({
    make: (options) => new guard.Semaphores(options),
    good: { client },
    options: { client: 'client', prefix: 'prefix', timeoutMs: 'number' },
  }),
  'Semaphores.acquire': component<guard.PermitOptions>({
    make: (options) => new guard.Semaphores({ client }).acquire('x', options),
    good: { places: 1 },
    options: { places: 'number', ttlMs: 'number', waitMs: 'number', signal: 'object' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  LeaderElection: component<guard.LeaderElectionOptions>({
    make: (options) => new guard.LeaderElection(options),
    good: { locks, name: 'x' },
    options: { locks: 'object', name: 'text', ttlMs: 'number', onError: 'callback' },
  }),
  LoginThrottle: component<guard.LoginThrottleOptions>({
    make: (options) => new guard.LoginThrottle(options),
    good: { client, key: keyA },
    options: {
      client: 'client',
      key: 'key',
      prefix: 'prefix',
      account: 'nested',
      device: 'nested',
      address: 'nested',
      forgetAfterMs: 'number',
      deviceMaxAgeMs: 'number',
      timeoutMs: 'number',
    },
  }),
  'a backoff': component<Partial<guard.Backoff>>({
    make: (account) => new guard.LoginThrottle({ client, key: keyA, account }),
    good: {},
    options: { free: 'number', baseMs: 'number', maxMs: 'number' },
  }),
  OneTimeTokens: component<guard.OneTimeTokensOptions>({
    make: (options) => new guard.OneTimeTokens(options),
    good: { client, encryption, key: keyA },
    options: {
      client: 'client',
      encryption: 'object',
      key: 'key',
      prefix: 'prefix',
      maxPerHour: 'number',
      timeoutMs: 'number',
    },
  }),
  'OneTimeTokens.issueCode': component<guard.CodeRequest>({
    make: (request) => new guard.OneTimeTokens({ client, encryption, key: keyA }).issueCode(request),
    good: { purpose: 'x', subject: 'ana' },
    options: {
      purpose: 'text',
      subject: 'text',
      ttlMs: 'number',
      data: 'free',
      digits: 'number',
      maxAttempts: 'number',
    },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  RefreshTokens: component<guard.RefreshTokensOptions>({
    make: (options) => new guard.RefreshTokens(options),
    good: { client, encryption, keys: [keyA] },
    options: {
      client: 'client',
      encryption: 'object',
      keys: 'keys',
      prefix: 'prefix',
      idleMs: 'number',
      absoluteMs: 'number',
      graceMs: 'number',
      onReuse: 'callback',
      timeoutMs: 'number',
    },
  }),
  TokenDenylist: component<guard.TokenDenylistOptions>({
    make: (options) => new guard.TokenDenylist(options),
    good: { client },
    options: { client: 'client', prefix: 'prefix', key: 'key', maxTokenMs: 'number', timeoutMs: 'number' },
  }),
  ApiKeys: component<guard.ApiKeysOptions>({
    make: (options) => new guard.ApiKeys(options),
    good: { client, encryption, label: 'acme' },
    options: {
      client: 'client',
      encryption: 'object',
      label: 'text',
      prefix: 'prefix',
      indexKey: 'key',
      timeoutMs: 'number',
    },
  }),
  'ApiKeys.create': component<guard.ApiKeyRequest>({
    make: (request) => new guard.ApiKeys({ client, encryption, label: 'acme' }).create(request),
    good: { owner: 'ana', name: 'x', scopes: [] },
    options: { owner: 'text', name: 'object', scopes: 'list', ttlMs: 'number' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  IdempotencyKeys: component<guard.IdempotencyOptions>({
    make: (options) => new guard.IdempotencyKeys(options),
    good: { client, encryption },
    options: {
      client: 'client',
      encryption: 'object',
      prefix: 'prefix',
      keepMs: 'number',
      lockMs: 'number',
      waitMs: 'number',
      maxBytes: 'number',
      timeoutMs: 'number',
    },
  }),
  CsrfTokens: component<guard.CsrfOptions>({
    make: (options) => new guard.CsrfTokens(options),
    good: { keys: [keyA], origins: ['https://app.example'] },
    options: { keys: 'keys', origins: 'list' },
  }),
  Encryption: component<guard.EncryptionOptions>({
    make: (options) => new guard.Encryption(options),
    good: { keys: guard.keysFromValue(keyA), environment: 'x' },
    options: {
      keys: 'object',
      environment: 'text',
      compressFrom: 'number',
      padTo: 'number',
      maxBytes: 'number',
      legacyPlaintext: 'choice',
      accelerator: 'object',
    },
  }),
  EnvelopeKeys: component<guard.EnvelopeKeysOptions>({
    make: (options) => new guard.EnvelopeKeys(options),
    good: { wrapper, store },
    options: { wrapper: 'object', store: 'object', rotateAfterMs: 'number' },
  }),
  PersonKeys: component<guard.PersonKeysOptions>({
    make: (options) => new guard.PersonKeys(options),
    good: { encryption, wrapper, store, data: client, pseudonymKey: keyA, dangerouslyKeepKeysWithData: true },
    options: {
      encryption: 'object',
      wrapper: 'object',
      store: 'object',
      data: 'client',
      pseudonymKey: 'key',
      cacheMs: 'number',
      announce: 'object',
      signWith: 'signingKey',
      confirmMs: 'number',
      requireReplicas: 'number',
      dangerouslyKeepKeysWithData: 'flag',
    },
  }),
  BlindIndex: component<guard.BlindIndexOptions>({
    make: (options) => new guard.BlindIndex(options),
    good: { field: 'x', keys: [keyA] },
    options: { field: 'text', keys: 'keys', normalize: 'callback', bits: 'number' },
  }),
  EncryptedHash: component<guard.EncryptedHashOptions>({
    make: (options) => new guard.EncryptedHash(options),
    good: { client, encryption, space: 'x', ttlMs: 1000 },
    options: { client: 'client', encryption: 'object', space: 'text', plainFields: 'list', ttlMs: 'number' },
  }),
  reencrypt: component<guard.ReencryptOptions>({
    make: (options) => guard.reencrypt(options),
    good: { client, encryption, match: 'x', contextOf: noop },
    options: {
      client: 'client',
      encryption: 'object',
      match: 'text',
      contextOf: 'callback',
      resume: 'free',
      onProgress: 'callback',
      rate: 'number',
      signal: 'object',
    },
  }),
  exportPerson: component<guard.PersonExportOptions>({
    make: (options) => guard.exportPerson(options).next(),
    good: { client, persons: people, person: 'ana', match: ['x*'], contextOf: noop },
    options: {
      client: 'client',
      persons: 'object',
      person: 'text',
      match: 'list',
      contextOf: 'callback',
      reader: 'object',
      signal: 'object',
    },
  }),
  keysFromFile: component<guard.KeyFileOptions>({
    make: (options) => guard.keysFromFile('/x', options),
    good: {},
    options: { checkEveryMs: 'number', dangerouslyAllowWorldReadable: 'flag' },
  }),
  vaultTransit: component<guard.VaultTransitOptions>({
    make: (options) => guard.vaultTransit(options),
    good: { address: 'https://vault.example', keyName: 'x', token: 'x' },
    options: { address: 'text', keyName: 'text', token: 'text', mount: 'text', namespace: 'text', timeoutMs: 'number' },
  }),
  awsKms: component<Parameters<typeof guard.awsKms>[0]>({
    make: (options) => guard.awsKms(options),
    good: { kms: { encrypt: async () => ({}), decrypt: async () => ({}) }, keyId: 'x' },
    options: { kms: 'object', keyId: 'text' },
  }),
  AuditTrail: component<guard.AuditTrailOptions>({
    make: (options) => new guard.AuditTrail(options),
    good: { client, chainKey: keyA, spool: 'none' },
    options: {
      client: 'client',
      name: 'prefix',
      chainKey: 'key',
      persons: 'object',
      spool: 'nested',
      spoolEncryption: 'object',
      signWith: 'signingKey',
      onAnchor: 'callback',
      anchorEvery: 'number',
      anchorEveryMs: 'number',
      maxQueue: 'number',
      timeoutMs: 'number',
      retryMs: 'number',
      onError: 'callback',
    },
  }),
  AuditReader: component<guard.AuditReaderOptions>({
    make: (options) => new guard.AuditReader(options),
    good: { client, chainKey: keyA },
    options: { client: 'client', name: 'prefix', chainKey: 'key', persons: 'object' },
  }),
  'AuditReader.verify': component<guard.OutsideProof>({
    make: (outside) => new guard.AuditReader({ client, chainKey: keyA }).verify(outside),
    good: {},
    options: { anchors: 'items', publicKey: 'object' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  repairAuditTrail: component<guard.AuditRepairOptions>({
    make: (options) => guard.repairAuditTrail(options),
    good: { client, chainKey: keyA },
    options: { client: 'client', name: 'prefix', chainKey: 'key', anchors: 'items' },
  }),
  'a key space': component<guard.KeyspaceDefinition>({
    make: (definition) => guard.defineKeyspaces({ x: definition }),
    good: { prefix: 'x:' },
    options: {
      prefix: 'prefix',
      database: 'number',
      use: 'choice',
      maxTtlMs: 'number',
      defaultTtlMs: 'number',
      dangerouslyWithoutExpiry: 'flag',
      schema: 'object',
      codec: 'choice',
      maxBytes: 'number',
      maxKeyLength: 'number',
      encrypted: 'flag',
      user: 'text',
      auditor: 'text',
      guards: 'list',
    },
  }),
  'Keyspaces.open': component<guard.KeyspaceOpenOptions>({
    make: (options) => guard.defineKeyspaces({ x: { prefix: 'x:' } }).open(client, options),
    good: {},
    options: { encryption: 'object', timeoutMs: 'number', databases: 'nested' },
  }),
  'Keyspaces.validator': component<guard.ValidatorOptions>({
    make: (options) => guard.defineKeyspaces({ x: { prefix: 'x:' } }).validator(options),
    good: {},
    options: { unknownKeys: 'choice' },
  }),
  'Keyspaces.aclLines': component<guard.AclLineOptions>({
    make: (options) => guard.defineKeyspaces({ x: { prefix: 'x:' } }).aclLines(options),
    good: {},
    options: { cluster: 'flag', functions: 'flag' },
  }),
  'KeyspaceView.set': component<guard.KeyspaceSetOptions>({
    make: (options) =>
      guard
        .defineKeyspaces({ x: { prefix: 'x:', defaultTtlMs: 1000 } })
        .open(client)
        .x.set('k', 1, options),
    good: {},
    options: { ttlMs: 'number', condition: 'choice' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  'Sessions.create': component<Parameters<typeof CALLS.start>[0]>({
    make: CALLS.start,
    good: { data: {} },
    options: { data: 'free', user: 'text', fingerprint: 'object', device: 'object' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
  'Sessions.load': component<{ fingerprint?: string }>({
    make: CALLS.load,
    good: {},
    options: { fingerprint: 'object' },
    code: 'REDKEEP_GUARD_ARGUMENT',
  }),
};

/** The error that a component refuses options with; undefined when it takes them. Calls fail later: nobody is connected. */
async function refusal(make: (options: never) => unknown, options: unknown): Promise<GuardError | undefined> {
  try {
    const made = make(options as never);
    if (made instanceof guard.AuditTrail) await made.close();
    await (made instanceof Promise ? made : undefined);
  } catch (error) {
    assert.ok(error instanceof GuardError, `${(error as Error).stack}`);
    return error.code === 'REDKEEP_STORE_UNAVAILABLE' ? undefined : error;
  }
  return undefined;
}
const show = (value: unknown) =>
  typeof value === 'object' && !(value instanceof KeyObject) ? JSON.stringify(value) : String(value);

describe('options of', () => {
  for (const [name, { make, good, options, code = 'REDKEEP_GUARD_OPTION' }] of Object.entries(components))
    test(name, async () => {
      assert.equal(await refusal(make, good), undefined, 'the right ones are taken');
      let tried = 0;
      for (const [option, kind] of Object.entries(options as Record<string, Kind>)) {
        for (const value of KINDS[kind]) {
          // A text is an object to those that take any text.
          if (kind === 'object' && value === 'x' && /fingerprint|device|name/.test(option)) continue;
          const error = await refusal(make, { ...(good as object), [option]: value });
          const what = `${option}: ${show(value)}`;
          assert.ok(error !== undefined, `${what} was taken`);
          assert.match(
            error.code,
            /REDKEEP_(GUARD_(OPTION|ARGUMENT)|KEYSPACE_TTL|ENCRYPTION_KEY|COOKIE_POLICY)$/,
            what,
          );
          if (error.code.startsWith('REDKEEP_GUARD')) {
            assert.equal(error.code, code, what);
            assert.ok(error.message.includes(option), `${what}: ${error.message}`);
          }
          tried += 1;
        }
        const typo = option.slice(0, 2) + option.slice(1);
        const error = await refusal(make, { ...(good as object), [typo]: 1 });
        assert.deepEqual([error?.code, error?.hint], [code, `Did you mean ${option}?`], typo);
      }
      assert.ok(tried > 0 || Object.values(options as object).every((kind) => kind === 'free'));
      for (const value of [null, undefined, 0, 'x', [], Symbol('s')]) {
        // Where options may be left out.
        if (value === undefined && Object.keys(good as object).length === 0) continue;
        assert.equal((await refusal(make, value))?.code, code, String(value));
      }
    });

  test('a component are all in this table', () => {
    const classes = Object.entries(guard).filter(
      ([, value]) => typeof value === 'function' && /^class /.test(String(value)),
    );
    // Made by components, or from no options.
    const others = ['DataKey', 'GuardError', 'KeyspaceView', 'Keyspaces'];
    const missing = classes.map(([name]) => name).filter((name) => !(name in components) && !others.includes(name));
    assert.deepEqual(missing, []);
  });

  test('somebody wrote to Object.prototype are not those of a component', async () => {
    Object.assign(Object.prototype, { dangerouslyAllowHttp: true, onStoreError: 'allow' });
    try {
      assert.equal(new guard.SessionCookie({}).name, '__Host-sid');
      const open = new guard.RateLimiter({ client, limits, onError: noop });
      const decisions = [await open.check('a'), await open.check('a')];
      assert.deepEqual(
        decisions.map(({ source, allowed }) => `${source} ${allowed}`),
        ['local true', 'local false'],
      );
    } finally {
      for (const name of ['dangerouslyAllowHttp', 'onStoreError'])
        delete (Object.prototype as Record<string, unknown>)[name];
    }
  });

  test('an undefined option is one that was not given', () => {
    const cache = new guard.Cache({ client, ttlMs: 1000, jitter: undefined, prefix: undefined } as never);
    assert.ok(cache instanceof guard.Cache);
  });
});
