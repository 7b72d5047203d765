/** CONFIG. https://redis.io/docs/latest/commands/?group=server */
import type { BlobString, MapOf, RedisArgument, SimpleString } from '../protocol/types.js';
import { list, type Variadic } from './arguments.js';
import { Command, spec } from './command.js';
import { asMap } from './readers.js';

const CONFIG_GET = spec('CONFIG GET', { read: asMap });
/** Parameters whose names match the glob patterns (several since Redis 7.0), and their values. Redis 2.0.0. */
export const configGet = (parameters: Variadic) =>
  new Command<MapOf<BlobString, BlobString>>(CONFIG_GET, list(parameters));

const CONFIG_RESETSTAT = spec('CONFIG RESETSTAT');
/** Sets the counters of INFO to zero. Refused by the guarded policy. Redis 2.0.0. */
export const configResetStat = () => new Command<SimpleString>(CONFIG_RESETSTAT, []);

const CONFIG_REWRITE = spec('CONFIG REWRITE');
/** Writes the current configuration to the server's file. Refused by the guarded policy. Redis 2.8.0. */
export const configRewrite = () => new Command<SimpleString>(CONFIG_REWRITE, []);

const CONFIG_SET = spec('CONFIG SET');
/** Sets a parameter, or several given as an object (Redis 7.0). Refused by the guarded policy. Redis 2.0.0. */
export const configSet = (
  ...[parameter, value]:
    | [parameter: RedisArgument, value: RedisArgument]
    | [config: Readonly<Record<string, RedisArgument>>]
) =>
  new Command<SimpleString>(
    CONFIG_SET,
    typeof parameter === 'string' || Buffer.isBuffer(parameter) ? [parameter, value] : Object.entries(parameter).flat(),
  );

export const aliases = {
  configGet: 'CONFIG_GET',
  // Spelt as in node-redis.
  configResetStat: 'CONFIG_RESETASTAT',
  configRewrite: 'CONFIG_REWRITE',
  configSet: 'CONFIG_SET',
} as const;
