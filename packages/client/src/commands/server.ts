/** Commands of the group "server" that have no container. https://redis.io/docs/latest/commands/?group=server */
import type { BlobString, Integer, RedisArgument, SimpleString, Verbatim } from '../protocol/types.js';
import { flushMode, word } from './arguments.js';
import { Command, Flag, spec } from './command.js';
import type { RedisFlushMode } from './constants.js';

const BGREWRITEAOF = spec('BGREWRITEAOF');
/** Starts to rewrite the append-only file. Refused by the guarded policy. Redis 1.0.0. */
export const bgRewriteAof = () => new Command<SimpleString>(BGREWRITEAOF, []);

export interface BgSaveOptions {
  /** While the append-only file is rewritten: save afterwards instead of failing. Redis 3.2.2. */
  SCHEDULE?: boolean;
}
const BGSAVE = spec('BGSAVE');
/** Starts to save a snapshot. Refused by the guarded policy. Redis 1.0.0. */
export const bgSave = (options?: BgSaveOptions) =>
  new Command<SimpleString>(BGSAVE, options?.SCHEDULE ? ['SCHEDULE'] : []);

const DBSIZE = spec('DBSIZE');
/** How many keys the database has. Redis 1.0.0. */
export const dbSize = () => new Command<Integer>(DBSIZE, []);

export interface FailoverOptions {
  /** The replica to promote; `FORCE` (with TIMEOUT): also when it does not catch up. */
  TO?: { host: string; port: number; FORCE?: true };
  /** End the failover that is under way. */
  ABORT?: true;
  /** Milliseconds to wait for the replica. */
  TIMEOUT?: number;
}
const FAILOVER = spec('FAILOVER');
/** Hands the primary's part to a replica. Refused by the guarded policy. Redis 6.2.0. */
export function failover(options?: FailoverOptions): Command<SimpleString> {
  const args: unknown[] = [];
  if (options?.TO !== undefined) {
    args.push('TO', options.TO.host, options.TO.port);
    if (options.TO.FORCE) args.push('FORCE');
  }
  if (options?.ABORT) args.push('ABORT');
  if (options?.TIMEOUT !== undefined) args.push('TIMEOUT', options.TIMEOUT);
  return new Command(FAILOVER, args);
}

const FLUSHALL = spec('FLUSHALL');
/** Deletes every key of every database. Refused by the guarded policy. Redis 1.0.0. */
export const flushAll = (mode?: RedisFlushMode) => new Command<SimpleString>(FLUSHALL, flushMode('FLUSHALL', mode));

const FLUSHDB = spec('FLUSHDB');
/** Deletes every key of this database. Refused by the guarded policy. Redis 1.0.0. */
export const flushDb = (mode?: RedisFlushMode) => new Command<SimpleString>(FLUSHDB, flushMode('FLUSHDB', mode));

const INFO = spec('INFO');
/** What the server says of itself, or of one section, as lines `name:value`. Redis 1.0.0. */
export const info = (section?: RedisArgument) => new Command<Verbatim>(INFO, section === undefined ? [] : [section]);

const LASTSAVE = spec('LASTSAVE');
/** Unix time, in seconds, of the last save that worked. Redis 1.0.0. */
export const lastSave = () => new Command<Integer>(LASTSAVE, []);

const LOLWUT = spec('LOLWUT');
/** A piece of art and the version. Redis 5.0.0. */
export const lolwut = (version?: number, ...parameters: number[]) =>
  new Command<BlobString>(LOLWUT, version === undefined ? [] : ['VERSION', version, ...parameters]);

const REPLICAOF = spec('REPLICAOF');
/** Makes the server a replica; `NO`, `ONE` makes it a primary. Refused by the guarded policy. Redis 5.0.0. */
export const replicaOf = (host: string, port: number | 'ONE') => new Command<SimpleString>(REPLICAOF, [host, port]);

