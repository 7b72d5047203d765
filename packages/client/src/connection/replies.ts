/**
 * Which command a reply answers, and what becomes of it. Replies come in the order of their commands; what comes
 * besides is a push (RESP3), a message of a subscription (RESP2) or a line of MONITOR. A reply that nobody asked for
 * means that replies and commands can no longer be matched, and ends the connection.
 */
import { Flag, isOtherwiseRight, isWhole, kindOf, misread, misshapen } from '../commands/command.js';
import { ErrorReply, ProtocolError } from '../errors.js';
import type { ReplySink } from '../protocol/decoder.js';
import type { RespVersion, TypeMapping } from '../protocol/types.js';
import type { Hold } from './hold.js';
import type { Pending } from './pending.js';
import type { PendingRing } from './pending-ring.js';

/** May take over a command that a server refused without running it (MOVED, READONLY …): then true. */
export type Redirector = (error: ErrorReply, pending: Pending) => boolean;

export interface RepliesListener {
  /** May take over what a server refused. */
  readonly redirector: Redirector | undefined;
  /** Keeps a command that a server which is not ready refused; false: its caller gets the error. */
  takesRefused(error: ErrorReply, pending: Pending): boolean;
  /** A command with {@link Flag.CONNECTION} succeeded. */
  onConnectionChanged(name: string, args: readonly unknown[]): void;
  onPush?(values: unknown[]): void;
  onMonitor?(line: string): void;
  pushMapping?(): TypeMapping | undefined;
}

const SUBSCRIPTION_KINDS = new Set([
  'subscribe',
  'psubscribe',
  'ssubscribe',
  'unsubscribe',
  'punsubscribe',
  'sunsubscribe',
]);
/** The server counts these apart. */
const SHARDED_KINDS = new Set(['ssubscribe', 'sunsubscribe']);
const MESSAGE_KINDS = new Set(['message', 'pmessage', 'smessage', ...SUBSCRIPTION_KINDS]);

export class Replies implements ReplySink {
  /** The commands that are being answered: first those of the handshake, then the callers'. */
  ring: PendingRing;
  resp: RespVersion;
  readonly #listener: RepliesListener;
  /** True if a reply arrived since it was last cleared. */
  replied = false;
  /** The server refuses commands because it is not ready: nothing else is sent. */
  hold: Hold | undefined;
  #pushes: unknown[][] = [];
  #monitoring = false;
  /** Between MULTI and EXEC as commands of their own: what is refused there is sent nowhere else. */
  #inMulti = false;
  /** Subscriptions as the server counts them: channels with patterns, and sharded channels. */
  #subscribed = 0;
  #shardSubscribed = 0;

  constructor(ring: PendingRing, resp: RespVersion, listener: RepliesListener) {
    this.ring = ring;
    this.resp = resp;
    this.#listener = listener;
  }

  /** RESP2 has no pushes: a subscribed connection gets messages as arrays among its replies. */
  get messagesAreReplies(): boolean {
    return this.resp === 2 && this.#subscribed + this.#shardSubscribed > 0;
  }

  mapping(): TypeMapping | undefined {
    // On a connection with messages among its replies nearly all are.
    if (this.messagesAreReplies) return this.pushMapping();
    const { ring } = this;
    return ring.head < ring.sent ? ring.at(ring.head).options.typeMapping : undefined;
  }

  pushMapping(): TypeMapping | undefined {
    return this.#listener.pushMapping?.();
  }

  get hasPushes(): boolean {
    return this.#pushes.length > 0;
  }

