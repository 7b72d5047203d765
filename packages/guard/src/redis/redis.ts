import { RESP_TYPES, type RedisArgument, type TypeMapping } from 'redkeep';
import { GuardError, type GuardErrorCode } from '../errors.js';
import type { Script } from './script.js';

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

/** What every component runs on: any client, pool, cluster or sentinel-managed client of `redkeep`. */
export type GuardClient = DirectClient | ClusterClient | SentinelClient;

/** A prefix of keys as it may be: no pattern, which SCAN would follow, and no hash tag, which would decide the slot. */
export function checkedPrefix(prefix: string): string {
  if (!/^[\w.:/-]{1,128}$/.test(prefix))
    throw new GuardError('REDKEEP_GUARD_OPTION', 'a prefix is 1 to 128 letters, digits and _.:/-');
  return prefix;
}

/** Reply with bulk strings as Buffers: sealed values are not text. */
export type Reply = Buffer | string | number | null | readonly Reply[] | undefined;

/**
 * Default deadline of one call to Redis, in milliseconds: longer than a planned handover holds writes back, and a request
 * should fail before its user leaves.
 */
export const DEFAULT_TIMEOUT_MS = 5000;

/**
 * The one place that knows how the kinds of client differ. Every call has a deadline, whatever the application gave
 * its client, so nothing hangs while Redis is down; every failure is a GuardError with the client's error as cause.
 */
export class Redis {
  /** What it was made from: components on one client share it. */
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

  #call(key: string | undefined, readonly: boolean, words: RedisArgument[]): Promise<unknown> {
    return this.#send(key, readonly, words).catch((error: unknown) => {
      throw toGuardError(error, String(words[0]));
    });
  }

  /** Sends `words` to the node that has `key`, without adding the key: ROLE, WAIT. */
  at(key: string, ...words: RedisArgument[]): Promise<Reply> {
    return this.#call(key, false, words) as Promise<Reply>;
  }

  /** Reads `key`; may be answered by a replica where the client is set up so. */
  read(key: string, command: string, ...args: RedisArgument[]): Promise<Reply> {
    return this.#call(key, true, [command, key, ...args]) as Promise<Reply>;
  }

  /** Changes `key`. */
  write(key: string, command: string, ...args: RedisArgument[]): Promise<Reply> {
    return this.#call(key, false, [command, key, ...args]) as Promise<Reply>;
  }

  /** A command without a key (SCAN, PUBLISH). */
  command(...args: RedisArgument[]): Promise<Reply> {
    return this.#call(undefined, false, args) as Promise<Reply>;
  }

  /**
   * Runs a script: as a function of the library that an administrator has loaded, else by its digest, sending its text
   * only when the server does not have it.
   */
  async script(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    const way = ways.get(this.client)?.way ?? 'functions';
    try {
      const reply = await this.#by(way, script, keys, args);
      if (!ways.has(this.client)) ways.set(this.client, { way });
      return reply;
    } catch (error) {
      // Not loaded here, or only the other way is permitted.
      if (!isMissingFunction(error) && !isDenied(error)) throw toGuardError(error, script.functionName);
      const other = { way: way === 'functions' ? 'scripts' : 'functions', reason: reasonOf(error) } as const;
      try {
        const reply = await this.#by(other.way, script, keys, args);
        ways.set(this.client, other);
        return reply;
      } catch (second) {
        // What the other way ran into, if it is a way.
        if (!isMissingFunction(second) && !isDenied(second)) {
          ways.set(this.client, other);
          throw toGuardError(second, script.functionName);
        }
        throw toGuardError(isDenied(error) ? error : second, script.functionName);
      }
    }
  }

  #by(way: ScriptsRun['way'], script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    return way === 'functions' ? this.#function(script, keys, args) : this.#evaluate(script, keys, args);
  }

  #function(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    const words = ['FCALL', script.functionName, String(keys.length), ...keys, ...args];
    return this.#send(keys[0], false, words) as Promise<Reply>;
  }

  async #evaluate(script: Script, keys: readonly string[], args: readonly RedisArgument[]): Promise<Reply> {
    const words: RedisArgument[] = ['EVALSHA', script.sha, String(keys.length), ...keys, ...args];
    try {
      return (await this.#send(keys[0], false, words)) as Reply;
    } catch (error) {
      if (!isMissingScript(error)) throw error;
    }
    words.splice(0, 2, 'EVAL', script.source);
    return this.#send(keys[0], false, words) as Promise<Reply>;
  }
}

