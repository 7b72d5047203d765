/**
 * Every option there is, with what it may be. Unknown names are refused with the nearest one, wrong values by the
 * option's path; what options mean together is judged where they are resolved.
 */
import { isIP } from 'node:net';
import { CACHE_SCHEMA, ClientSideCacheProvider } from '../cache/client-side-cache.js';
import { Secret } from '../credentials/secret.js';
import { InvalidOptionError } from '../errors.js';
import { isCustomCommand, isScriptConfig } from '../scripting/custom-commands.js';
import {
  anyObject,
  below,
  callback,
  each,
  either,
  fields,
  flag,
  is,
  isBytes,
  isObject,
  isPlain,
  listOf,
  MAX_MS,
  milliseconds,
  oneOf,
  positive,
  type Rule,
  required,
  rule,
  type Schema,
  secret,
  text,
  whole,
} from './rules.js';

export { checkOptions, type Rule, type Schema } from './rules.js';

const pem = rule(
  (v) => isBytes(v) || (Array.isArray(v) && v.length > 0 && v.every(isBytes)),
  'must be PEM text, a Buffer or an array of these',
);
const pins = (pattern: RegExp, problem: string) =>
  rule((v) => {
    const list = Array.isArray(v) ? v : [v];
    return list.length > 0 && list.every((pin) => typeof pin === 'string' && pattern.test(pin));
  }, problem);
/** A word that goes into CLIENT SETNAME or SETINFO, which take no spaces and no control characters. */
const word = rule((v) => typeof v === 'string' && /^[\x21-\x7e]+$/.test(v), 'must be printable ASCII without spaces');

/** Suites that keep the past secret when a key is lost, and that authenticate what they encrypt. */
const STRONG_SUITE = /^(!\S+|TLS_\w+(GCM|POLY1305|CCM)\w*|(ECDHE|DHE)-[A-Z0-9-]*(GCM|POLY1305|CCM)[A-Z0-9-]*)$/;

/** `port` often comes as text, from the environment. */
const port = rule(
  (v) =>
    (Number.isInteger(v) || (typeof v === 'string' && /^\d{1,5}$/.test(v))) && Number(v) >= 1 && Number(v) <= 65_535,
  'must be a whole number from 1 to 65535',
);
/** `null` is how many programs write that there is none. */
const orNull = (one: Rule) => either((v) => v === null, one);

export const TLS_SCHEMA = {
  ca: pem,
  cert: pem,
  key: rule((v) => isBytes(v) || v instanceof Secret, 'must be PEM text, a Buffer or a Secret'),
  passphrase: secret,
  caFile: text,
  certFile: text,
  keyFile: text,
  pfx: rule(Buffer.isBuffer, 'must be a Buffer with a PKCS #12 archive'),
  crl: pem,
  sigalgs: rule(
    (v) => typeof v === 'string' && v !== '' && !/sha1|md5/i.test(v),
    'must list signature algorithms without SHA-1 and MD5',
  ),
  ALPNProtocols: listOf((v) => typeof v === 'string' && v !== '', 'must be an array of names'),
  servername: text,
  minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  maxVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  ciphers: rule(
    (v) => typeof v === 'string' && v.split(':').every((suite) => STRONG_SUITE.test(suite)),
    'must list suites with forward secrecy and authenticated encryption (ECDHE or DHE with GCM, CCM or POLY1305, or TLS 1.3)',
  ),
  ecdhCurve: text,
  pinnedSpki: pins(/^[A-Za-z0-9+/]{43}=$/, 'must be the SHA-256 of a public key in base64 (44 characters), or a list'),
  pinnedCa: pins(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i, 'must be a SHA-256 fingerprint in hex (64 digits), or a list'),
  checkServerIdentity: callback,
  dangerouslyAcceptAnyCertificate: flag,
  rejectUnauthorized: rule(
    (v) => v === true,
    'turning verification off lets anybody on the way read the password; give the CA with caFile, or say dangerouslyAcceptAnyCertificate in a laboratory',
  ),
} satisfies Schema;

const refused = (reason: string) => rule(() => false, reason);
/** Options of node:net and node:tls that would take something away, or that not every Node.js has. */
const REFUSED = {
  secureContext: refused('would replace the checks of protocol, suites and CA; give ca, cert, key and the like'),
  session: refused('a resumed session does not show its certificate; every connection verifies it anew'),
  blockList: refused('Node.js 20 ignores it, so it would protect nothing; use redirectPolicy, or a firewall'),
} satisfies Schema;

