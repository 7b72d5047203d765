/**
 * The one queue of a connection: a ring of reused entries with three cursors.
 *
 *         head            sent             tail
 *     ──────┼───────────────┼────────────────┼──────
 *           │ written,      │ not written    │ free
 *           │ unanswered    │ yet            │
 *
 * `put` advances tail, the writer advances sent, a reply advances head. Replies come in order, so the entry at head
 * is always the one being answered. The ring is the bound on commands, its byte count the bound on memory.
 */
import type { CommandSpec } from '../commands/command.js';
import type { TypeMapping } from '../protocol/types.js';

export const EntryKind = {
  /** The reply settles the promise. */
  COMMAND: 0,
  /** Written, but the caller is gone (timeout, abort): the reply is read and dropped. */
  DISCARDED: 1,
  /** Cancelled before it was written: no reply will come. */
  SKIPPED: 2,
  /** Answered by confirmations (SUBSCRIBE and its like), which are pushes in RESP3 and arrays in RESP2. */
  SUBSCRIPTION: 3,
} as const;
export type EntryKind = (typeof EntryKind)[keyof typeof EntryKind];

/** Commands that belong together (a transaction, ASKING with its command): nothing comes between, they fail together. */
export interface Group {
  /** It relies on a WATCH. */
  readonly watched: boolean;
  /** ASKING and the command it is for. */
  readonly asking: boolean;
  /** The first was written: the others follow, whoever still waits for them. */
  started: boolean;
  /** Given up before the first was written: none will be. */
  cancelled: Error | undefined;
}

export interface PendingEntry {
  kind: EntryKind;
  spec: CommandSpec | undefined;
  args: readonly unknown[];
  preserve: unknown;
  mapping: TypeMapping | undefined;
  resolve: ((value: unknown) => void) | undefined;
  reject: ((error: unknown) => void) | undefined;
  /** Milliseconds of the connection's clock; 0 = none. */
  deadline: number;
  bytes: number;
  written: boolean;
  /** Times it was sent again after a lost connection. */
  retries: number;
  /** Running it twice does no harm. */
  repeatable: boolean;
  group: Group | undefined;
  /** Removes the listener of an AbortSignal. */
  cleanup: (() => void) | undefined;
  /** Confirmations still to come (SUBSCRIPTION). */
  confirmations: number;
  /** Kept for a command that is handed over to another connection. */
  signal: AbortSignal | undefined;
  /** Times it was handed over. */
  redirects: number;
  /** When the command was put, for metrics. */
  startedAt: number;
  /** Grows with every use of the slot, so that a late abort cannot hit its next user. */
  generation: number;
}

/**
 * What a waiting command holds besides its arguments: its promise with two functions, its array, its caller's `then`.
 * Measured: 880 to 960 bytes a SET of 100 bytes (Node 20, heap after garbage collection over 131,000 of them), of
 * which 142 are the arguments' own and SLOT_BYTES the ring's.
 */
export const COMMAND_BYTES = 640;
/** A slot with its entry; also a skipped or discarded one keeps it until those before it are answered. */
const SLOT_BYTES = 208;

/** Small, since an idle connection has two rings. */
const INITIAL_SIZE = 4;
/** Above this many slots an idle ring is given back. */
const KEEP_SIZE = 4096;
const NO_ARGS: readonly unknown[] = [];

function newEntry(): PendingEntry {
  return {
    kind: EntryKind.COMMAND,
    spec: undefined,
    args: NO_ARGS,
    preserve: undefined,
    mapping: undefined,
    resolve: undefined,
    reject: undefined,
    deadline: 0,
    bytes: 0,
    written: false,
    retries: 0,
    repeatable: false,
    group: undefined,
    cleanup: undefined,
    confirmations: 0,
    signal: undefined,
    redirects: 0,
    startedAt: 0,
    generation: 0,
  };
}

