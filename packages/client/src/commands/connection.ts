/** Commands of the group "connection". https://redis.io/docs/latest/commands/?group=connection */
import type {
  BlobString,
  FieldsOf,
  Integer,
  RedisArgument,
  RespVersion,
  SetOf,
  SimpleString,
} from '../protocol/types.js';
import { list, type Variadic, word } from './arguments.js';
import { type ClientInfoReply, readClientInfo, readClientList } from './client-info.js';
import { Command, Flag, spec } from './command.js';
import type { ClientUnblockMode } from './constants.js';
import { record, resp2 } from './shapes.js';

export interface AuthOptions {
  username?: RedisArgument;
  password: RedisArgument;
}
const AUTH = spec('AUTH');
/** Authenticates this connection once more. Prefer `password` or `credentialsProvider`, which survive a reconnect. Redis 1.0.0. */
export const auth = ({ username, password }: AuthOptions) =>
  new Command<SimpleString<'OK'>>(AUTH, username === undefined ? [password] : [username, password]);

const CLIENT_CACHING = spec('CLIENT CACHING', { flags: Flag.CONNECTION });
/** With CLIENT TRACKING in opt-in or opt-out mode: whether the next command's keys are tracked. Redis 6.0.0. */
export const clientCaching = (value: boolean) =>
  new Command<SimpleString<'OK'>>(CLIENT_CACHING, [value ? 'YES' : 'NO']);

const CLIENT_GETNAME = spec('CLIENT GETNAME');
/** The connection's name, or null. Redis 2.6.9. */
export const clientGetName = () => new Command<BlobString | null>(CLIENT_GETNAME, []);

const CLIENT_GETREDIR = spec('CLIENT GETREDIR');
/** Id of the connection that gets this one's invalidations; -1 tracking is off, 0 no redirection. Redis 6.0.0. */
export const clientGetRedir = () => new Command<Integer>(CLIENT_GETREDIR, []);

const CLIENT_ID = spec('CLIENT ID');
/** The connection's id. Redis 5.0.0. */
export const clientId = () => new Command<Integer>(CLIENT_ID, []);

const CLIENT_INFO = spec('CLIENT INFO', { read: readClientInfo });
/** This connection. Redis 6.2.0. */
export const clientInfo = () => new Command<ClientInfoReply>(CLIENT_INFO, []);

export type ClientKillFilter =
  | { filter: 'ADDR'; address: `${string}:${number}` }
  | { filter: 'LADDR'; localAddress: `${string}:${number}` }
  | { filter: 'ID'; id: number | `${number}` }
  | { filter: 'TYPE'; type: 'normal' | 'master' | 'replica' | 'pubsub' }
  | { filter: 'USER'; username: string }
  | { filter: 'SKIPME'; skipMe: boolean }
  /** The same as `skipMe: true`. */
  | 'SKIPME'
  | { filter: 'MAXAGE'; maxAge: number };
function killFilter(filter: ClientKillFilter): unknown[] {
  if (filter === 'SKIPME') return ['SKIPME', 'yes'];
  switch (filter.filter) {
    case 'ADDR':
      return ['ADDR', filter.address];
    case 'LADDR':
      return ['LADDR', filter.localAddress];
    case 'ID':
      return ['ID', filter.id];
    case 'TYPE':
      return ['TYPE', filter.type];
    case 'USER':
      return ['USER', filter.username];
    case 'SKIPME':
      return ['SKIPME', filter.skipMe ? 'yes' : 'no'];
    default:
      return [word('CLIENT KILL', 'filter', filter.filter, ['MAXAGE']), filter.maxAge];
  }
}
const CLIENT_KILL = spec('CLIENT KILL');
/** Ends the connections that match all filters; resolves with how many. Refused by the guarded policy. Redis 2.8.12. */
export const clientKill = (filters: Variadic<ClientKillFilter>) =>
  new Command<Integer>(CLIENT_KILL, (list(filters) as ClientKillFilter[]).flatMap(killFilter));

export type ClientListFilter =
  | { TYPE: 'NORMAL' | 'MASTER' | 'REPLICA' | 'PUBSUB'; ID?: never }
  | { ID: readonly RedisArgument[]; TYPE?: never };
