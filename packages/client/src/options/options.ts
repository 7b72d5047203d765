/**
 * URL, environment and options: read once, checked once, turned into what a connection needs. Everything wrong,
 * contradictory or insecure is refused here, before a socket exists.
 */

import type { LookupFunction } from 'node:net';
import {
  BasicClientSideCache,
  type ClientSideCacheConfig,
  ClientSideCacheProvider,
} from '../cache/client-side-cache.js';
import type { ConnectionOptions } from '../connection/connection.js';
import type { HandshakeStep } from '../connection/handshake.js';
import { type ReconnectStrategy, strategyOf } from '../connection/reconnect.js';
import type { Endpoint, TransportOptions } from '../connection/transport.js';
import { type CredentialsProvider, fromValue, toCredentialsSource } from '../credentials/credentials.js';
import { fromEnv } from '../credentials/from-env.js';
import { fromFile } from '../credentials/from-file.js';
import { Secret } from '../credentials/secret.js';
import { InvalidOptionError } from '../errors.js';
import { bareHost, isLoopback } from '../network/host-class.js';
import { DEFAULT_REPLY_LIMITS, type ReplyLimits } from '../protocol/limits.js';
import type { RedisArgument, RespVersion } from '../protocol/types.js';
import type { CircuitBreakerOptions } from '../resilience/circuit-breaker.js';
import { RateLimit, type RateLimitOptions } from '../resilience/rate-limit.js';
import type { CustomCommandOptions } from '../scripting/custom-commands.js';
import { CommandPolicy, type CommandPolicyOptions } from '../security/command-policy.js';
import { revealed, type TlsOptions, validateTls } from '../security/tls-policy.js';
import type { CommandOptions } from './command-options.js';
import { DEFAULTS } from './defaults.js';
import { CLIENT_SCHEMA, checkOptions, ownOptions, TLS_SCHEMA } from './option-schema.js';
import { type ParsedUrl, parseUrl } from './url.js';

export interface SocketOptions extends TlsOptions {
  /** Name or address of the server. @default 'localhost' */
  host?: string;
  /** Port of the server. @default 6379 */
  port?: number | string;
  /** Path of a Unix socket, instead of host and port. */
  path?: string;
  /** IP version: 4 or 6, or 0 for both. @default 0 */
  family?: number;
  /** Address of this host to connect from. */
  localAddress?: string;
  /** `false` asks for plaintext. TLS options can be given here or in the client's `tls`. @default true */
  tls?: boolean;
  /**
   * Milliseconds to establish TCP and TLS; also those after which `connect()` gives up when it never was connected
   * and there is no `reconnectStrategy`. @default 5000, and 4500 to give up
   */
  connectTimeout?: number;
  /**
   * Milliseconds without a byte while replies are due, after which the connection counts as lost; 0 = never.
   * @default twice the command timeout
   */
  socketTimeout?: number;
  /** TCP_NODELAY. @default true */
  noDelay?: boolean;
  /** TCP keep-alive probes; a number is `keepAliveInitialDelay`. @default true */
  keepAlive?: boolean | number;
  /** Milliseconds of idleness before the first probe. @default 30000 */
  keepAliveInitialDelay?: number;
  /** Port of this host to connect from. */
  localPort?: number | string;
  /** Resolves names, in place of `dns.lookup`. */
  lookup?: LookupFunction;
  /** Flags of `dns.lookup`. */
  hints?: number;
  /** Try IPv4 and IPv6 addresses of a name in turn (RFC 8305). @default that of Node.js */
  autoSelectFamily?: boolean;
  /** Milliseconds for each address. @default that of Node.js */
  autoSelectFamilyAttemptTimeout?: number;
  /** Ends the connection when it fires; what is unanswered rejects. */
  signal?: AbortSignal;
  /**
   * Milliseconds to wait before the next attempt to connect, a function that returns them, or `false` not to reconnect.
   * With one, `connect()` waits for the server for as long as it takes.
   * @default exponential from 50 ms to 2 s with full jitter
   */
  reconnectStrategy?: false | number | ReconnectStrategy;
}

