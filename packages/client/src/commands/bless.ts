/** BLESS: keys that the server spares, such as from eviction. Redis 8.12. */
import type { BlobString, Integer, RedisArgument } from '../protocol/types.js';
import { Command, spec } from './command.js';

export type BlessFlag = 'NO-EVICT';

const BLESS_CLEAR = spec('BLESS CLEAR');
/** Takes a flag from a key. Redis 8.12.0. */
export const blessClear = (key: RedisArgument, flag: BlessFlag) => new Command<Integer>(BLESS_CLEAR, [key, flag]);

const BLESS_GET = spec('BLESS GET');
/** The flags of a key. Redis 8.12.0. */
export const blessGet = (key: RedisArgument) => new Command<BlobString[]>(BLESS_GET, [key]);

export interface BlessScanOptions {
  /** Elements a page, roughly. */
  COUNT?: number;
}
const BLESS_SCAN = spec('BLESS SCAN', {
  read: ([cursor, keys]: [string | Buffer, unknown[]]) => ({ cursor, keys }),
});
/** A page of the keys with a flag; begin with cursor `0`. Redis 8.12.0. */
export function blessScan(
  cursor: RedisArgument,
  flag: BlessFlag,
  options?: BlessScanOptions,
): Command<{ cursor: BlobString; keys: BlobString[] }> {
  const args: unknown[] = [cursor, flag];
  if (options?.COUNT !== undefined) args.push('COUNT', options.COUNT);
  return new Command(BLESS_SCAN, args);
}

const BLESS_SET = spec('BLESS SET');
/** Gives a key a flag. Redis 8.12.0. */
export const blessSet = (key: RedisArgument, flag: BlessFlag) => new Command<Integer>(BLESS_SET, [key, flag]);

export const aliases = {
  blessClear: 'BLESS_CLEAR',
  blessGet: 'BLESS_GET',
  blessScan: 'BLESS_SCAN',
  blessSet: 'BLESS_SET',
} as const;
