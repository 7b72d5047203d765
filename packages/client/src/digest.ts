/** The digest that Redis 8.4 compares with in SET and DELEX (`IFDEQ`, `IFDNE`). */
import { InvalidArgumentError, RedkeepError } from './errors.js';

/** Not a dependency of this package, and not looked for by bundlers. */
const XXHASH: string = '@node-rs/xxhash';

interface XxHash {
  readonly xxh3: { xxh64(data: string | Uint8Array): bigint };
}

/**
 * XXH3 of a value as 16 hexadecimal digits, what the server's DIGEST answers. Needs the package `@node-rs/xxhash`; where
 * a round trip does not matter, `client.digest(key)` needs no package.
 * @example await client.set('key', next, { condition: 'IFDEQ', matchValue: await digest(seen) });
 * @throws RedkeepError REDKEEP_DIGEST_UNAVAILABLE without that package
 * @throws InvalidArgumentError
 */
export async function digest(value: string | Buffer): Promise<string> {
  if (typeof value !== 'string' && !Buffer.isBuffer(value))
    throw new InvalidArgumentError('digest', 0, 'must be a string or a Buffer');
  let xxh3: XxHash['xxh3'];
  try {
    ({ xxh3 } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ XXHASH)) as XxHash);
  } catch (error) {
    throw new RedkeepError('REDKEEP_DIGEST_UNAVAILABLE', `digest() needs the package ${XXHASH}`, { cause: error });
  }
  return xxh3.xxh64(value).toString(16).padStart(16, '0');
}