/** {@link ClientSideCacheConfig}, and whether every read is cached or only those that ask for it. */
export interface ClientSideCacheOptions extends ClientSideCacheConfig {
  /** Cache only calls made `withCommandOptions({ cache: { ttlMs } })` (CLIENT TRACKING OPTIN). @default false */
  byCall?: boolean;
}

export interface ClientOptions extends CommandPolicyOptions, CustomCommandOptions {
  /**
   * `redis[s]://[[user][:password]@]host[:port][/database]`; also `valkey://`, `valkeys://` and `unix://`.
   * @default the environment's REDIS_URL, else rediss://localhost:6379
   */
  url?: string;
  socket?: SocketOptions;
  /** TLS is on unless the URL says `redis://` or this is `false`. @default true */
  tls?: boolean | TlsOptions;
  /**
   * Plaintext to hosts other than this one: anyone on the network path can read passwords and data. Warns.
   * @default false
   */
  allowPlaintext?: boolean;
  /** ACL user to log in as. @default REDIS_USERNAME, if REDIS_URL names the server and the password comes from the environment too */
  username?: string | null;
  /** Its password. @default the file REDIS_PASSWORD_FILE, else REDIS_PASSWORD, if REDIS_URL names the server */
  password?: string | Secret | null;
  /** Takes precedence over `username` and `password`. */
  credentialsProvider?: CredentialsProvider;
  /** Name of the connection (CLIENT SETNAME). */
  name?: string;
  /** Number of the database (SELECT). @default 0 */
  database?: number;
  /** Is put before every key that is sent. */
  keyPrefix?: RedisArgument;
  /** Version of the protocol. @default 3, or 2 with a server that has no other */
  RESP?: RespVersion;
  /** Commands that may wait or be unanswered. @default 1000000 */
  commandsQueueMaxLength?: number;
  /** Bytes that these may hold. @default 134217728 (128 MiB) */
  maxQueueBytes?: number;
  /** Reject commands while the connection is down. By default they wait up to their timeout. @default false */
  disableOfflineQueue?: boolean;
  /** Sends READONLY after connecting to a replica of a cluster. @default false */
  readonly?: boolean;
  /** Milliseconds between PINGs; 0 = none. @default 0 */
  pingInterval?: number;
  /** How many times a command that may be repeated is sent again after lost connections. @default 3 */
  maxRetriesPerCommand?: number;
  /** Defaults of every command. */
  commandOptions?: CommandOptions;
  /** Bounds of what a server may answer. */
  replyLimits?: Partial<ReplyLimits>;
  /** Bounds what this client sends. @default none */
  rateLimit?: RateLimitOptions;
  /** Rejects commands at once after several failed in a row. @default none */
  circuitBreaker?: CircuitBreakerOptions;
  /** Send no library name and version. @default false */
  disableClientInfo?: boolean;
  /** Is added to the library name that the server shows. */
  clientInfoTag?: string;
  /** Keeps replies on the client until the server reports a change (RESP3, Redis 6.0). @default none */
  clientSideCache?: ClientSideCacheProvider | ClientSideCacheOptions;
  /**
   * Emits `invalidate` with each key that changed after this client read it; null for all. Not with `clientSideCache`.
   * @default false
   */
  emitInvalidate?: boolean;
  /** Enterprise maintenance pushes are not followed: they move a connection, with its password, to any address. */
  maintNotifications?: 'disabled' | 'enabled' | 'auto';
}

export interface ResolvedOptions {
  /** One for all connections of a pool, cluster or Sentinel client. */
  readonly rateLimit: RateLimit | undefined;
  readonly circuitBreaker: CircuitBreakerOptions | undefined;
  readonly connection: ConnectionOptions;
  readonly policy: CommandPolicy;
  readonly keyPrefix: RedisArgument | undefined;
  readonly commandOptions: CommandOptions;
  readonly pingInterval: number;
  readonly cache: { readonly provider: ClientSideCacheProvider; readonly byCall: boolean } | undefined;
  readonly emitInvalidate: boolean;
  /** Steps added to the handshake of each connection of the client. */
  readonly handshake?: readonly HandshakeStep[];
}