const SOCKET_SCHEMA = {
  ...TLS_SCHEMA,
  host: text,
  port,
  path: text,
  family: oneOf(0, 4, 6),
  localAddress: rule((v) => typeof v === 'string' && isIP(v) !== 0, 'must be an IP address of this host'),
  tls: flag,
  connectTimeout: milliseconds,
  socketTimeout: milliseconds,
  noDelay: flag,
  keepAlive: rule(
    (v) => typeof v === 'boolean' || (typeof v === 'number' && v >= 0 && v <= MAX_MS),
    'must be true or false, or milliseconds of idleness before the first probe',
  ),
  keepAliveInitialDelay: milliseconds,
  localPort: port,
  lookup: callback,
  hints: whole(0),
  autoSelectFamily: flag,
  autoSelectFamilyAttemptTimeout: milliseconds,
  signal: rule((v) => v instanceof AbortSignal, 'must be an AbortSignal'),
  ...REFUSED,
  reconnectStrategy: rule(
    (v) => v === false || typeof v === 'function' || (typeof v === 'number' && v >= 0 && v <= MAX_MS),
    'must be a function, milliseconds, or false',
  ),
} satisfies Schema;

const COMMAND_OPTIONS_SCHEMA = {
  timeout: milliseconds,
  abortSignal: rule((v) => v instanceof AbortSignal, 'must be an AbortSignal'),
  typeMapping: anyObject,
  asap: flag,
  idempotent: flag,
  cache: fields(() => ({ ttlMs: milliseconds })),
  /** node-redis's: commands of a chain always stay together here. */
  chainId: rule(is('symbol'), 'must be a symbol'),
} satisfies Schema;

const POLICY_SCHEMA = {
  commandPolicy: oneOf('guarded', 'unrestricted'),
  allowCommands: listOf(is('string'), 'must be an array of command names'),
  denyCommands: listOf(is('string'), 'must be an array of command names'),
  readOnlyCommands: flag,
  maxScripts: positive,
  validateCommand: callback,
} satisfies Schema;
const named = (test: (value: unknown) => boolean) => (v: unknown) =>
  isPlain(v) && Object.values(v as object).every(test);
const groups = rule(
  named(named(isCustomCommand)),
  'must be an object of objects of commands, each with parseCommand()',
);
const CUSTOM_SCHEMA = {
  modules: groups,
  functions: groups,
  scripts: rule(
    named((v) => isScriptConfig(v) && typeof (v as { SHA1?: unknown }).SHA1 === 'string'),
    'must be an object of what defineScript() returns',
  ),
} satisfies Schema;

const commandOptions = fields(() => COMMAND_OPTIONS_SCHEMA);
const clientSideCache = either(
  (v) => v instanceof ClientSideCacheProvider,
  fields(() => ({ ...CACHE_SCHEMA, byCall: flag })),
);
const tls = either(
  is('boolean'),
  fields(() => TLS_SCHEMA),
);
const keyPrefix = rule(isBytes, 'must be a string or a Buffer');
const protocol = oneOf(2, 3);
const PROVIDERS = ['async-credentials-provider', 'streaming-credentials-provider', 'credentials-source'];

export const CLIENT_SCHEMA = {
  url: text,
  socket: fields(() => SOCKET_SCHEMA),
  tls,
  allowPlaintext: flag,
  username: orNull(rule(is('string'), 'must be a string')),
  password: orNull(secret),
  credentialsProvider: rule(
    (v) => isObject(v) && PROVIDERS.includes((v as { type?: string }).type as string),
    `must have a type, one of ${PROVIDERS.join(', ')}`,
  ),
  name: either((v) => v === '', word),
  database: whole(0, 1_000_000),
  keyPrefix,
  RESP: protocol,
  commandsQueueMaxLength: positive,
  maxQueueBytes: positive,
  disableOfflineQueue: flag,
  readonly: flag,
  pingInterval: milliseconds,
  maxRetriesPerCommand: whole(0),
  commandOptions,
  replyLimits: fields(() => ({
    maxBulkBytes: positive,
    maxElements: positive,
    maxDepth: positive,
    maxLineBytes: positive,
    maxBigNumberDigits: positive,
    maxReplyBytes: positive,
  })),
  rateLimit: fields(() => ({
    rate: positive,
    burst: rule((n) => typeof n === 'number' && n >= 1, 'must be at least 1'),
    mode: oneOf('reject', 'wait'),
    maxWaiting: whole(0),
  })),
  circuitBreaker: fields(() => ({ threshold: whole(1), coolDownMs: positive })),
  disableClientInfo: flag,
  clientInfoTag: rule(
    (v) => typeof v === 'string' && /^[\x21-\x7e]*$/.test(v),
    'must be printable ASCII without spaces',
  ),
  clientSideCache,
  emitInvalidate: flag,
  ...POLICY_SCHEMA,
  ...CUSTOM_SCHEMA,
  // node-redis's, for Redis Enterprise: see ClientOptions.maintNotifications.
  maintNotifications: oneOf('disabled', 'enabled', 'auto'),
  maintEndpointType: text,
  maintRelaxedCommandTimeout: milliseconds,
  maintRelaxedSocketTimeout: milliseconds,
} satisfies Schema;

