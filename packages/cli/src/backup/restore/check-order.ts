import type { Entry, EntryBody } from '../format/entry.js';

/** What a shard of a chain has so far. */
interface Reached {
  readonly history: number;
  /** End of the newest stretch, or the offset of the history's first base. */
  readonly offset: number;
  readonly firstOffset: number;
  /** The newest second of any entry. */
  readonly second: number;
}

/** A base is committed when it has been fetched whole; by then the stream beside it may be this far ahead. */
const delaySeconds = 6 * 3600;

/**
 * Follows a chain in the order in which it was signed. An archive only ever goes on where it ended. An entry that lies
 * in the past of its chain was therefore not written by one: a thief of the writer's key can add to what was archived,
 * and must not be able to change it.
 *
 * @returns the reason why an entry must not be used, in the order of the entries; undefined where it may
 */
export function checkOrder(chain: readonly Entry[]): readonly (string | undefined)[] {
  const shards = new Map<string, Reached>();
  return chain.map(({ body }) => {
    if (!('shard' in body)) return undefined;
    const reached = shards.get(body.shard);
    const reason = reasonOf(body, reached);
    if (reason === undefined) shards.set(body.shard, after(body, reached));
    return reason;
  });
}

type ShardBody = Extract<EntryBody, { readonly shard: string }>;

function reasonOf(body: ShardBody, reached: Reached | undefined): string | undefined {
  if (!reached) return undefined;
  if (body.history < reached.history) return 'it belongs to a history that had ended';
  const isSame = body.history === reached.history;
  if (body.kind === 'segment' || body.kind === 'quiet') {
    if (body.to < body.from || (isSame && body.from < reached.offset)) {
      return `it lies before offset ${reached.offset}, to which the stream had come`;
    }
    return body.lastSecond < reached.second - delaySeconds ? backdated : undefined;
  }
  if (body.kind !== 'base') return undefined;
  if (body.second < reached.second - delaySeconds) return backdated;
  return isSame && body.offset < reached.firstOffset ? 'it lies before the first base of its history' : undefined;
}

const backdated = 'it is dated hours before entries that were signed earlier';

function after(body: ShardBody, reached: Reached | undefined): Reached {
  const { history } = body;
  const isSame = reached?.history === history;
  const before = reached?.second ?? 0;
  if (body.kind === 'base') {
    const second = Math.max(body.second, before);
    if (isSame) return { ...reached, second };
    return { history, offset: body.offset, firstOffset: body.offset, second };
  }
  if (body.kind === 'segment' || body.kind === 'quiet') {
    const firstOffset = isSame ? reached.firstOffset : body.from;
    return { history, offset: body.to, firstOffset, second: Math.max(body.lastSecond, before) };
  }
  return reached ?? { history: 0, offset: 0, firstOffset: 0, second: 0 };
}
