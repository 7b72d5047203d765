/** MODULE. https://redis.io/docs/latest/commands/?group=server */
import type { BlobString, FieldsOf, Integer, RedisArgument, SimpleString } from '../protocol/types.js';
import { Command, spec } from './command.js';
import { listOf, record, resp2 } from './shapes.js';

export type ModuleInfo = FieldsOf<{
  name: BlobString;
  ver: Integer;
  /** This and the next: Redis 7.0.0. */
  path: BlobString;
  args: BlobString[];
}>;
const MODULE_LIST = spec('MODULE LIST', { read: resp2(listOf(record())) });
/** The modules that the server has loaded. Redis 4.0.0. */
export const moduleList = () => new Command<ModuleInfo[]>(MODULE_LIST, []);

const MODULE_LOAD = spec('MODULE LOAD');
/** Loads native code into the server. Refused by the guarded policy. Redis 4.0.0. */
export const moduleLoad = (path: RedisArgument, moduleArguments: readonly RedisArgument[] = []) =>
  new Command<SimpleString<'OK'>>(MODULE_LOAD, [path, ...moduleArguments]);

export interface ModuleLoadExOptions {
  /** Parameters of the module. */
  CONFIG?: Readonly<Record<string, RedisArgument>>;
  ARGS?: readonly RedisArgument[];
}
const MODULE_LOADEX = spec('MODULE LOADEX');
/** {@link moduleLoad} with parameters. Refused by the guarded policy. Redis 7.0.0. */
export function moduleLoadEx(path: RedisArgument, options?: ModuleLoadExOptions): Command<SimpleString<'OK'>> {
  const args: unknown[] = [path];
  for (const [name, value] of Object.entries(options?.CONFIG ?? {})) args.push('CONFIG', name, value);
  if (options?.ARGS !== undefined) args.push('ARGS', ...options.ARGS);
  return new Command(MODULE_LOADEX, args);
}

const MODULE_UNLOAD = spec('MODULE UNLOAD');
/** Unloads a module. Refused by the guarded policy. Redis 4.0.0. */
export const moduleUnload = (name: RedisArgument) => new Command<SimpleString<'OK'>>(MODULE_UNLOAD, [name]);

export const aliases = {
  moduleList: 'MODULE_LIST',
  moduleLoad: 'MODULE_LOAD',
  moduleLoadEx: 'MODULE_LOADEX',
  moduleUnload: 'MODULE_UNLOAD',
} as const;
