/**
 * The one queue of a connection: a ring with three cursors.
 *
 *         head            sent             tail
 *     ──────┼───────────────┼────────────────┼──────
 *           │ written,      │ not written    │ free
 *           │ unanswered    │ yet            │
 *
 * `push` advances tail, the writer advances sent, a reply advances head. Replies come in order, so what is at head is
 * always what is being answered. The ring is the bound on commands, its byte count the bound on memory.
 */
import { Command, Flag, spec } from '../commands/command.js';
import { type Pending, PendingState } from './pending.js';

/**
 * What a waiting command holds besides its arguments: its promise with two functions, its array, its caller's `then`.
 * Measured: 880 to 960 bytes a SET of 100 bytes (Node 20, heap after garbage collection over 131,000 of them), of
 * which 142 are the arguments' own and SLOT_BYTES those of the entry.
 */
export const COMMAND_BYTES = 640;
/** A slot with its entry; also a skipped or discarded one keeps it until those before it are answered. */
const SLOT_BYTES = 208;

/** Small, since an idle connection has two rings. */
const INITIAL_SIZE = 4;
/** Above this many slots an idle ring is given back. */
const KEEP_SIZE = 4096;
/** What stays of a command whose caller is gone: a place in the order of replies. */
const GONE = new Command(spec('PING'), []);
const NO_OPTIONS = {};

export class PendingRing {
  #slots: (Pending | undefined)[] = new Array<undefined>(INITIAL_SIZE).fill(undefined);
  #mask = INITIAL_SIZE - 1;
  /** Cursors only grow; the mask makes indexes of them. 2^53 commands last for centuries. */
  head = 0;
  sent = 0;
  tail = 0;
  /** Bytes held by what entries refer to. */
  #bytes = 0;

  /** Bytes in all. */
  get held(): number {
    return this.#bytes + this.size * SLOT_BYTES;
  }

  get size(): number {
    return this.tail - this.head;
  }

  at(cursor: number): Pending {
    return this.#slots[cursor & this.#mask]!;
  }

  push(pending: Pending): void {
    if (this.tail - this.head > this.#mask) this.#grow();
    this.#slots[this.tail++ & this.#mask] = pending;
    this.#bytes += pending.bytes;
  }

  /** Moves the last `count` in front of all that is not written, but never inside a transaction that is half written. */
  toFront(count: number): void {
    const first = this.tail - count;
    let place = this.sent;
    const group = place > this.head ? this.at(place - 1).group : undefined;
    if (group !== undefined) while (place < first && this.at(place).group === group) place++;
    const moved = Array.from({ length: count }, (_, i) => this.at(first + i));
    for (let cursor = this.tail - 1; cursor >= place + count; cursor--) this.#set(cursor, this.at(cursor - count));
    for (const [i, pending] of moved.entries()) this.#set(place + i, pending);
  }

  /** Its caller is gone: it keeps its place in the order of replies, and nothing else. */
  retire(pending: Pending): void {
    this.#bytes -= pending.bytes;
    pending.bytes = 0;
    pending.state = pending.state === PendingState.WRITTEN ? PendingState.DISCARDED : PendingState.SKIPPED;
    // What changes the connection does so whether or not its caller waits.
    if ((pending.command.spec.flags & Flag.CONNECTION) === 0) pending.command = GONE;
    pending.options = NO_OPTIONS;
    pending.group = undefined;
  }

  /** Takes out what is at head, with all skipped ones behind it. */
  shift(): Pending {
    const index = this.head++ & this.#mask;
    const pending = this.#slots[index]!;
    this.#slots[index] = undefined;
    this.#bytes -= pending.bytes;
    this.trim();
    return pending;
  }

  /** Drops skipped entries at head, which await no reply. */
  trim(): void {
    while (this.head < this.sent && this.at(this.head).state === PendingState.SKIPPED)
      this.#slots[this.head++ & this.#mask] = undefined;
    if (this.head === this.tail && this.#mask >= KEEP_SIZE) this.#reset();
  }

  /**
   * After a lost connection: what was written and `keep` wants becomes unwritten, in order; the rest of what was
   * written leaves the ring and is returned.
   */
  rewind(keep: (pending: Pending) => boolean): Pending[] {
    const kept: Pending[] = [];
    const dropped: Pending[] = [];
    for (let cursor = this.head; cursor < this.sent; cursor++) {
      const pending = this.at(cursor);
      (keep(pending) ? kept : dropped).push(pending);
      this.#set(cursor, undefined);
    }
    for (const { bytes } of dropped) this.#bytes -= bytes;
    this.head += dropped.length;
    this.sent = this.head;
    for (const [i, pending] of kept.entries()) {
      pending.state = PendingState.WAITING;
      this.#set(this.head + i, pending);
    }
    return dropped;
  }

  /** In front of all that is not written, where nothing is unanswered. */
  putBack(pendings: readonly Pending[]): void {
    for (const pending of pendings.toReversed()) {
      if (this.tail - this.head > this.#mask) this.#grow();
      this.#set(--this.head, pending);
      this.#bytes += pending.bytes;
    }
    this.sent = this.head;
  }

  /** Behind the first command that is to be written, and what belongs to it. */
  endOfFirst(): number {
    let cursor = this.sent;
    while (cursor < this.tail && this.at(cursor).state === PendingState.SKIPPED) cursor++;
    if (cursor === this.tail) return cursor;
    const { group } = this.at(cursor++);
    while (group !== undefined && cursor < this.tail && this.at(cursor).group === group) cursor++;
    return cursor;
  }

  /** Takes out of what is not written whatever `take` wants. */
  takeUnsent(take: (pending: Pending) => boolean): Pending[] {
    const taken: Pending[] = [];
    let kept = this.sent;
    for (let cursor = this.sent; cursor < this.tail; cursor++) {
      const pending = this.at(cursor);
      this.#set(cursor, undefined);
      if (take(pending)) {
        taken.push(pending);
        this.#bytes -= pending.bytes;
      } else this.#set(kept++, pending);
    }
    this.tail = kept;
    return taken;
  }

  /** All that is in the ring, oldest first. */
  *unfinished(): Generator<Pending> {
    for (let cursor = this.head; cursor < this.tail; cursor++) yield this.at(cursor);
  }

  /** Takes everything out. */
  clear(): Pending[] {
    const all = [...this.unfinished()];
    this.#reset();
    return all;
  }

  #set(cursor: number, pending: Pending | undefined): void {
    this.#slots[cursor & this.#mask] = pending;
  }

  #reset(): void {
    this.#slots = new Array<undefined>(INITIAL_SIZE).fill(undefined);
    this.#mask = INITIAL_SIZE - 1;
    this.head = this.sent = this.tail = this.#bytes = 0;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    const slots = new Array<Pending | undefined>(size).fill(undefined);
    for (let cursor = this.head; cursor < this.tail; cursor++) slots[cursor & (size - 1)] = this.at(cursor);
    this.#slots = slots;
    this.#mask = size - 1;
  }
}