const CLIENT_LIST = spec('CLIENT LIST', { read: readClientList });
/** All connections, or those of a type or with these ids. Redis 2.4.0. */
export function clientList(filter?: ClientListFilter): Command<ClientInfoReply[]> {
  if (filter === undefined) return new Command(CLIENT_LIST, []);
  if (filter.TYPE === undefined) return new Command(CLIENT_LIST, ['ID', ...filter.ID]);
  return new Command(CLIENT_LIST, [
    'TYPE',
    word('CLIENT LIST', 'TYPE', filter.TYPE, ['NORMAL', 'MASTER', 'REPLICA', 'PUBSUB']),
  ]);
}

const onOff = (value: boolean): string => (value ? 'ON' : 'OFF');
const CLIENT_NO_EVICT = spec('CLIENT NO-EVICT', { flags: Flag.CONNECTION });
/** Keeps this connection when clients use too much memory. Refused by the guarded policy. Redis 7.0.0. */
export const clientNoEvict = (value: boolean) => new Command<SimpleString<'OK'>>(CLIENT_NO_EVICT, [onOff(value)]);

const CLIENT_NO_TOUCH = spec('CLIENT NO-TOUCH', { flags: Flag.CONNECTION });
/** Whether this connection's reads leave the keys' LRU and LFU alone. Redis 7.2.0. */
export const clientNoTouch = (value: boolean) => new Command<SimpleString<'OK'>>(CLIENT_NO_TOUCH, [onOff(value)]);

const CLIENT_PAUSE = spec('CLIENT PAUSE');
/** Holds up all clients (or their writes) for `timeout` ms. Refused by the guarded policy. Redis 3.0.0. */
export const clientPause = (timeout: number, mode?: 'WRITE' | 'ALL') =>
  new Command<SimpleString<'OK'>>(
    CLIENT_PAUSE,
    mode === undefined ? [timeout] : [timeout, word('CLIENT PAUSE', 'mode', mode, ['WRITE', 'ALL'])],
  );

const CLIENT_SETNAME = spec('CLIENT SETNAME');
/** Names the connection. Redis 2.6.9. */
export const clientSetName = (name: RedisArgument) => new Command<SimpleString<'OK'>>(CLIENT_SETNAME, [name]);

const CLIENT_SETINFO = spec('CLIENT SETINFO', { flags: Flag.CONNECTION });
/** Tells the server which library this is; the client does by itself. Redis 7.2.0. */
export const clientSetInfo = (attribute: 'LIB-NAME' | 'LIB-VER', value: RedisArgument) =>
  new Command<SimpleString<'OK'>>(CLIENT_SETINFO, [
    word('CLIENT SETINFO', 'attribute', attribute, ['LIB-NAME', 'LIB-VER']),
    value,
  ]);

const CLIENT_CAPA = spec('CLIENT CAPA', { flags: Flag.CONNECTION });
/** Claims what this connection understands (`redirect`). Valkey 8.0. */
export const clientCapa = (capabilities: Variadic) => new Command<SimpleString<'OK'>>(CLIENT_CAPA, list(capabilities));

const CLIENT_IMPORT_SOURCE = spec('CLIENT IMPORT-SOURCE', { flags: Flag.CONNECTION });
/** Whether this connection brings the data of an import. Valkey 8.1. */
export const clientImportSource = (value: boolean) =>
  new Command<SimpleString<'OK'>>(CLIENT_IMPORT_SOURCE, [onOff(value)]);

export interface ClientTrackingOptions {
  /** Id of the connection that gets the invalidations. */
  REDIRECT?: number;
  /** None for keys that this connection changed. */
  NOLOOP?: boolean;
  /** Every change of keys with these prefixes, whether read or not. Excludes OPTIN and OPTOUT. */
  BCAST?: boolean;
  PREFIX?: Variadic;
  OPTIN?: boolean;
  OPTOUT?: boolean;
}
const CLIENT_TRACKING = spec('CLIENT TRACKING', { flags: Flag.CONNECTION });
/** Invalidation messages for keys that this connection reads. Redis 6.0.0. */
export function clientTracking(mode: boolean, options?: ClientTrackingOptions): Command<SimpleString<'OK'>> {
  const args: unknown[] = [onOff(mode)];
  if (mode && options !== undefined) {
    if (options.REDIRECT !== undefined) args.push('REDIRECT', options.REDIRECT);
    if (options.BCAST) {
      args.push('BCAST');
      if (options.PREFIX !== undefined) for (const prefix of list(options.PREFIX)) args.push('PREFIX', prefix);
    } else if (options.OPTIN) args.push('OPTIN');
    else if (options.OPTOUT) args.push('OPTOUT');
    if (options.NOLOOP) args.push('NOLOOP');
  }
  return new Command(CLIENT_TRACKING, args);
}

