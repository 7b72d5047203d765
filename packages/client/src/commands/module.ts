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

const MODULE_UNLOAD = spec('MODULE UNLOAD');
/** Unloads a module. Refused by the guarded policy. Redis 4.0.0. */
export const moduleUnload = (name: RedisArgument) => new Command<SimpleString<'OK'>>(MODULE_UNLOAD, [name]);

export const aliases = { moduleList: 'MODULE_LIST', moduleLoad: 'MODULE_LOAD', moduleUnload: 'MODULE_UNLOAD' } as const;