/** @throws InvalidOptionError naming the option and the fix */
export function resolveOptions(options: ClientOptions = {}, env: NodeJS.ProcessEnv = process.env): ResolvedOptions {
  checkOptions(options, CLIENT_SCHEMA);
  const given = ownOptions(options);
  const url =
    given.url ?? (given.socket?.host === undefined && given.socket?.path === undefined ? env.REDIS_URL : undefined);
  const fromUrl = url === undefined ? undefined : parseUrl(url, given.url === undefined ? 'REDIS_URL' : 'url');
  const socket = given.socket ?? {};
  const endpoint = resolveEndpoint(socket, fromUrl);
  const tls = resolveTls(given, socket, fromUrl, endpoint, env);
  if (tls === undefined) checkPlaintext(endpoint, given.allowPlaintext === true);
  const timeout =
    given.commandOptions !== undefined && 'timeout' in given.commandOptions
      ? (given.commandOptions.timeout ?? 0)
      : DEFAULTS.commandTimeout;
  checkContradictions(given, given.url === undefined ? undefined : fromUrl);
  const commandTimeout = timeout;
  return {
    connection: {
      endpoint,
      tls,
      connectTimeout: socket.connectTimeout ?? DEFAULTS.connectTimeout,
      handshakeTimeout: DEFAULTS.handshakeTimeout,
      commandTimeout,
      socketTimeout: socket.socketTimeout ?? commandTimeout * 2,
      noDelay: socket.noDelay ?? true,
      keepAlive: socket.keepAlive !== false,
      keepAliveInitialDelay:
        socket.keepAliveInitialDelay ??
        (typeof socket.keepAlive === 'number' ? socket.keepAlive : DEFAULTS.keepAliveInitialDelay),
      net: netOptions(socket),
      signal: socket.signal,
      credentials: resolveCredentials(given, fromUrl, given.url === undefined && fromUrl !== undefined ? env : {}),
      handshake: {
        resp: given.RESP ?? 3,
        name: given.name === '' ? undefined : given.name,
        database: given.database ?? fromUrl?.database ?? 0,
        replicaReads: given.readonly ?? false,
        clientInfo: given.disableClientInfo === true ? false : (given.clientInfoTag ?? ''),
      },
      replyLimits: { ...DEFAULT_REPLY_LIMITS, ...given.replyLimits },
      maxCommands: given.commandsQueueMaxLength ?? DEFAULTS.maxCommands,
      maxQueueBytes: given.maxQueueBytes ?? DEFAULTS.maxQueueBytes,
      offlineQueue: given.disableOfflineQueue !== true,
      maxRetries: given.maxRetriesPerCommand ?? DEFAULTS.maxRetries,
      reconnectStrategy: strategyOf(socket.reconnectStrategy),
      // With a custom reconnect strategy there is no startup limit.
      startupTimeout:
        socket.reconnectStrategy === undefined
          ? (socket.connectTimeout ?? DEFAULTS.startupTimeout)
          : Number.POSITIVE_INFINITY,
    },
    rateLimit: given.rateLimit === undefined ? undefined : new RateLimit(given.rateLimit),
    circuitBreaker: given.circuitBreaker,
    policy: new CommandPolicy(given),
    keyPrefix: given.keyPrefix === undefined || given.keyPrefix.length === 0 ? undefined : given.keyPrefix,
    commandOptions: given.commandOptions ?? {},
    pingInterval: given.pingInterval ?? 0,
    cache: resolveCache(given),
    emitInvalidate: given.emitInvalidate === true,
  };
}

/**
 * Options win over the URL, and the URL over REDIS_USERNAME with REDIS_PASSWORD_FILE or REDIS_PASSWORD. `env` is empty
 * unless REDIS_URL names the server: a password of the environment must not reach a host that an option names.
 */