export class PendingRing {
  #entries: PendingEntry[] = Array.from({ length: INITIAL_SIZE }, newEntry);
  #mask = INITIAL_SIZE - 1;
  /** Cursors only grow; the mask makes indexes of them. 2^53 commands last for centuries. */
  head = 0;
  sent = 0;
  tail = 0;
  /** Bytes held by what entries refer to. */
  bytes = 0;

  /** Bytes in all. */
  get held(): number {
    return this.bytes + this.size * SLOT_BYTES;
  }

  get size(): number {
    return this.tail - this.head;
  }

  at(cursor: number): PendingEntry {
    return this.#entries[cursor & this.#mask]!;
  }

  /** The next free entry, to be filled by the caller. */
  put(): PendingEntry {
    if (this.tail - this.head > this.#mask) this.#grow();
    const index = this.tail++ & this.#mask;
    this.#entries[index] ??= newEntry();
    return this.#entries[index];
  }

  /** A free entry in front of all that is not written, but never inside a transaction that is half written. */
  putFirst(): PendingEntry {
    const entry = this.put();
    let place = this.sent;
    const group = place > this.head ? this.at(place - 1).group : undefined;
    if (group !== undefined) while (place < this.tail - 1 && this.at(place).group === group) place++;
    for (let cursor = this.tail - 1; cursor > place; cursor--) {
      this.#entries[cursor & this.#mask] = this.#entries[(cursor - 1) & this.#mask]!;
    }
    this.#entries[place & this.#mask] = entry;
    return entry;
  }

  /** Frees what an entry refers to; `kind` and its place stay. */
  release(entry: PendingEntry): void {
    this.bytes -= entry.bytes;
    entry.bytes = 0;
    entry.spec = undefined;
    entry.args = NO_ARGS;
    entry.preserve = undefined;
    entry.mapping = undefined;
    entry.resolve = undefined;
    entry.reject = undefined;
    entry.group = undefined;
    entry.signal = undefined;
    entry.deadline = 0;
    entry.generation++;
    if (entry.cleanup !== undefined) {
      entry.cleanup();
      entry.cleanup = undefined;
    }
  }

  /** Takes the entry at head out, with all skipped ones around it. */
  shift(): void {
    this.release(this.at(this.head++));
    this.trim();
  }

  /** Drops skipped entries at head, which await no reply. */
  trim(): void {
    while (this.head < this.sent && this.at(this.head).kind === EntryKind.SKIPPED) this.head++;
    if (this.head === this.tail && this.#mask >= KEEP_SIZE) this.#reset();
  }

  /**
   * After a lost connection: written entries that `keep` wants become unwritten, in order; the others leave the ring
   * and are returned.
   */
  rewind(keep: (entry: PendingEntry) => boolean): PendingEntry[] {
    const kept: PendingEntry[] = [];
    const dropped: PendingEntry[] = [];
    for (let cursor = this.head; cursor < this.sent; cursor++) {
      const entry = this.at(cursor);
      (keep(entry) ? kept : dropped).push(entry);
    }
    const order = [...dropped, ...kept];
    for (let i = 0; i < order.length; i++) this.#entries[(this.head + i) & this.#mask] = order[i]!;
    this.head += dropped.length;
    this.sent = this.head;
    for (const entry of kept) entry.written = false;
    return dropped;
  }

  *unfinished(): Generator<PendingEntry> {
    for (let cursor = this.head; cursor < this.tail; cursor++) yield this.at(cursor);
  }

  clear(): void {
    for (const entry of this.unfinished()) this.release(entry);
    this.#reset();
  }

  #reset(): void {
    this.#entries = Array.from({ length: INITIAL_SIZE }, newEntry);
    this.#mask = INITIAL_SIZE - 1;
    this.head = this.sent = this.tail = this.bytes = 0;
  }

  #grow(): void {
    const size = (this.#mask + 1) * 2;
    // New slots get their entry when they are first used: memory follows the commands that wait, not the capacity.
    const entries = new Array<PendingEntry>(size);
    for (let cursor = this.head; cursor < this.tail; cursor++) entries[cursor & (size - 1)] = this.at(cursor);
    this.#entries = entries;
    this.#mask = size - 1;
  }
}
