/**
 * ioredis's constructor forms and options, as Redkeep's. {@link OPTIONS} lists every option, with what
 * becomes of it; docs/migrating-from-ioredis.md is tested against that table.
 */

import type { Secret } from '../credentials/secret.js';
import { InvalidOptionError } from '../errors.js';
import type { ClientOptions } from '../options/options.js';
import { parseUrl } from '../options/url.js';
import type { TlsOptions } from '../security/tls-policy.js';
import type { ScriptDefinition } from './commander.js';

/** Milliseconds until the next attempt; anything but a number ends the client. `times` counts from 1. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing at times are given
export type RetryStrategy = (times: number) => number | undefined | null | void;
// biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing at times are given
export type ReconnectOnError = (error: Error) => boolean | 1 | 2 | 0 | null | undefined | void;
export type NatMap =
  | { readonly [address: string]: { host: string; port: number } }
  | ((address: string) => { host: string; port: number } | null | undefined);

export interface SentinelAddress {
  host: string;
  port: number;
  family?: number;
}
interface ReplicaAddress {
  ip: string;
  port: string;
  prio?: number | undefined;
}
export type PreferredSlaves =
  | ((replicas: ReplicaAddress[]) => ReplicaAddress | null | undefined)
  | ReplicaAddress
  | ReplicaAddress[];

/** Options that ioredis does not have: Redkeep's own, under their own names. */
type RedkeepOptions = Pick<
  ClientOptions,
  | 'allowPlaintext'
  | 'allowCommands'
  | 'circuitBreaker'
  | 'commandPolicy'
  | 'commandsQueueMaxLength'
  | 'credentialsProvider'
  | 'denyCommands'
  | 'maxQueueBytes'
  | 'maxRetriesPerCommand'
  | 'maxScripts'
  | 'pingInterval'
  | 'rateLimit'
  | 'readOnlyCommands'
  | 'replyLimits'
  | 'validateCommand'
>;

export interface CommonRedisOptions extends RedkeepOptions {
  /** Default: 50 ms doubled each time, at most 5 s, plus up to 200 ms. */
  retryStrategy?: RetryStrategy | null | undefined;
  /** Attempts to reconnect that a command waits for; default 20. `null`: for ever, and without a deadline. */
  maxRetriesPerRequest?: number | null | undefined;
  reconnectOnError?: ReconnectOnError | null | undefined;
  /** Milliseconds from call to answer; default 5000 (ioredis: none). 0 = none. */
  commandTimeout?: number | undefined;
  blockingTimeout?: number | undefined;
  blockingTimeoutGrace?: number | undefined;
  /** Milliseconds without a byte while answers are due. */
  socketTimeout?: number | undefined;
  connectTimeout?: number | undefined;
  disconnectTimeout?: number | undefined;
  /** Milliseconds until the first TCP keep-alive probe; default 30 000. */
  keepAlive?: number | undefined;
  noDelay?: boolean | undefined;
  connectionName?: string | null | undefined;
  disableClientInfo?: boolean | undefined;
  clientInfoTag?: string | undefined;
  username?: string | null | undefined;
  password?: string | Secret | null | undefined;
  db?: number | undefined;
  autoResubscribe?: boolean | undefined;
  /** Reads are sent again after a lost connection. Writes are not: see {@link idempotentCommands}. */
  autoResendUnfulfilledCommands?: boolean | undefined;
  /**
   * Commands, and scripts of `defineCommand`, that may run twice without harm: they are sent again when a connection
   * broke before their answer, as ioredis does with all commands. A name that ends in `*` stands for all that begin so.
   */
  idempotentCommands?: readonly string[] | undefined;
  /** `error.command.args` has the arguments, as in ioredis: they may be secrets, and errors are logged. Default: masked. */
  argumentsInErrors?: boolean | undefined;
  readOnly?: boolean | undefined;
  stringNumbers?: boolean | undefined;
  protocol?: 2 | 3 | undefined;
  /** Shape of maps and doubles: RESP2's (`legacy`, default) or objects and numbers. */
  replyMapping?: 'legacy' | 'resp3' | undefined;
  keyPrefix?: string | Buffer | undefined;
  /** Errors show where the command was called. Costs a stack trace a command. */
  showFriendlyErrorStack?: boolean | undefined;
  enableOfflineQueue?: boolean | undefined;
  enableReadyCheck?: boolean | undefined;
  maxLoadingRetryTime?: number | undefined;
  lazyConnect?: boolean | undefined;
  scripts?: Record<string, ScriptDefinition> | undefined;
  enableAutoPipelining?: boolean | undefined;
  autoPipeliningIgnoredCommands?: string[] | undefined;
  /** @ignore for `monitor()` */
  monitor?: boolean | undefined;
  /** TLS. Default: plaintext, which is refused beyond this host unless `allowPlaintext` is set. */
  tls?: TlsOptions | boolean | undefined;
}

