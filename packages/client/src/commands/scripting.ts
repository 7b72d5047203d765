/** Commands of the group "scripting". https://redis.io/docs/latest/commands/?group=scripting */
import type { BlobString, Integer, Parsed, RedisArgument, ReplyValue, SimpleString } from '../protocol/types.js';
import { type EvalOptions, evalArguments, flushMode, list, type Variadic, word } from './arguments.js';
import { Command, Flag, numkeys, spec } from './command.js';
import type { RedisFlushMode } from './constants.js';

/** Whatever the script returns. */
export type ScriptReply = Parsed<ReplyValue>;

const keys = numkeys(1);
const EVAL = spec('EVAL', { keys });
const evaluate = (script: RedisArgument, options?: EvalOptions) =>
  new Command<ScriptReply>(EVAL, evalArguments(script, options));

export {
  /**
   * Runs a Lua script. The text must be constant: values go into `arguments`. Redis 2.6.0.
   * @example
   * await client.eval('return redis.call("GET", KEYS[1])', { keys: ['greeting'] });
   */
  evaluate as eval,
};

const EVAL_RO = spec('EVAL_RO', { keys });
/** EVAL that does not write; a replica may run it. Redis 7.0.0. */
export const evalRo = (script: RedisArgument, options?: EvalOptions) =>
  new Command<ScriptReply>(EVAL_RO, evalArguments(script, options));

const EVALSHA = spec('EVALSHA', { keys });
/** Runs a script that the server knows by its SHA-1. Redis 2.6.0. */
export const evalSha = (sha1: RedisArgument, options?: EvalOptions) =>
  new Command<ScriptReply>(EVALSHA, evalArguments(sha1, options));

const EVALSHA_RO = spec('EVALSHA_RO', { keys });
/** EVALSHA that does not write; a replica may run it. Redis 7.0.0. */
export const evalShaRo = (sha1: RedisArgument, options?: EvalOptions) =>
  new Command<ScriptReply>(EVALSHA_RO, evalArguments(sha1, options));

const SCRIPT_DEBUG = spec('SCRIPT DEBUG');
/** Debug mode for the next EVAL of this connection. Refused by the guarded policy. Redis 3.2.0. */
export const scriptDebug = (mode: 'YES' | 'SYNC' | 'NO') =>
  new Command<SimpleString<'OK'>>(SCRIPT_DEBUG, [word('SCRIPT DEBUG', 'mode', mode, ['YES', 'SYNC', 'NO'])]);

const SCRIPT_EXISTS = spec('SCRIPT EXISTS');
/** 1 for each SHA-1 that the server knows, else 0. Redis 2.6.0. */
export const scriptExists = (sha1: Variadic) => new Command<Integer[]>(SCRIPT_EXISTS, list(sha1));

const SCRIPT_FLUSH = spec('SCRIPT FLUSH');
/** Forgets all scripts. Refused by the guarded policy. Redis 2.6.0. */
export const scriptFlush = (mode?: RedisFlushMode) =>
  new Command<SimpleString<'OK'>>(SCRIPT_FLUSH, flushMode('SCRIPT FLUSH', mode));

const SCRIPT_KILL = spec('SCRIPT KILL');
/** Ends the script that runs now, if it has not written. Refused by the guarded policy. Redis 2.6.0. */
export const scriptKill = () => new Command<SimpleString<'OK'>>(SCRIPT_KILL, []);

// Loading the same text twice changes nothing.
const SCRIPT_LOAD = spec('SCRIPT LOAD', { flags: Flag.REPEATABLE });
/** Makes a script known; resolves with its SHA-1. `defineScript` does it by itself. Redis 2.6.0. */
export const scriptLoad = (script: RedisArgument) => new Command<BlobString>(SCRIPT_LOAD, [script]);

const SCRIPT_SHOW = spec('SCRIPT SHOW', { flags: Flag.REPEATABLE });
/** The text of a script that the server knows. Valkey 8.0. */
export const scriptShow = (sha1: RedisArgument) => new Command<BlobString>(SCRIPT_SHOW, [sha1]);

export const aliases = {
  evalRo: 'EVAL_RO',
  evalShaRo: 'EVALSHA_RO',
  scriptDebug: 'SCRIPT_DEBUG',
  scriptExists: 'SCRIPT_EXISTS',
  scriptFlush: 'SCRIPT_FLUSH',
  scriptKill: 'SCRIPT_KILL',
  scriptLoad: 'SCRIPT_LOAD',
  scriptShow: 'SCRIPT_SHOW',
} as const;
