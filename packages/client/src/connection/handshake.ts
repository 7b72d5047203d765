/**
 * What a fresh connection says before anybody else may: protocol version and authentication, name, database, library
 * identity. One batch, one round trip; a second one only for servers without HELLO.
 */
import { type Command, spec, Command as Value } from '../commands/command.js';
import type { Credentials } from '../credentials/credentials.js';
import { Secret } from '../credentials/secret.js';
import { ErrorReply, RedkeepError } from '../errors.js';
import type { RespVersion } from '../protocol/types.js';
import { version } from '../version.js';

export interface HandshakeOptions {
  readonly resp: RespVersion;
  readonly name: string | undefined;
  readonly database: number;
  /** READONLY: a cluster replica that answers reads. */
  readonly replicaReads: boolean;
  /** Refuse a server of another role. */
  readonly role?: 'master' | 'replica';
  /** Library name suffix, or false to send no identity. */
  readonly clientInfo: string | false;
}

const HELLO = spec('HELLO');
const AUTH = spec('AUTH');
const SELECT = spec('SELECT');
const SETNAME = spec('CLIENT SETNAME');
const SETINFO = spec('CLIENT SETINFO');
const READONLY = spec('READONLY');
const ROLE = spec('ROLE', { raw: true });

export interface HandshakeStep {
  readonly command: Command;
  /** A refusal that does not stop the connection: an old server, or a user without the right. */
  readonly optional: boolean;
  /** Looks at the reply; an error ends the connection. */
  readonly check?: (reply: unknown) => Error | undefined;
  /** Pushes that answer it (SUBSCRIBE and its like); none = one reply. */
  readonly confirmations?: number;
  /** Hears the server's refusal of an optional step. */
  readonly refused?: (error: ErrorReply) => void;
}

/** Of HELLO's answer, a map; proxies may give it as RESP2's list. */
function roleOf(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply[reply.findIndex((name) => String(name) === 'role') + 1];
  return (reply as { role?: unknown } | null)?.role;
}

export function handshakeSteps(
  options: HandshakeOptions,
  credentials: Credentials,
  resp: RespVersion,
): HandshakeStep[] {
  const steps: HandshakeStep[] = [];
  const step = (command: Command, optional = false, check?: HandshakeStep['check']) =>
    steps.push({ command, optional, check });
  const { role } = options;
  const password = credentials.password instanceof Secret ? credentials.password.reveal() : credentials.password;
  const { username } = credentials;
  if (resp === 3) {
    const args: unknown[] = ['3'];
    if (password !== undefined) args.push('AUTH', username ?? 'default', password);
    if (options.name !== undefined) args.push('SETNAME', options.name);
    // HELLO gives the role without the right to run ROLE, which not every user has.
    step(new Value(HELLO, args), false, role === undefined ? undefined : (reply) => wrongRole(role, roleOf(reply)));
  } else {
    if (password !== undefined) step(new Value(AUTH, username === undefined ? [password] : [username, password]));
    if (options.name !== undefined) step(new Value(SETNAME, [options.name]));
  }
  if (role !== undefined && resp === 2)
    step(new Value(ROLE, []), true, (reply) => wrongRole(role, (reply as unknown[] | null)?.[0]));
  if (options.clientInfo !== false) {
    const library = options.clientInfo === '' ? 'redkeep' : `redkeep(${options.clientInfo})`;
    step(new Value(SETINFO, ['LIB-NAME', library]), true);
    step(new Value(SETINFO, ['LIB-VER', version]), true);
  }
  if (options.database !== 0) step(new Value(SELECT, [String(options.database)]));
  if (options.replicaReads) step(new Value(READONLY, []));
  return steps;
}

/**
 * Looks at what the server said to the steps.
 * @throws what ends the connection
 */
export async function judgeHandshake(
  steps: readonly HandshakeStep[],
  answers: readonly Promise<unknown>[],
): Promise<void> {
  for (const [i, result] of (await Promise.allSettled(answers)).entries()) {
    const { command, optional, check, refused } = steps[i]!;
    if (result.status === 'fulfilled') {
      const objection = check?.(result.value);
      if (objection !== undefined) throw objection;
    } else {
      const { reason } = result;
      if (command.spec.name === 'HELLO' && lacksResp3(reason)) throw reason;
      // A server that loads its data answers HELLO, and refuses commands until it is done.
      const loading = reason instanceof ErrorReply && reason.prefix === 'LOADING';
      if (!optional || loading || !(reason instanceof ErrorReply)) throw handshakeError(reason, command.spec.name);
      refused?.(reason);
    }
  }
}

function wrongRole(wanted: 'master' | 'replica', said: unknown): Error | undefined {
  const role = String(said) === 'slave' ? 'replica' : String(said);
  if (role === wanted) return undefined;
  return new RedkeepError('REDKEEP_WRONG_ROLE', `Expected a ${wanted}, yet the server says it is a ${role}`);
}

/** The answer to HELLO is about HELLO, in whatever words: a server or proxy that has no RESP3. */
export function lacksResp3(error: unknown): boolean {
  if (!(error instanceof ErrorReply)) return false;
  return error.code === 'REDKEEP_SERVER' && !isAuthRefusal(error);
}

function isAuthRefusal({ prefix, serverMessage }: ErrorReply): boolean {
  return (
    prefix === 'WRONGPASS' ||
    prefix === 'NOAUTH' ||
    prefix === 'DENIED' ||
    /invalid password|without any password configured/i.test(serverMessage)
  );
}

/**
 * What a refusal during the handshake means: the server is not ready (try again), the credentials are wrong, or a
 * command is not permitted (give up, because no retry changes that).
 */
export function handshakeError(error: unknown, command: string): unknown {
  if (!(error instanceof ErrorReply)) return error;
  const said = error.serverMessage;
  if (error.code === 'REDKEEP_SERVER_NOT_READY') {
    const state = error.prefix === 'ERR' ? 'max number of clients reached' : error.prefix;
    return new RedkeepError('REDKEEP_SERVER_NOT_READY', `The server is not ready (${state})`, { cause: error });
  }
  if (isAuthRefusal(error) && error.prefix !== 'DENIED') {
    const why =
      error.prefix === 'NOAUTH'
        ? 'the server asks for credentials and none were given'
        : /without any password/i.test(said)
          ? 'the server has no password for the default user, yet one was given'
          : 'the server refused user name or password';
    return new RedkeepError('REDKEEP_AUTH_FAILED', `Authentication failed: ${why}`, { cause: error });
  }
  return new RedkeepError('REDKEEP_SERVER', `${command} was refused while connecting: ${error.message}`, {
    cause: error,
  });
}