export interface StandaloneConnectionOptions {
  host?: string | undefined;
  port?: number | undefined;
  /** Unix socket. */
  path?: string | undefined;
  family?: number | undefined;
}

export interface SentinelConnectionOptions {
  sentinels?: Partial<SentinelAddress>[] | null | undefined;
  /** Under which the sentinels monitor the primary. */
  name?: string | null | undefined;
  role?: 'master' | 'slave' | undefined;
  sentinelUsername?: string | null | undefined;
  sentinelPassword?: string | Secret | null | undefined;
  sentinelTLS?: TlsOptions | undefined;
  enableTLSForSentinelMode?: boolean | undefined;
  /** Milliseconds until the sentinels are asked again when none answered; anything but a number ends the client. */
  sentinelRetryStrategy?: RetryStrategy | null | undefined;
  sentinelReconnectStrategy?: RetryStrategy | null | undefined;
  sentinelCommandTimeout?: number | undefined;
  sentinelMaxConnections?: number | undefined;
  preferredSlaves?: PreferredSlaves | null | undefined;
  updateSentinels?: boolean | undefined;
  failoverDetector?: boolean | undefined;
  natMap?: NatMap | null | undefined;
}

export interface RedisOptions extends CommonRedisOptions, StandaloneConnectionOptions, SentinelConnectionOptions {}

/** What becomes of an option. */
export type OptionEffect =
  /** As in ioredis. */
  | 'acts'
  /** Does something else, or has another default. */
  | 'differs'
  /** Changes nothing, because Redkeep always or never does that; a process warning says so. */
  | 'ignored'
  /** Throws. */
  | 'refused'
  /** Redkeep's own. */
  | 'own';

export const OPTIONS: Readonly<Record<string, OptionEffect>> = {
  host: 'acts',
  port: 'acts',
  path: 'acts',
  family: 'acts',
  username: 'acts',
  password: 'acts',
  db: 'acts',
  connectionName: 'acts',
  disableClientInfo: 'acts',
  clientInfoTag: 'acts',
  keepAlive: 'acts',
  noDelay: 'acts',
  connectTimeout: 'acts',
  socketTimeout: 'acts',
  commandTimeout: 'differs',
  retryStrategy: 'acts',
  maxRetriesPerRequest: 'acts',
  reconnectOnError: 'acts',
  enableOfflineQueue: 'acts',
  enableReadyCheck: 'acts',
  maxLoadingRetryTime: 'acts',
  lazyConnect: 'acts',
  autoResubscribe: 'acts',
  autoResendUnfulfilledCommands: 'differs',
  readOnly: 'acts',
  stringNumbers: 'acts',
  protocol: 'acts',
  replyMapping: 'acts',
  keyPrefix: 'acts',
  showFriendlyErrorStack: 'acts',
  scripts: 'acts',
  monitor: 'acts',
  tls: 'differs',
  enableAutoPipelining: 'acts',
  autoPipeliningIgnoredCommands: 'ignored',
  blockingTimeout: 'acts',
  blockingTimeoutGrace: 'acts',
  disconnectTimeout: 'ignored',
  Connector: 'refused',
  himportFieldsets: 'refused',
  sentinels: 'acts',
  name: 'acts',
  role: 'acts',
  sentinelUsername: 'acts',
  sentinelPassword: 'acts',
  sentinelTLS: 'acts',
  enableTLSForSentinelMode: 'differs',
  natMap: 'acts',
  preferredSlaves: 'acts',
  sentinelRetryStrategy: 'acts',
  sentinelReconnectStrategy: 'ignored',
  sentinelCommandTimeout: 'ignored',
  sentinelMaxConnections: 'ignored',
  updateSentinels: 'ignored',
  failoverDetector: 'ignored',
  argumentsInErrors: 'own',
  idempotentCommands: 'own',
  allowPlaintext: 'own',
  allowCommands: 'own',
  circuitBreaker: 'own',
  commandPolicy: 'own',
  commandsQueueMaxLength: 'own',
  credentialsProvider: 'own',
  denyCommands: 'own',
  maxQueueBytes: 'own',
  maxRetriesPerCommand: 'own',
  maxScripts: 'own',
  pingInterval: 'own',
  rateLimit: 'own',
  readOnlyCommands: 'own',
  replyLimits: 'own',
  validateCommand: 'own',
};

