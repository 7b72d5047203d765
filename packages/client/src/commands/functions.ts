/** Functions: libraries of Lua that live in the server. https://redis.io/docs/latest/develop/programmability/functions-intro/ */
import type { BlobString, FieldsOf, Integer, MapOf, RedisArgument, SetOf, SimpleString } from '../protocol/types.js';
import { type EvalOptions, evalArguments, flushMode, word } from './arguments.js';
import { Command, numkeys, spec } from './command.js';
import type { RedisFlushMode } from './constants.js';
import type { ScriptReply } from './scripting.js';
import { listOf, mapOf, nullable, record, resp2 } from './shapes.js';

const FCALL = spec('FCALL', { keys: numkeys(1) });
/** Calls a function. Redis 7.0.0. */
export const fCall = (name: RedisArgument, options?: EvalOptions) =>
  new Command<ScriptReply>(FCALL, evalArguments(name, options));

const FCALL_RO = spec('FCALL_RO', { keys: numkeys(1) });
/** Calls a function that does not write; a replica may run it. Redis 7.0.0. */
export const fCallRo = (name: RedisArgument, options?: EvalOptions) =>
  new Command<ScriptReply>(FCALL_RO, evalArguments(name, options));

const FUNCTION_DELETE = spec('FUNCTION DELETE');
/** Deletes a library. Refused by the guarded policy. Redis 7.0.0. */
export const functionDelete = (library: RedisArgument) => new Command<SimpleString>(FUNCTION_DELETE, [library]);

const FUNCTION_DUMP = spec('FUNCTION DUMP');
/** All libraries, serialized; read it under a Buffer mapping. Redis 7.0.0. */
export const functionDump = () => new Command<BlobString>(FUNCTION_DUMP, []);

const FUNCTION_FLUSH = spec('FUNCTION FLUSH');
/** Deletes all libraries. Refused by the guarded policy. Redis 7.0.0. */
export const functionFlush = (mode?: RedisFlushMode) =>
  new Command<SimpleString<'OK'>>(FUNCTION_FLUSH, flushMode('FUNCTION FLUSH', mode));

const FUNCTION_KILL = spec('FUNCTION KILL');
/** Ends the function that runs now, if it has not written. Refused by the guarded policy. Redis 7.0.0. */
export const functionKill = () => new Command<SimpleString>(FUNCTION_KILL, []);

export interface FunctionListOptions {
  /** Only libraries whose name matches this glob pattern. */
  LIBRARYNAME?: RedisArgument;
}
export interface FunctionLibrary {
  library_name: BlobString | null;
  engine: BlobString;
  functions: FieldsOf<{ name: BlobString; description: BlobString | null; flags: SetOf<BlobString> }>[];
}
const libraries = resp2(listOf(record({ functions: listOf(record()) })));
const libraryFilter = (options: FunctionListOptions | undefined): unknown[] =>
  options?.LIBRARYNAME === undefined ? [] : ['LIBRARYNAME', options.LIBRARYNAME];
const FUNCTION_LIST = spec('FUNCTION LIST', { read: libraries });
/** Libraries and their functions. Redis 7.0.0. */
export const functionList = (options?: FunctionListOptions) =>
  new Command<FieldsOf<FunctionLibrary>[]>(FUNCTION_LIST, libraryFilter(options));
/** Libraries, their functions and their code. Redis 7.0.0. */
export const functionListWithCode = (options?: FunctionListOptions) =>
  new Command<FieldsOf<FunctionLibrary & { library_code: BlobString }>[]>(FUNCTION_LIST, [
    ...libraryFilter(options),
    'WITHCODE',
  ]);

export interface FunctionLoadOptions {
  /** Overwrite a library of the same name. */
  REPLACE?: boolean;
}
const FUNCTION_LOAD = spec('FUNCTION LOAD');
/** Loads a library; resolves with its name. Redis 7.0.0. */
export const functionLoad = (code: RedisArgument, options?: FunctionLoadOptions) =>
  new Command<BlobString>(FUNCTION_LOAD, options?.REPLACE ? ['REPLACE', code] : [code]);

export interface FunctionRestoreOptions {
  mode?: 'FLUSH' | 'APPEND' | 'REPLACE';
}
const FUNCTION_RESTORE = spec('FUNCTION RESTORE');
/** Loads what FUNCTION DUMP gave. Refused by the guarded policy. Redis 7.0.0. */
export function functionRestore(dump: RedisArgument, options?: FunctionRestoreOptions): Command<SimpleString<'OK'>> {
  const args: unknown[] = [dump];
  if (options?.mode !== undefined)
    args.push(word('FUNCTION RESTORE', 'mode', options.mode, ['FLUSH', 'APPEND', 'REPLACE']));
  return new Command(FUNCTION_RESTORE, args);
}

export type FunctionStatsReply = FieldsOf<{
  running_script: FieldsOf<{ name: BlobString; command: BlobString[]; duration_ms: Integer }> | null;
  engines: MapOf<BlobString, FieldsOf<{ libraries_count: Integer; functions_count: Integer }>>;
}>;
const FUNCTION_STATS = spec('FUNCTION STATS', {
  read: resp2(record({ running_script: nullable(record()), engines: mapOf(record()) })),
});
/** The function that runs now, and counts by engine. Redis 7.0.0. */
export const functionStats = () => new Command<FunctionStatsReply>(FUNCTION_STATS, []);

export const aliases = {
  fCallRo: 'FCALL_RO',
  functionDelete: 'FUNCTION_DELETE',
  functionDump: 'FUNCTION_DUMP',
  functionFlush: 'FUNCTION_FLUSH',
  functionKill: 'FUNCTION_KILL',
  functionList: 'FUNCTION_LIST',
  functionListWithCode: 'FUNCTION_LIST_WITHCODE',
  functionLoad: 'FUNCTION_LOAD',
  functionRestore: 'FUNCTION_RESTORE',
  functionStats: 'FUNCTION_STATS',
} as const;
