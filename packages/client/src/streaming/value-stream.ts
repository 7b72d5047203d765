/**
 * A string value as a stream, read in ranges. Ranges and not a streaming decoder, because a reply that streams would
 * hold up every other command of its connection for as long as its reader is slow; between ranges others go on, and
 * the reader's pace bounds the memory to one range.
 */
import { Readable } from 'node:stream';
import { Command, spec } from '../commands/command.js';
import type { DispatchOptions } from '../connection/connection.js';
import type { Dispatcher } from '../dispatcher.js';
import { RedkeepError } from '../errors.js';
import { RESP_TYPES, type RedisArgument } from '../protocol/types.js';

export interface ValueStreamOptions {
  /** Bytes a range; default 1 MiB. */
  chunkBytes?: number;
  signal?: AbortSignal;
}

const DEFAULT_CHUNK_BYTES = 1024 * 1024;
const STRLEN = spec('STRLEN');
const EXISTS = spec('EXISTS');
const GETRANGE = spec('GETRANGE');
const BYTES = { [RESP_TYPES.BLOB_STRING]: Buffer };

/** null when there is no such key. The stream fails when the value's length changes while it is read. */
export async function valueStream(
  dispatcher: Dispatcher,
  key: RedisArgument,
  { chunkBytes = DEFAULT_CHUNK_BYTES, signal }: ValueStreamOptions = {},
): Promise<Readable | null> {
  const options: DispatchOptions = { typeMapping: BYTES, abortSignal: signal };
  const lengthNow = () => dispatcher.dispatch(new Command<number>(STRLEN, [key]), options);
  const length = await lengthNow();
  if (length === 0 && (await dispatcher.dispatch(new Command<number>(EXISTS, [key]), options)) === 0) return null;
  async function* ranges(): AsyncGenerator<Buffer, void, undefined> {
    for (let from = 0; from < length; from += chunkBytes) {
      const to = Math.min(from + chunkBytes, length) - 1;
      const range = await dispatcher.dispatch(new Command<Buffer>(GETRANGE, [key, from, to]), options);
      if (range.length !== to - from + 1) throw changed();
      yield range;
    }
    if ((await lengthNow()) !== length) throw changed();
  }
  return Readable.from(ranges(), { objectMode: false, highWaterMark: chunkBytes });
}

function changed(): RedkeepError {
  return new RedkeepError('REDKEEP_VALUE_CHANGED', 'The value changed while it was read');
}