/** How the scripts of a client's components run. */
export interface ScriptsRun {
  /** `functions`: of the library that an administrator has loaded. `scripts`: EVALSHA, which the user may then send. */
  readonly way: 'functions' | 'scripts';
  /**
   * Why the other way was left: the library (or this version of it) is not there, the ACL user may not, or the server
   * has no functions.
   */
  readonly reason?: 'not-loaded' | 'not-permitted' | 'no-functions';
}

/** Found out by the first call, and again by one that is refused. */
const ways = new WeakMap<GuardClient, ScriptsRun>();

/**
 * How the components on a client run their scripts; undefined before the first. `scripts` with a reason says what an
 * administrator can do: load `guardLibrary()`, and give the user `+fcall` instead of `+eval +evalsha`.
 */
export function scriptsRun(client: GuardClient): ScriptsRun | undefined {
  return ways.get(client);
}

function reasonOf(error: unknown): NonNullable<ScriptsRun['reason']> {
  if (isDenied(error)) return 'not-permitted';
  return /unknown command/i.test(wordsOf(error)) ? 'no-functions' : 'not-loaded';
}

/** Code words of replies that say "not now" rather than "not so". */
const NOT_NOW =
  /^(LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|READONLY|MISCONF|OOM|NOREPLICAS|BUSY|NOMASTERLINK|MOVED|ASK)$/;
/** What the client says when a call itself was wrong. */
const MISUSED: readonly unknown[] = [
  'REDKEEP_INVALID_ARGUMENT',
  'REDKEEP_INVALID_OPTION',
  'REDKEEP_COMMAND_REFUSED',
  'REDKEEP_CROSS_SLOT',
  'REDKEEP_SCRIPT_NOT_STATIC',
];

interface ClientError {
  readonly code?: unknown;
  readonly message?: string;
  readonly serverMessage?: string;
  readonly prefix?: string;
}

/** What the server said, scripts' errors included: those keep it off the message. */
function wordsOf(error: unknown): string {
  const { message, serverMessage } = error as ClientError;
  return serverMessage ?? message ?? '';
}

function isMissingScript(error: unknown): boolean {
  return wordsOf(error).includes('NOSCRIPT');
}

function isMissingFunction(error: unknown): boolean {
  return /Function not found|unknown command/i.test(wordsOf(error));
}

/** The words of every supported engine for a command or key that the ACL does not allow, also inside a script. */
function isDenied(error: unknown): boolean {
  return /\bNOPERM\b|No permissions to|can't run this command|can't access at least one of the keys/i.test(
    wordsOf(error),
  );
}

/** Outages, permissions and mistakes have codes of their own: only an outage may be answered by a fallback. */
function toGuardError(cause: unknown, command: string): GuardError {
  if (cause instanceof GuardError) return cause;
  const { code, prefix } = cause as ClientError;
  const named = typeof code === 'string' ? code : undefined;
  const { kind, detail } = classified(cause, named, prefix, command);
  return new GuardError(kind, detail, { cause });
}

function classified(
  cause: unknown,
  code: string | undefined,
  prefix: string | undefined,
  command: string,
): { readonly kind: GuardErrorCode; readonly detail: string | undefined } {
  if (isDenied(cause)) return { kind: 'REDKEEP_STORE_DENIED', detail: command };
  if (code === undefined || MISUSED.includes(code)) return { kind: 'REDKEEP_STORE_REFUSED', detail: code };
  if (code !== 'REDKEEP_SERVER') return { kind: 'REDKEEP_STORE_UNAVAILABLE', detail: code };
  const word = prefix ?? 'ERR';
  // A script passes on what a command inside it ran into, and the word is then not the first.
  const inner = /\b(OOM|MISCONF|READONLY|NOREPLICAS)\b/.exec(wordsOf(cause))?.[1];
  if (NOT_NOW.test(word) || inner !== undefined) return { kind: 'REDKEEP_STORE_UNAVAILABLE', detail: inner ?? word };
  return { kind: 'REDKEEP_STORE_REFUSED', detail: `${word} for ${command}` };
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