const client = fields(() => CLIENT_SCHEMA);
const addressMap = rule((v) => typeof v === 'function' || isPlain(v), 'must be an object or a function');
const redirectPolicy = fields(() => ({
  allowHosts: listOf((v) => typeof v === 'string' && v !== '', 'must be an array of hosts, *.suffixes or ranges'),
}));
/** What clusters and Sentinel clients share with their connections. */
const SHARED_SCHEMA = {
  nodeAddressMap: addressMap,
  redirectPolicy,
  commandOptions,
  keyPrefix,
  clientSideCache,
  RESP: protocol,
  ...POLICY_SCHEMA,
  ...CUSTOM_SCHEMA,
} satisfies Schema;

/** Some configurations repeat host and port beside the URL, or in place of `socket`. */
const rootNode = fields(() => ({ ...CLIENT_SCHEMA, host: text, port }));

export const CLUSTER_SCHEMA = {
  rootNodes: required(each(rootNode, 'must be an array of client options, with one node or more', 1)),
  defaults: client,
  minimizeConnections: flag,
  useReplicas: flag,
  availabilityZone: text,
  maxCommandRedirections: whole(0),
  topologyRefreshIntervalMs: milliseconds,
  topologyRefreshOnReconnectionAttemptStrategy: rule(
    (v) => v === false || typeof v === 'function' || (typeof v === 'number' && v >= 0 && v <= MAX_MS),
    'must be false, milliseconds or a function',
  ),
  ...SHARED_SCHEMA,
} satisfies Schema;

export const SENTINEL_SCHEMA = {
  name: required(text),
  sentinelRootNodes: required(
    each(
      fields(() => ({ host: required(text), port: required(whole(1, 65_535)) })),
      'must be an array of { host, port }, with one sentinel or more',
      1,
    ),
  ),
  nodeClientOptions: client,
  sentinelClientOptions: client,
  maxCommandRediscovers: whole(0),
  masterPoolSize: whole(1),
  replicaPoolSize: whole(0),
  scanInterval: milliseconds,
  passthroughClientErrorEvents: flag,
  reserveClient: flag,
  ...SHARED_SCHEMA,
} satisfies Schema;

export const POOL_SCHEMA = {
  minimum: whole(0),
  maximum: whole(1),
  acquireTimeout: whole(0),
  cleanupDelay: whole(0),
  maxWaiters: whole(0),
  maxLifetimeMs: whole(0),
  healthCheckAfterMs: whole(0),
  closeTimeoutMs: whole(1, MAX_MS),
  leakTimeoutMs: whole(0),
  clientSideCache,
} satisfies Schema;

/**
 * The same options on no prototype: what somebody wrote to `Object.prototype` (`allowPlaintext`, say) is left out.
 */
export function ownOptions<O extends object>(given: O): O {
  const own = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given))
    own[name] = NESTED.has(name) && isPlain(value) ? ownOptions(value as object) : value;
  return own as O;
}

/** Options that are objects of options, and not somebody's own object. */
const NESTED = new Set([
  'socket',
  'tls',
  'commandOptions',
  'replyLimits',
  'rateLimit',
  'circuitBreaker',
  'redirectPolicy',
  'defaults',
  'nodeClientOptions',
  'sentinelClientOptions',
]);

/** Runs `resolve`; an error about an option names it below `path`. */
export function within<T>(path: string, resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    const problem = error.message.slice(error.option.length + 2);
    throw new InvalidOptionError(below(path, error.option), problem, error.code);
  }
}