function resolveCredentials(
  given: ClientOptions,
  url: ParsedUrl | undefined,
  env: NodeJS.ProcessEnv,
): ConnectionOptions['credentials'] {
  if (given.credentialsProvider !== undefined) return toCredentialsSource(given.credentialsProvider);
  const isGiven = [given.username, given.password, url?.username, url?.password].some((value) => value != null);
  if (!isGiven && env.REDIS_PASSWORD_FILE)
    return fromFile({ username: env.REDIS_USERNAME || undefined, password: env.REDIS_PASSWORD_FILE });
  if (!isGiven && env.REDIS_PASSWORD) return fromEnv({}, env);
  return fromValue(given.username ?? url?.username, given.password ?? url?.password);
}

/**
 * The cache of one client, or with `Cache` another kind of it, for the clients of a pool, cluster or sentinel to share.
 * @throws InvalidOptionError
 */
export function resolveCache(
  given: Pick<ClientOptions, 'clientSideCache' | 'emitInvalidate' | 'RESP'>,
  Cache: typeof BasicClientSideCache = BasicClientSideCache,
): ResolvedOptions['cache'] {
  const { clientSideCache: cache } = given;
  if (given.RESP === 2 && cache !== undefined)
    throw new InvalidOptionError('clientSideCache', 'Client Side Caching is only supported with RESP3');
  if (given.RESP === 2 && given.emitInvalidate)
    throw new InvalidOptionError('emitInvalidate', 'emitInvalidate is only supported with RESP3');
  if (cache === undefined) return undefined;
  if (given.emitInvalidate)
    throw new InvalidOptionError('emitInvalidate', 'is not needed with clientSideCache, whose provider emits the same');
  if (cache instanceof ClientSideCacheProvider) return { provider: cache, byCall: false };
  const { byCall = false, ...config } = cache;
  return { provider: new Cache(config), byCall };
}

/** Refuses options that contradict each other. `fromUrl` is that of the option `url`. */
function checkContradictions(given: ClientOptions, fromUrl: ParsedUrl | undefined): void {
  const { socket = {} } = given;
  const differs = (a: unknown, b: unknown) => a != null && b != null && a !== b;
  const fromEndpoint = fromUrl?.endpoint;
  const contradicted: readonly (readonly [option: string, boolean])[] = [
    ['username', differs(given.username, fromUrl?.username)],
    ['password', differs(given.password, fromUrl?.password)],
    ['database', differs(given.database, fromUrl?.database)],
    ['socket.host', fromEndpoint?.kind === 'tcp' && differs(socket.host, fromEndpoint.host)],
    ['socket.port', fromEndpoint?.kind === 'tcp' && differs(portOf(socket.port), fromEndpoint.port)],
    ['socket.path', fromEndpoint !== undefined && differs(socket.path, (fromEndpoint as { path?: string }).path ?? '')],
  ];
  for (const [option, contradicts] of contradicted)
    if (contradicts) throw new InvalidOptionError(option, 'contradicts the URL: leave one of them out');
  if (socket.path !== undefined && (socket.host !== undefined || socket.port !== undefined))
    throw new InvalidOptionError('socket.path', 'is given beside a host or port: a Unix socket has neither');
  if (given.disableClientInfo === true && given.clientInfoTag !== undefined)
    throw new InvalidOptionError('clientInfoTag', 'is given, yet disableClientInfo sends none');
}

function resolveEndpoint(socket: SocketOptions, fromUrl: ParsedUrl | undefined): Endpoint {
  if (socket.path !== undefined) return { kind: 'unix', path: socket.path };
  const base = fromUrl?.endpoint;
  if (base?.kind === 'unix' && socket.host === undefined) return base;
  const port = portOf(socket.port) ?? (base?.kind === 'tcp' ? base.port : 6379);
  const host = bareHost(socket.host ?? (base?.kind === 'tcp' ? base.host : 'localhost'));
  return {
    kind: 'tcp',
    host,
    port,
    family: socket.family ?? (base?.kind === 'tcp' ? base.family : undefined),
    localAddress: socket.localAddress,
  };
}