const WHY_REFUSED: Readonly<Record<string, string>> = {
  useSRVRecords: 'give the nodes; a DNS answer alone would decide where passwords go',
  Connector: 'a socket made elsewhere would escape the TLS policy; use host, port, path or sentinels',
  himportFieldsets: 'managed field sets are not kept; use hset, or himport on a connection of its own',
};

/** Passed on under their own names. */
const OF_THE_SHAPE = ['argumentsInErrors', 'idempotentCommands'];
const OWN = Object.keys(OPTIONS).filter((name) => OPTIONS[name] === 'own' && !OF_THE_SHAPE.includes(name));

const warned = new Set<string>();
function warnOnce(option: string, text: string): void {
  if (warned.has(option)) return;
  warned.add(option);
  process.emitWarning(`${option}: ${text}`, { code: 'REDKEEP_IOREDIS_OPTION' });
}

export const DEFAULT_OPTIONS = {
  port: 6379,
  host: 'localhost',
  family: 0,
  connectTimeout: 10_000,
  retryStrategy: (times: number) => Math.min(2 ** (times - 1) * 50, 5000) + Math.floor(Math.random() * 200),
  keepAlive: 30_000,
  noDelay: true,
  db: 0,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  autoResubscribe: true,
  autoResendUnfulfilledCommands: true,
  lazyConnect: false,
  keyPrefix: '',
  reconnectOnError: null,
  readOnly: false,
  stringNumbers: false,
  protocol: 3,
  replyMapping: 'legacy',
  maxRetriesPerRequest: 20,
  maxLoadingRetryTime: 10_000,
  enableAutoPipelining: false,
  role: 'master',
  sentinelRetryStrategy: (times: number) => Math.min(times * 10, 1000),
  blockingTimeoutGrace: 100,
} as const satisfies RedisOptions;

/** What a client was created with, every form of constructor taken apart, defaults filled in. Earlier arguments win. */
export type GivenOptions = RedisOptions & typeof DEFAULT_OPTIONS_SHAPE;
declare const DEFAULT_OPTIONS_SHAPE: {
  maxRetriesPerRequest: number | null;
  retryStrategy: RetryStrategy | null | undefined;
  lazyConnect: boolean;
  enableReadyCheck: boolean;
  maxLoadingRetryTime: number;
  keyPrefix: string | Buffer;
  db: number;
};

/** @throws InvalidOptionError */
export function readArguments(args: readonly unknown[]): GivenOptions {
  const options: Record<string, unknown> = {};
  const fill = (more: object) => {
    for (const [name, value] of Object.entries(more)) if (options[name] === undefined) options[name] = value;
  };
  for (const arg of args) {
    if (arg === null || arg === undefined) continue;
    if (typeof arg === 'object') fill(arg);
    else if (typeof arg === 'number') fill({ port: arg });
    else if (typeof arg === 'string') fill(readText(arg));
    else throw new InvalidOptionError('options', `must be an object, a port or a URL, not a ${typeof arg}`);
  }
  if (typeof options.url === 'string') {
    const { url, ...rest } = options;
    return readArguments([url, rest]);
  }
  // `undefined` and `null` fall back to the defaults, except where null has a meaning.
  fill(DEFAULT_OPTIONS);
  for (const name of ['port', 'db'])
    if (typeof options[name] === 'string') options[name] = Number.parseInt(options[name], 10);
  return options as unknown as GivenOptions;
}

/** `redis[s]://…`, `host:port`, a port, or the path of a Unix socket. */
function readText(text: string): RedisOptions {
  if (/^\d+$/.test(text)) return { port: Number(text) };
  if (text.startsWith('/') && !text.startsWith('//')) {
    const [path, query] = text.split('?', 2);
    if (query !== undefined)
      throw new InvalidOptionError('path', 'has a query; options are not read from addresses: give them as an object');
    return { path: path! };
  }
  const { endpoint, tls, username, password, database } = parseUrl(text.startsWith('//') ? `redis:${text}` : text);
  return {
    ...(endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port }),
    ...(tls === true ? { tls: true } : {}),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { db: database }),
  };
}

