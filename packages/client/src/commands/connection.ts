/** Commands of the group "connection". https://redis.io/docs/latest/commands/?group=connection */
import type { BlobString, Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { Command, spec } from './command.js';

export interface AuthOptions {
  username?: RedisArgument;
  password: RedisArgument;
}
const AUTH = spec('AUTH');
/** Authenticates this connection once more. Prefer `password` or `credentialsProvider`, which survive a reconnect. Redis 1.0.0. */
export const auth = ({ username, password }: AuthOptions) =>
  new Command<SimpleString<'OK'>>(AUTH, username === undefined ? [password] : [username, password]);

const CLIENT_GETNAME = spec('CLIENT GETNAME');
/** The connection's name, or null. Redis 2.6.9. */
export const clientGetName = () => new Command<BlobString | null>(CLIENT_GETNAME, []);

const CLIENT_ID = spec('CLIENT ID');
/** The connection's id. Redis 5.0.0. */
export const clientId = () => new Command<Integer>(CLIENT_ID, []);

const CLIENT_SETNAME = spec('CLIENT SETNAME');
/** Names the connection. Redis 2.6.9. */
export const clientSetName = (name: RedisArgument) => new Command<SimpleString<'OK'>>(CLIENT_SETNAME, [name]);

const ECHO = spec('ECHO');
/** Returns the message. Redis 1.0.0. */
export const echo = (message: RedisArgument) => new Command<BlobString>(ECHO, [message]);

const PING = spec('PING');
/** `PONG`, or the message. Redis 1.0.0. */
export const ping = (message?: RedisArgument) =>
  new Command<SimpleString | BlobString>(PING, message === undefined ? [] : [message]);

export const aliases = {
  clientGetName: 'CLIENT_GETNAME',
  clientId: 'CLIENT_ID',
  clientSetName: 'CLIENT_SETNAME',
} as const;
