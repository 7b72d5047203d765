/** SCAN and its like as async iterators of pages. A page may be empty, and an element may come twice (SCAN's terms). */
import type { Mapped, RedisArgument, TypeMapping } from '../protocol/types.js';

/** Pages of `T`, as the type mapping `M` shows it. Named, because what the compiler infers fits one version of Node's types. */
export type Pages<T, M extends TypeMapping> = AsyncGenerator<Mapped<T, M>[], void, undefined>;

export interface ScanIteratorOptions {
  /** Where to begin; default the beginning. */
  cursor?: RedisArgument;
}

/** Calls `next` until the cursor is back at 0 and yields what `pick` takes from each answer. */
export async function* pages<R extends { readonly cursor: unknown }, P>(
  options: ScanIteratorOptions | undefined,
  next: (cursor: RedisArgument) => Promise<R>,
  pick: (reply: R) => P,
): AsyncGenerator<P, void, undefined> {
  let cursor: RedisArgument = options?.cursor ?? '0';
  do {
    const reply = await next(cursor);
    cursor = reply.cursor as RedisArgument;
    yield pick(reply);
  } while (String(cursor) !== '0');
}