export type ClientTrackingInfo = FieldsOf<{ flags: SetOf<BlobString>; redirect: Integer; prefixes: BlobString[] }>;
const CLIENT_TRACKINGINFO = spec('CLIENT TRACKINGINFO', { read: resp2(record()) });
/** How this connection's tracking is set. Redis 6.2.0. */
export const clientTrackingInfo = () => new Command<ClientTrackingInfo>(CLIENT_TRACKINGINFO, []);

const CLIENT_UNBLOCK = spec('CLIENT UNBLOCK');
/** Ends another connection's blocking command, as if it timed out or with an error; 1 if done. Redis 5.0.0. */
export const clientUnblock = (id: number | `${number}`, mode?: ClientUnblockMode) =>
  new Command<Integer>(
    CLIENT_UNBLOCK,
    mode === undefined ? [id] : [id, word('CLIENT UNBLOCK', 'mode', mode, ['TIMEOUT', 'ERROR'])],
  );

const CLIENT_UNPAUSE = spec('CLIENT UNPAUSE');
/** Ends CLIENT PAUSE. Redis 6.2.0. */
export const clientUnpause = () => new Command<SimpleString<'OK'>>(CLIENT_UNPAUSE, []);

const ECHO = spec('ECHO');
/** Returns the message. Redis 1.0.0. */
export const echo = (message: RedisArgument) => new Command<BlobString>(ECHO, [message]);

export interface HelloOptions {
  AUTH?: { username: RedisArgument; password: RedisArgument };
  SETNAME?: string;
}
export type HelloReply = FieldsOf<{
  server: BlobString;
  version: BlobString;
  proto: Integer<RespVersion>;
  id: Integer;
  mode: BlobString;
  role: BlobString;
  modules: unknown[];
}>;
const HELLO = spec('HELLO', {
  // The answer comes in the protocol that was asked for, whichever this connection spoke before.
  read: (reply, _, mapping) => (Array.isArray(reply) ? record()(reply, mapping) : reply),
});
/** What the server is. The protocol is chosen by the option `RESP`, not here: see `createClient`. Redis 6.0.0. */
export function hello(protover?: RespVersion, options?: HelloOptions): Command<HelloReply> {
  const args: unknown[] = [];
  if (protover !== undefined) {
    args.push(protover);
    if (options?.AUTH !== undefined) args.push('AUTH', options.AUTH.username, options.AUTH.password);
    if (options?.SETNAME !== undefined) args.push('SETNAME', options.SETNAME);
  }
  return new Command(HELLO, args);
}

/** A subscribed RESP2 connection answers `[pong, message]`. */
const PING = spec('PING', {
  read: {
    2: (reply: unknown, preserve: boolean) =>
      Array.isArray(reply) ? (preserve ? String(reply[1]) : String(reply[0]).toUpperCase()) : reply,
  },
});
/** `PONG`, or the message. Redis 1.0.0. */
export const ping = (message?: RedisArgument) =>
  new Command<SimpleString | BlobString>(PING, message === undefined ? [] : [message], message !== undefined);

export const aliases = {
  clientCaching: 'CLIENT_CACHING',
  clientCapa: 'CLIENT_CAPA',
  clientImportSource: 'CLIENT_IMPORT-SOURCE',
  clientSetInfo: 'CLIENT_SETINFO',
  clientGetName: 'CLIENT_GETNAME',
  clientGetRedir: 'CLIENT_GETREDIR',
  clientId: 'CLIENT_ID',
  clientInfo: 'CLIENT_INFO',
  clientKill: 'CLIENT_KILL',
  clientList: 'CLIENT_LIST',
  clientNoEvict: 'CLIENT_NO-EVICT',
  clientNoTouch: 'CLIENT_NO-TOUCH',
  clientPause: 'CLIENT_PAUSE',
  clientSetName: 'CLIENT_SETNAME',
  clientTracking: 'CLIENT_TRACKING',
  clientTrackingInfo: 'CLIENT_TRACKINGINFO',
  clientUnblock: 'CLIENT_UNBLOCK',
  clientUnpause: 'CLIENT_UNPAUSE',
} as const;
