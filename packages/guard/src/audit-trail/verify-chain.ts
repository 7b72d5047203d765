import type { KeyObject } from 'node:crypto';
import { type Anchor, verifyAnchor } from './anchor.js';
import { type ChainEntry, chainHash, type Head } from './chain.js';

/** What is wrong with a chain, and from which sequence number on. */
export interface ChainProblem {
  /**
   * `modified`: an entry is not what was written. `missing`: entries were taken out. `inserted`: something that no
   * trail wrote. `truncated`: the end was cut off. `rewritten`: another chain than the anchors vouch for.
   * `forged-anchor`: an anchor that is not genuine. `head`: the note of where the chain ends was set back or changed.
   */
  readonly kind: 'modified' | 'missing' | 'inserted' | 'truncated' | 'rewritten' | 'forged-anchor' | 'head';
  readonly seq: number;
}

/** Result of verifying a chain. */
export interface ChainReport {
  readonly ok: boolean;
  /** Entries that verified. */
  readonly checked: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Sequence number of the newest anchor that was confirmed; later entries could have been cut off unseen. */
  readonly anchoredTo: number;
  readonly problem?: ChainProblem;
}

/** What is kept outside Redis and vouches for a chain. */
export interface OutsideProof {
  readonly anchors?: readonly Anchor[];
  /** Ed25519 key of who signed the anchors; without it every anchor counts as forged. */
  readonly publicKey?: KeyObject;
}

/** A chain to verify. */
export interface ChainSource {
  readonly trail: string;
  readonly key: Uint8Array;
  readonly entries: AsyncIterable<ChainEntry>;
  /**
   * Where the chain ends as its keeper says; asked before and after the walk. Undefined: it says
   * nothing that a trail wrote. Absent for exports.
   */
  readonly head?: () => Promise<Head | undefined>;
}

interface Vouched {
  readonly heads: ReadonlyMap<number, Anchor>;
  readonly retentions: ReadonlyMap<number, Anchor>;
  readonly newest: number;
}

/** Walks a chain and says whether, and where, it was changed, thinned out, added to, rewritten or cut short. */
export async function verifyChain(source: ChainSource, outside: OutsideProof): Promise<ChainReport> {
  const state = { checked: 0, firstSeq: 0, lastSeq: 0, anchoredTo: 0 };
  const found = (kind: ChainProblem['kind'], seq: number): ChainReport => ({
    ok: false,
    ...state,
    problem: { kind, seq },
  });
  const vouched = sortAnchors(source.trail, outside);
  if ('kind' in vouched) return found(vouched.kind, vouched.seq);
  const { heads, retentions, newest } = vouched;

  // The end is read first, so that entries that arrive meanwhile do not matter.
  const promised = await source.head?.();
  let previous = '';
  for await (const { seq, body, hash } of source.entries) {
    const expected = state.lastSeq + 1;
    if (Number.isNaN(seq)) return found('inserted', expected);
    if (state.firstSeq === 0) {
      // Only a signed retention may have taken the beginning.
      const start = retentions.get(seq - 1);
      if (seq !== 1 && start === undefined) return found('missing', lastBelow(retentions, seq) + 1);
      previous = start?.hash ?? '';
      state.firstSeq = seq;
    } else if (seq !== expected) return found('missing', expected);
    if (chainHash(source.key, seq, previous, body) !== hash) return found('modified', seq);
    const anchor = heads.get(seq) ?? retentions.get(seq);
    if (anchor !== undefined) {
      if (anchor.hash !== hash) return found('rewritten', seq);
      state.anchoredTo = seq;
    }
    previous = hash;
    state.lastSeq = seq;
    state.checked += 1;
  }
  const last = state.firstSeq === 0 ? lastBelow(retentions, Number.POSITIVE_INFINITY) : state.lastSeq;
  if (last < Math.max(newest, promised?.seq ?? 0)) return found('truncated', last + 1);
  if (source.head === undefined) return { ok: true, ...state };
  const said = await source.head();
  if (said === undefined) return found('head', last);
  const expectedHash = state.firstSeq === 0 ? (retentions.get(last)?.hash ?? '') : previous;
  if (said.seq < last || (said.seq === last && said.hash !== expectedHash)) return found('head', last);
  return { ok: true, ...state };
}

/** Anchors by what they vouch for, or the first that is not genuine or contradicts another. */
function sortAnchors(trail: string, { anchors = [], publicKey }: OutsideProof): Vouched | ChainProblem {
  const heads = new Map<number, Anchor>();
  const retentions = new Map<number, Anchor>();
  let newest = 0;
  for (const anchor of anchors) {
    const { kind, seq, hash } = anchor;
    if (publicKey === undefined || anchor.trail !== trail || !verifyAnchor(anchor, publicKey))
      return { kind: 'forged-anchor', seq };
    const twin = heads.get(seq) ?? retentions.get(seq);
    if (twin !== undefined && twin.hash !== hash) return { kind: 'rewritten', seq };
    (kind === 'retention' ? retentions : heads).set(seq, anchor);
    newest = Math.max(newest, seq);
  }
  return { heads, retentions, newest };
}

function lastBelow(anchors: ReadonlyMap<number, Anchor>, limit: number): number {
  let last = 0;
  for (const seq of anchors.keys()) if (seq < limit && seq > last) last = seq;
  return last;
}
