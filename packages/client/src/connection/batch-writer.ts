/**
 * Commands to the socket: what waits in the ring becomes one string and one write.
 *
 *     ring ─> appendText ─> batch ─ sound? ─> socket.write
 *                             └─ no: the same commands again, by encodeCommand
 *
 * Assume that a batch is ASCII, because nearly all commands are, and verify once at the end. If it is not, re-encode it
 * with encodeCommand, and so the next ones.
 */
import type { Socket } from 'node:net';
import { appendText, encodeCommand, soundBatch, type Wire } from '../protocol/encoder.js';
import { type Pending, PendingState } from './pending.js';
import type { PendingRing } from './pending-ring.js';

/**
 * Commands that go out before the turn ends, so that the server works on them while the turn issues more: at least
 * MIN, with many in flight half of these, at most MAX. Without it client and server take turns instead of working at
 * the same time. Measured with a core for each: 50 callers 1.4 times the rate with 32 than with 64; at 1000 callers
 * 256 is as good as 128 and costs less. Where both share a core, fewer and larger writes are better, by a quarter.
 */
const EARLY_MIN = 32;
const EARLY_MAX = 256;
/** Bytes per write call: enough to make the call's cost vanish, little enough to stream. */
const WRITE_CHUNK = 64 * 1024;
/** Batches that are encoded with care after one that was not ASCII. */
const CAREFUL_BATCHES = 64;

/** Enough waits to be worth a write of its own before the turn ends. */
export function fillsBatch(ring: PendingRing): boolean {
  const unsent = ring.tail - ring.sent;
  return unsent >= EARLY_MIN && unsent >= Math.min((ring.sent - ring.head) >> 1, EARLY_MAX);
}

export class BatchWriter {
  readonly #socket: Socket;
  /** Hears of commands that are not sent, since their transaction was given up. */
  readonly #onCancelled: (pending: Pending, error: Error) => void;
  readonly #wire: Wire;
  #careful = 0;
  /** The socket holds enough: nothing is written until it has drained. */
  #full = false;

  constructor(socket: Socket, onCancelled: (pending: Pending, error: Error) => void) {
    this.#socket = socket;
    this.#onCancelled = onCancelled;
    this.#wire = {
      text: '',
      flush: (text, large) => {
        socket.cork();
        socket.write(text, 'latin1');
        if (large.length > 0) socket.write(large);
        socket.uncork();
      },
    };
  }

  drained(): void {
    this.#full = false;
  }

  /** Writes what waits, as far as the socket takes it, and up to the cursor `end`. */
  write(ring: PendingRing, end = Number.POSITIVE_INFINITY): void {
    // It was ended: what it would refuse waits for the next socket, instead of counting as perhaps executed.
    if (!this.#socket.writable) return;
    const wire = this.#wire;
    let batch = '';
    let from = ring.sent;
    while (ring.sent < ring.tail && ring.sent < end && !this.#full) {
      const pending = ring.at(ring.sent++);
      if (pending.state === PendingState.SKIPPED) continue;
      const { group } = pending;
      if (group !== undefined) {
        if (group.cancelled !== undefined) {
          this.#onCancelled(pending, group.cancelled);
          continue;
        }
        group.started = true;
      }
      pending.state = PendingState.WRITTEN;
      const { spec, args } = pending.command;
      const longer = this.#careful > 0 ? undefined : appendText(batch, spec, args);
      if (longer === undefined) {
        this.#seal(batch, ring, from, ring.sent - 1);
        batch = '';
        from = ring.sent;
        encodeCommand(wire, spec.words, spec.head, args);
        if (this.#socket.writableNeedDrain) this.#full = true;
      } else batch = longer;
      if (batch.length + wire.text.length < WRITE_CHUNK) continue;
      this.#seal(batch, ring, from, ring.sent);
      batch = '';
      from = ring.sent;
      this.#flush();
    }
    this.#seal(batch, ring, from, ring.sent);
    this.#flush();
    if (this.#careful > 0) this.#careful--;
    ring.trim();
  }

  /** The batch, which stands for what was written of the ring between two cursors, is final. */
  #seal(batch: string, ring: PendingRing, from: number, to: number): void {
    if (batch === '') return;
    const sound = soundBatch(batch);
    if (sound !== undefined) {
      this.#wire.text += sound;
      return;
    }
    this.#careful = CAREFUL_BATCHES;
    for (let cursor = from; cursor < to; cursor++) {
      const { state, command } = ring.at(cursor);
      if (state === PendingState.WRITTEN)
        encodeCommand(this.#wire, command.spec.words, command.spec.head, command.args);
    }
  }

  #flush(): void {
    const { text } = this.#wire;
    if (text === '') return;
    this.#wire.text = '';
    if (!this.#socket.write(text, 'latin1')) this.#full = true;
  }
}
