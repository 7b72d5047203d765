import { createHash } from 'node:crypto';
import { RESP_TYPES, type RedisArgument, type TypeMapping } from 'redkeep';
import { GuardError } from '../errors.js';

/** Options that every client accepts for the commands of one view of it. */
export interface ViewOptions {
  readonly typeMapping?: TypeMapping;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** One server, or a pool of connections to one. */
export interface DirectClient {
  sendCommand(args: readonly RedisArgument[]): Promise<unknown>;
  withCommandOptions(options: ViewOptions): DirectClient;
}

/** A cluster: the first key decides where a command goes. */
export interface ClusterClient {
  readonly masters: readonly unknown[];
  sendCommand(
    firstKey: RedisArgument | undefined,
    isReadonly: boolean | undefined,
    args: RedisArgument[],
  ): Promise<unknown>;
  withCommandOptions(options: ViewOptions): unknown;
}

/** A primary found through Sentinel. */
export interface SentinelClient {
  getMasterNode(): unknown;
  sendCommand(isReadonly: boolean | undefined, args: RedisArgument[]): Promise<unknown>;
  withCommandOptions(options: ViewOptions): unknown;
}

/** What every guard runs on: any client, pool, cluster or sentinel-managed client of `redkeep`. */
export type GuardClient = DirectClient | ClusterClient | SentinelClient;

/** A prefix of keys as it may be: no pattern, which SCAN would follow, and no hash tag, which would decide the slot. */
export function checkedPrefix(prefix: string): string {
  if (!/^[\w.:/-]{1,128}$/.test(prefix))
    throw new GuardError('REDKEEP_GUARD_OPTION', 'a prefix is 1 to 128 letters, digits and _.:/-');
  return prefix;
}

/** A static Lua script; data reaches it only through KEYS and ARGV. */
export class Script {
  readonly source: string;
  readonly sha: string;

  constructor(source: string) {
    this.source = source;
    this.sha = createHash('sha1').update(source).digest('hex');
  }
}

/** Reply with bulk strings as Buffers: sealed values are not text. */
export type Reply = Buffer | string | number | null | readonly Reply[] | undefined;

/** Longest a guard waits for Redis unless told otherwise, in milliseconds: a request must fail before its user leaves. */
export const DEFAULT_TIMEOUT_MS = 2000;

/**
 * The one place that knows how the kinds of client differ. Every call has a deadline, whatever the application gave
 * its client, so nothing hangs while Redis is down; every failure is a GuardError with the client's error as cause.
 */
export class Redis {
  /** What it was made from; two guards on one client can tell. */
  readonly client: GuardClient;
  readonly #send: (key: RedisArgument | undefined, readonly: boolean, args: RedisArgument[]) => Promise<unknown>;

  constructor(client: GuardClient, timeoutMs = DEFAULT_TIMEOUT_MS) {
    if (!(timeoutMs > 0 && timeoutMs <= 60_000))
      throw new GuardError('REDKEEP_GUARD_OPTION', 'timeoutMs must be from 1 to 60000');
    this.client = client;
    const view: unknown = client.withCommandOptions({
      typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer },
      timeout: timeoutMs,
    });
    if ('masters' in client) {
      const cluster = view as ClusterClient;
      this.#send = (key, readonly, args) => cluster.sendCommand(key, readonly, args);
    } else if ('getMasterNode' in client) {
      const sentinel = view as SentinelClient;
      this.#send = (_key, readonly, args) => sentinel.sendCommand(readonly, args);
    } else {
      const direct = view as DirectClient;
      this.#send = (_key, _readonly, args) => direct.sendCommand(args);
    }
  }

  /** Reads `key`; may be answered by a replica where the client is set up so. */
  read(key: string, command: string, ...args: RedisArgument[]): Promise<Reply> {
    return this.#send(key, true, [command, key, ...args]).catch(unavailable) as Promise<Reply>;
  }

  /** Changes `key`. */
  write(key: string, command: string, ...args: RedisArgument[]): Promise<Reply> {
    return this.#send(key, false, [command, key, ...args]).catch(unavailable) as Promise<Reply>;
  }

  /** A command without a key (SCAN, PUBLISH). */
  command(...args: RedisArgument[]): Promise<Reply> {
    return this.#send(undefined, false, args).catch(unavailable) as Promise<Reply>;
  }

  /** Runs a script by its digest, sending its text only when the server does not have it. */
  async script(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    const words: RedisArgument[] = ['EVALSHA', script.sha, String(keys.length), ...keys, ...args];
    try {
      return (await this.#send(keys[0], false, words)) as Reply;
    } catch (error) {
      if (!isMissingScript(error)) throw toUnavailable(error);
    }
    words.splice(0, 2, 'EVAL', script.source);
    return this.#send(keys[0], false, words).catch(unavailable) as Promise<Reply>;
  }
}

function isMissingScript(error: unknown): boolean {
  const { message, serverMessage } = error as { message?: string; serverMessage?: string };
  return /^NOSCRIPT/.test(serverMessage ?? message ?? '') || (message ?? '').includes('NOSCRIPT');
}

function toUnavailable(cause: unknown): GuardError {
  const { code } = cause as { code?: unknown };
  return new GuardError('REDKEEP_STORE_UNAVAILABLE', typeof code === 'string' ? code : undefined, { cause });
}

function unavailable(cause: unknown): never {
  throw toUnavailable(cause);
}

/** Text of a bulk string reply; undefined for null. */
export function textOf(reply: Reply): string | undefined {
  if (reply === null || reply === undefined) return undefined;
  return Buffer.isBuffer(reply) ? reply.toString() : String(reply);
}

/** Elements of an array reply. */
export function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}