function resolveTls(
  given: ClientOptions,
  socket: SocketOptions,
  fromUrl: ParsedUrl | undefined,
  endpoint: Endpoint,
  env: NodeJS.ProcessEnv,
): TlsOptions | undefined {
  const options: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(TLS_SCHEMA)) {
    const value = (socket as Record<string, unknown>)[name];
    if (value !== undefined) options[name] = value;
  }
  if (typeof given.tls === 'object') Object.assign(options, given.tls);
  const asked = given.tls === undefined ? socket.tls : given.tls !== false;
  if (asked !== undefined && fromUrl?.tls !== undefined && given.url !== undefined && asked !== fromUrl.tls) {
    throw new InvalidOptionError('tls', `contradicts the scheme of the URL (${fromUrl.tls ? 'rediss' : 'redis'}://)`);
  }
  const environment = env.REDIS_TLS === undefined ? undefined : !/^(0|false|no|off|)$/i.test(env.REDIS_TLS);
  const byUrl = fromUrl?.tls === undefined ? undefined : fromUrl.tls;
  // REDIS_TLS=true wins over redis:// (turning encryption on is never wrong); REDIS_TLS=false over nothing but the default.
  // Who allows plaintext and says nothing of TLS, in a scheme or by an option, means plaintext.
  const means = given.allowPlaintext !== true || Object.keys(options).length > 0;
  const on =
    asked ??
    (byUrl === false && environment === true ? true : byUrl) ??
    environment ??
    (endpoint.kind === 'tcp' && means);
  if (!on) {
    if (Object.keys(options).length > 0)
      throw new InvalidOptionError('tls', 'TLS options are given, yet TLS is off: use rediss:// or leave them out');
    return undefined;
  }
  const tls: TlsOptions = options;
  if (tls.ca === undefined) tls.caFile ??= env.REDIS_TLS_CA_FILE || undefined;
  if (tls.cert === undefined) tls.certFile ??= env.REDIS_TLS_CERT_FILE || undefined;
  if (tls.key === undefined) tls.keyFile ??= env.REDIS_TLS_KEY_FILE || undefined;
  validateTls(tls);
  // Options can be printed, with the object that holds them.
  if (tls.key !== undefined) tls.key = Secret.from(String(revealed(tls.key)));
  if (tls.passphrase !== undefined) tls.passphrase = Secret.from(tls.passphrase);
  if (tls.dangerouslyAcceptAnyCertificate === true) {
    process.emitWarning(
      'A Redis connection accepts any certificate: anyone on the network path can read and change everything.',
      { code: 'REDKEEP_ANY_CERTIFICATE' },
    );
  }
  return tls;
}

let warnedPlaintext = false;

function checkPlaintext(endpoint: Endpoint, allowed: boolean): void {
  const local = endpoint.kind === 'unix' || isLoopback(endpoint.host);
  if (!local && !allowed) {
    throw new InvalidOptionError(
      'url',
      'plaintext to another host would send the password and all data readable; use rediss:// (with tls.caFile for a private CA), or set allowPlaintext: true if you trust every hop',
      'REDKEEP_PLAINTEXT_REFUSED',
    );
  }
  if (endpoint.kind === 'unix' || (local && warnedPlaintext)) return;
  warnedPlaintext = true;
  process.emitWarning(
    local
      ? 'A Redis connection to this host is not encrypted.'
      : 'A Redis connection to another host is not encrypted (allowPlaintext).',
    { code: 'REDKEEP_PLAINTEXT' },
  );
}

/** A port may be text, from the environment. */
const portOf = (port: number | string | undefined) => (port === undefined ? undefined : Number(port));

function netOptions(socket: SocketOptions): TransportOptions['net'] {
  const { localPort, lookup, hints, autoSelectFamily, autoSelectFamilyAttemptTimeout } = socket;
  const given = { localPort: portOf(localPort), lookup, hints, autoSelectFamily, autoSelectFamilyAttemptTimeout };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
