/** Access control lists. https://redis.io/docs/latest/commands/?group=server, ACL */
import type { BlobString, Double, FieldsOf, Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, type Variadic } from './arguments.js';
import { Command, spec } from './command.js';
import { doubleShape, listOf, nullable, record, resp2 } from './shapes.js';

const ACL_CAT = spec('ACL CAT');
/** The command categories, or the commands of one. Redis 6.0.0. */
export const aclCat = (category?: RedisArgument) =>
  new Command<BlobString[]>(ACL_CAT, category === undefined ? [] : [category]);

const ACL_DELUSER = spec('ACL DELUSER');
/** Deletes users and ends their connections; resolves with how many there were. Redis 6.0.0. */
export const aclDelUser = (usernames: Variadic) => new Command<Integer>(ACL_DELUSER, list(usernames));

const ACL_DRYRUN = spec('ACL DRYRUN');
/** `OK` if the user may run the command, else the reason why not. Nothing is run. Redis 7.0.0. */
export const aclDryRun = (username: RedisArgument, command: readonly RedisArgument[]) =>
  new Command<SimpleString<'OK'> | BlobString>(ACL_DRYRUN, [username, ...command]);

const ACL_GENPASS = spec('ACL GENPASS');
/** A random password as hexadecimal digits, of `bits` bits (1 to 4096, default 256). Redis 6.0.0. */
export const aclGenPass = (bits?: number) => new Command<BlobString>(ACL_GENPASS, bits === undefined ? [] : [bits]);

/** Lists of keys and channels are text since Redis 7.0. */
export type AclUser = FieldsOf<{
  flags: BlobString[];
  /** SHA-256 of each password, in hexadecimal. */
  passwords: BlobString[];
  commands: BlobString;
  keys: BlobString[] | BlobString;
  channels: BlobString[] | BlobString;
  /** Redis 7.0.0. */
  selectors: FieldsOf<{ commands: BlobString; keys: BlobString; channels: BlobString }>[];
}>;
const ACL_GETUSER = spec('ACL GETUSER', { read: resp2(nullable(record({ selectors: listOf(record()) }))) });
/** What a user may do; null when there is none. Redis 6.0.0. */
export const aclGetUser = (username: RedisArgument) => new Command<AclUser | null>(ACL_GETUSER, [username]);

const ACL_LIST = spec('ACL LIST');
/** All users as lines of an ACL file. Redis 6.0.0. */
export const aclList = () => new Command<BlobString[]>(ACL_LIST, []);

const ACL_LOAD = spec('ACL LOAD');
/** Replaces all users by those of the server's ACL file. Redis 6.0.0. */
export const aclLoad = () => new Command<SimpleString<'OK'>>(ACL_LOAD, []);

export type AclLogEntry = FieldsOf<{
  count: Integer;
  reason: BlobString;
  context: BlobString;
  object: BlobString;
  username: BlobString;
  'age-seconds': Double;
  'client-info': BlobString;
  /** This and the next two: Redis 7.2.0. */
  'entry-id': Integer;
  'timestamp-created': Integer;
  'timestamp-last-updated': Integer;
}>;
const ACL_LOG = spec('ACL LOG', { read: resp2(listOf(record({ 'age-seconds': doubleShape }))) });
/** Refused commands, keys, channels and logins, newest first; `count` of them, default 10. Redis 6.0.0. */
export const aclLog = (count?: number) => new Command<AclLogEntry[]>(ACL_LOG, count === undefined ? [] : [count]);

const ACL_LOG_RESET = spec('ACL LOG RESET');
/** Empties the log. Redis 6.0.0. */
export const aclLogReset = () => new Command<SimpleString<'OK'>>(ACL_LOG_RESET, []);

const ACL_SAVE = spec('ACL SAVE');
/** Writes the users to the server's ACL file. Redis 6.0.0. */
export const aclSave = () => new Command<SimpleString<'OK'>>(ACL_SAVE, []);

const ACL_SETUSER = spec('ACL SETUSER');
/**
 * Creates or changes a user by ACL rules.
 * @example
 * await admin.aclSetUser('app', ['on', `#${sha256}`, '~app:*', '+@read']); // needs allowCommands: ['ACL SETUSER']
 */
export const aclSetUser = (username: RedisArgument, rule: Variadic) =>
  new Command<SimpleString<'OK'>>(ACL_SETUSER, [username, ...list(rule)]);

const ACL_USERS = spec('ACL USERS');
/** Names of all users. Redis 6.0.0. */
export const aclUsers = () => new Command<BlobString[]>(ACL_USERS, []);

const ACL_WHOAMI = spec('ACL WHOAMI');
/** The user of this connection. Redis 6.0.0. */
export const aclWhoAmI = () => new Command<BlobString>(ACL_WHOAMI, []);

export const aliases = {
  aclCat: 'ACL_CAT',
  aclDelUser: 'ACL_DELUSER',
  aclDryRun: 'ACL_DRYRUN',
  aclGenPass: 'ACL_GENPASS',
  aclGetUser: 'ACL_GETUSER',
  aclList: 'ACL_LIST',
  aclLoad: 'ACL_LOAD',
  aclLog: 'ACL_LOG',
  aclLogReset: 'ACL_LOG_RESET',
  aclSave: 'ACL_SAVE',
  aclSetUser: 'ACL_SETUSER',
  aclUsers: 'ACL_USERS',
  aclWhoAmI: 'ACL_WHOAMI',
} as const;