  reply(value: unknown): void {
    this.replied = true;
    if (this.resp === 2 && Array.isArray(value) && this.#isMessage(value)) return;
    if (this.#monitoring && this.#isMonitorLine(value)) return;
    const { ring } = this;
    if (ring.head >= ring.sent) throw new ProtocolError('A reply that no command asked for');
    const pending = ring.shift();
    const { resolve } = pending;
    if (resolve === undefined) {
      if ((pending.command.spec.flags & Flag.CONNECTION) !== 0) this.#note(pending, value);
      return;
    }
    if (value instanceof ErrorReply) {
      const { group } = pending;
      if (this.#inMulti) this.#inMulti = pending.command.spec.name !== 'EXEC';
      else {
        const { redirector } = this.#listener;
        if (redirector !== undefined && (group === undefined || group.asking)) {
          pending.park();
          if (redirector(value, pending)) return;
        }
        if (this.#listener.takesRefused(value, pending)) return;
      }
      pending.unwatch();
      pending.fail(value.redact(pending.command.spec.name, pending.command.args));
      return;
    }
    pending.unwatch();
    if (this.hold !== undefined) this.hold.answered(pending, value);
    const { spec, preserve } = pending.command;
    if ((spec.flags & Flag.CONNECTION) !== 0) this.#note(pending, value);
    const { kinds } = spec;
    const read = spec.read[this.resp];
    let result = value;
    if (read !== undefined) {
      try {
        result = read(value, preserve, pending.options.typeMapping);
        if (result !== value && spec.kinds !== 0 && !isWhole(result)) throw misshapen(spec.name);
      } catch (error) {
        pending.fail(misread(spec, error));
        return;
      }
    }
    if (kinds !== 0 && (kindOf(result) & kinds) === 0 && !isOtherwiseRight(result, pending.options.typeMapping))
      pending.fail(misshapen(spec.name));
    else resolve(result);
  }

  push(values: unknown[]): void {
    const kind = values[0];
    if (!hasShape(kind, values)) throw new ProtocolError('A push that does not have the form of its kind');
    if (kind !== 'message') this.#confirm(textOf(kind), values);
    this.#pushes.push(values);
  }

  /** After the chunk is decoded: listeners may do anything, also make another socket use the read buffer. */
  deliverPushes(): void {
    if (this.#pushes.length === 0) return;
    const pushes = this.#pushes;
    this.#pushes = [];
    for (const values of pushes) this.#listener.onPush?.(values);
  }

  /** A command that changes the connection succeeded: what a reconnect has to restore. */
  #note({ command: { spec, args }, group }: Pending, reply: unknown): void {
    if (spec.name === 'EXEC' || spec.name === 'DISCARD') this.#inMulti = false;
    if (reply instanceof ErrorReply) return;
    if (spec.name === 'MULTI') this.#inMulti = group === undefined;
    if (spec.name === 'RESET') {
      this.#monitoring = this.#inMulti = false;
      this.#subscribed = this.#shardSubscribed = 0;
    }
    // In MULTI the answer is QUEUED, and the handshake does what is remembered already.
    if (String(reply) !== 'OK') return;
    if (spec.name === 'MONITOR') this.#monitoring = true;
    this.#listener.onConnectionChanged(spec.name, args);
  }

  /** Counts a confirmation for the subscription command at head, if it is one of its kind. */
  #confirm(kind: string, values: readonly unknown[]): void {
    if (!SUBSCRIPTION_KINDS.has(kind)) return;
    if (SHARDED_KINDS.has(kind)) this.#shardSubscribed = Number(values[2]);
    else this.#subscribed = Number(values[2]);
    const { ring } = this;
    if (ring.head >= ring.sent) return;
    const pending = ring.at(ring.head);
    const { spec, args } = pending.command;
    if (pending.confirmations === 0 || spec.name.toLowerCase() !== kind) return;
    // A shard that loses a slot ends its subscriptions unasked; that answers no command.
    if (kind === 'sunsubscribe' && !args.some((arg) => String(arg) === String(values[1]))) return;
    if (--pending.confirmations > 0) return;
    ring.shift();
    pending.unwatch();
    pending.resolve?.(undefined);
  }

  /**
   * A subscribed connection gets no other arrays that begin so; one that is not subscribed only confirmations, and
   * only when a subscription command is at head.
   */
  #isMessage(values: unknown[]): boolean {
    const kind = Buffer.isBuffer(values[0]) ? values[0].toString() : values[0];
    if (typeof kind !== 'string' || !MESSAGE_KINDS.has(kind) || !hasShape(kind, values)) return false;
    if (!this.messagesAreReplies) {
      const { ring } = this;
      if (ring.head >= ring.sent || ring.at(ring.head).confirmations === 0) return false;
    }
    this.#confirm(kind, values);
    this.#pushes.push(values);
    return true;
  }

  #isMonitorLine(value: unknown): boolean {
    const line = Buffer.isBuffer(value) ? value.toString() : value;
    if (typeof line !== 'string' || !/^\d+\.\d+ \[/.test(line)) return false;
    this.#listener.onMonitor?.(line);
    return true;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString() : '';
}

const isText = (value: unknown) => typeof value === 'string' || Buffer.isBuffer(value);

/**
 * A push of the kinds that are handed to listeners has what they expect. Others may have any form: they are ignored.
 * Messages of `__redis__:invalidate` (RESP2) have keys or null in place of text.
 */
function hasShape(kind: unknown, values: readonly unknown[]): boolean {
  if (kind === 'message') return values.length === 3 && isText(values[1]) && isMessage(values[2]);
  switch (textOf(kind)) {
    case 'message':
    case 'smessage':
      return values.length === 3 && isText(values[1]) && isMessage(values[2]);
    case 'pmessage':
      return values.length === 4 && isText(values[1]) && isText(values[2]) && isMessage(values[3]);
    case 'subscribe':
    case 'psubscribe':
    case 'ssubscribe':
    case 'unsubscribe':
    case 'punsubscribe':
    case 'sunsubscribe':
      return values.length === 3 && (values[1] === null || isText(values[1])) && typeof values[2] === 'number';
    case 'invalidate':
      return values.length === 2 && (values[1] === null || (Array.isArray(values[1]) && values[1].every(isText)));
    default:
      return true;
  }
}

function isMessage(value: unknown): boolean {
  return isText(value) || value === null || (Array.isArray(value) && value.every(isText));
}