/** Refuses what cannot be, and warns of what changes nothing. */
export function judgeOptions(given: object, table: Readonly<Record<string, OptionEffect>> = OPTIONS): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    const effect = table[name];
    if (effect === undefined) warnOnce(name, 'is not an option of Redis clients and changes nothing');
    else if (effect === 'refused') throw new InvalidOptionError(name, WHY_REFUSED[name] ?? 'is refused');
    else if (effect === 'ignored') warnOnce(name, 'changes nothing here; see docs/migrating-from-ioredis.md');
  }
  const { replyMapping, protocol } = given as RedisOptions;
  if (replyMapping === 'resp3' && protocol === 2)
    throw new InvalidOptionError('replyMapping', 'The "resp3" replyMapping is only supported with protocol 3');
}

/** setTimeout's largest delay: no limit. */
const FOREVER = 2 ** 31 - 1;
const DEFAULT_COMMAND_TIMEOUT = 5000;

/** Milliseconds a command may take. Where commands wait for ever for a connection, they have no deadline. */
export function commandTimeoutOf({ commandTimeout, maxRetriesPerRequest }: RedisOptions): number {
  return commandTimeout ?? (maxRetriesPerRequest === null ? 0 : DEFAULT_COMMAND_TIMEOUT);
}

const text = (value: string | null | undefined): string | undefined => value || undefined;

function encryption(given: RedisOptions, host: string | undefined): Pick<ClientOptions, 'tls'> {
  const { tls } = given;
  if (typeof tls === 'string' || typeof (tls as { profile?: unknown } | undefined)?.profile === 'string')
    throw new InvalidOptionError('tls', 'has a profile; give the CA of your provider: tls: { caFile } or tls: { ca }');
  if (tls !== undefined && tls !== null && tls !== false) return { tls: tls === true ? true : withoutUndefined(tls) };
  // REDIS_TLS=true may turn encryption on; nothing but `tls` turns it off where it is on.
  const asked = process.env.REDIS_TLS;
  const on = asked !== undefined && !/^(0|false|no|off|)$/i.test(asked);
  return on && host !== undefined ? {} : { tls: false };
}

export function withoutUndefined<O extends object>(options: O): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O;
}

/**
 * Options of one connection, the address left out.
 * @throws InvalidOptionError
 */
export function connectionOptions(given: RedisOptions, host: string | undefined): ClientOptions {
  const own: Record<string, unknown> = {};
  for (const name of OWN) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined) own[name] = value;
  }
  const { keepAlive, connectTimeout, socketTimeout, family, keyPrefix } = given;
  return withoutUndefined<ClientOptions>({
    ...own,
    ...encryption(given, host),
    socket: withoutUndefined({
      family: family === 0 || family === null ? undefined : family,
      noDelay: given.noDelay ?? undefined,
      keepAlive: typeof keepAlive === 'number',
      keepAliveInitialDelay: typeof keepAlive === 'number' ? keepAlive : undefined,
      connectTimeout: connectTimeout === 0 ? FOREVER : (connectTimeout ?? undefined),
      socketTimeout: socketTimeout ?? undefined,
    }),
    username: text(given.username),
    password: (given.password as string | Secret | null) || undefined,
    name: text(given.connectionName),
    database: given.db ?? 0,
    RESP: given.protocol ?? 3,
    readonly: given.readOnly === true,
    disableOfflineQueue: given.enableOfflineQueue === false,
    disableClientInfo: given.disableClientInfo === true,
    clientInfoTag: given.disableClientInfo === true ? undefined : given.clientInfoTag,
    keyPrefix: keyPrefix === undefined || keyPrefix === null || keyPrefix.length === 0 ? undefined : keyPrefix,
    commandOptions: { timeout: commandTimeoutOf(given) },
  });
}

/** Options of a client for one server. @throws InvalidOptionError */
export function standaloneOptions(given: GivenOptions): ClientOptions {
  const { path, port = 6379 } = given;
  // As for Node's sockets: an empty name is this host.
  const host = given.host || 'localhost';
  const unix = typeof path === 'string' && path !== '';
  const options = connectionOptions(given, unix ? undefined : host);
  return {
    ...options,
    socket: { ...options.socket, ...(unix ? { path } : { host, port }) },
  };
}