const RESTORE_ASKING = spec('RESTORE-ASKING');
/** Internal to cluster resharding. Refused by the guarded policy. Redis 3.0.0. */
export const restoreAsking = (...args: RedisArgument[]) => new Command<SimpleString>(RESTORE_ASKING, args);

export interface ReplicaState {
  host: BlobString;
  port: number;
  /** Bytes that the replica has confirmed. Spelt as in node-redis. */
  replicationOffest: number;
}
export type RoleReply =
  | { role: BlobString<'master'>; replicationOffest: Integer; replicas: ReplicaState[] }
  | {
      role: BlobString<'slave'>;
      master: { host: BlobString; port: Integer };
      state: BlobString<'connect' | 'connecting' | 'sync' | 'connected'>;
      dataReceived: Integer;
    }
  | { role: BlobString<'sentinel'>; masterNames: BlobString[] };

type Text = string | Buffer;
function readRole(reply: [Text, ...unknown[]]): unknown {
  const [role] = reply;
  switch (String(role)) {
    case 'master': {
      const replicas = reply[2] as [Text, Text, Text][];
      return {
        role,
        replicationOffest: reply[1],
        replicas: replicas.map(([host, port, offset]) => ({
          host,
          port: Number(port),
          replicationOffest: Number(offset),
        })),
      };
    }
    case 'slave':
      return { role, master: { host: reply[1], port: reply[2] }, state: reply[3], dataReceived: reply[4] };
    case 'sentinel':
      return { role, masterNames: reply[1] };
    default:
      return reply;
  }
}
const ROLE = spec('ROLE', { read: readRole });
/** Primary, replica or sentinel, and the state of replication. Redis 2.8.12. */
export const role = () => new Command<RoleReply>(ROLE, []);

const SAVE = spec('SAVE');
/** Saves a snapshot; the server answers nobody meanwhile. Refused by the guarded policy. Redis 1.0.0. */
export const save = () => new Command<SimpleString>(SAVE, []);

export interface ShutdownOptions {
  mode?: 'NOSAVE' | 'SAVE';
  /** Do not wait for replicas. Redis 7.0.0. */
  NOW?: boolean;
  /** Also when saving fails. Redis 7.0.0. */
  FORCE?: boolean;
  /** End the shutdown that is under way. Redis 7.0.0. */
  ABORT?: boolean;
}
const SHUTDOWN = spec('SHUTDOWN');
/** Stops the server; no answer comes, the connection ends. Refused by the guarded policy. Redis 1.0.0. */
export function shutdown(options?: ShutdownOptions): Command<SimpleString> {
  const args: unknown[] = [];
  if (options?.mode !== undefined) args.push(word('SHUTDOWN', 'mode', options.mode, ['NOSAVE', 'SAVE']));
  if (options?.NOW) args.push('NOW');
  if (options?.FORCE) args.push('FORCE');
  if (options?.ABORT) args.push('ABORT');
  return new Command(SHUTDOWN, args);
}

const SWAPDB = spec('SWAPDB');
/** Exchanges two databases for all clients. Refused by the guarded policy. Redis 4.0.0. */
export const swapDb = (index1: number, index2: number) => new Command<SimpleString<'OK'>>(SWAPDB, [index1, index2]);

const TIME = spec('TIME');
/** The server's clock: Unix seconds and microseconds, as text. Redis 2.6.0. */
export const time = () =>
  new Command<[unixTimestamp: BlobString<`${number}`>, microseconds: BlobString<`${number}`>]>(TIME, []);

const READONLY = spec('READONLY', { flags: Flag.CONNECTION });
/** Lets this connection read from a cluster replica. `createCluster` does it for its own. Redis 3.0.0. */
export const readonly = () => new Command<SimpleString>(READONLY, []);

const READWRITE = spec('READWRITE', { flags: Flag.CONNECTION });
/** Ends READONLY. Redis 3.0.0. */
export const readwrite = () => new Command<SimpleString>(READWRITE, []);

export const aliases = { restoreAsking: 'RESTORE-ASKING' } as const;
