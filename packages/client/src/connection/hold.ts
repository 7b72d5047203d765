/**
 * Commands that a server refused because it is not ready to run any: it loads its data (LOADING), has lost its master
 * (MASTERDOWN) or runs a script or a module's command for too long (BUSY). Nothing of them has run, so they are sent
 * again when the server answers, in their order, within their time limits. Until then one is tried at a time. Where the
 * connection follows a primary (Sentinel), writes that a primary refused because it became a replica are kept too, for
 * the next primary.
 *
 *     refused ─> add ─> (all that was on its way is answered) ─> take ─> in front of the queue ─> wait ─> the first again
 */
import { clearTimeout, setTimeout } from '../clock.js';
import { Flag } from '../commands/command.js';
import type { ErrorReply } from '../errors.js';
import { type Group, type Pending, PendingState } from './pending.js';
import { defaultReconnectStrategy } from './reconnect.js';
import { isDemoted, isNotReady } from './refusals.js';

/** Answers of these say nothing about the order of what changes data. */
const CHANGES_NOTHING = Flag.READONLY | Flag.REPEATABLE | Flag.CONNECTION | Flag.PUBSUB;

export class Hold {
  /** Out of the queue, by the order of their answers; a transaction's members are added with its last answer. */
  readonly #refused = new Map<Pending, ErrorReply>();
  /** Transactions of which a member was refused, until their last answer. */
  readonly #groups = new Map<Group, Map<Pending, ErrorReply>>();
  /** What was refused and is in the queue again. */
  #waiting = new WeakMap<Pending, ErrorReply>();
  #last: ErrorReply;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #answers = false;

  readonly #followsPrimary: boolean;

  constructor(first: ErrorReply, followsPrimary: boolean) {
    this.#last = first;
    this.#followsPrimary = followsPrimary;
  }

  #keeps(error: ErrorReply): boolean {
    return isNotReady(error) || (this.#followsPrimary && isDemoted(error));
  }

  /** Why nothing is sent. */
  get refusal(): ErrorReply {
    return this.#last;
  }
  /** The server has answered something since it refused the last command. */
  get isOver(): boolean {
    return this.#answers;
  }

  /** Keeps a command that was refused. False: its caller gets the error. */
  add(pending: Pending, error: ErrorReply): boolean {
    const { group } = pending;
    if (group === undefined) {
      if (pending.confirmations > 0 || !this.#keeps(error)) return false;
      this.#note(error);
      this.#refused.set(pending, error);
      return true;
    }
    return group.members !== undefined && this.#addMember(group, group.members, pending, error);
  }

  /** Of a transaction all members are kept, since a refusal of one made the server refuse the whole. */
  #addMember(group: Group, members: readonly Pending[], pending: Pending, error: ErrorReply): boolean {
    let refused = this.#groups.get(group);
    if (this.#keeps(error)) {
      this.#note(error);
      refused ??= new Map();
      this.#groups.set(group, refused.set(pending, error));
    } else if (refused === undefined) return false;
    if (pending !== members.at(-1)) {
      if (this.#keeps(error)) return true;
      this.#giveUp(group);
      return false;
    }
    if (!this.#keeps(error) && error.prefix !== 'EXECABORT') {
      this.#giveUp(group);
      return false;
    }
    this.#groups.delete(group);
    for (const member of members) this.#refused.set(member, this.#last);
    return true;
  }

  #note(error: ErrorReply): void {
    this.#last = error;
    this.#answers = false;
  }

  #giveUp(group: Group): void {
    const refused = this.#groups.get(group);
    this.#groups.delete(group);
    for (const [pending, error] of refused ?? []) reject(pending, error);
  }

  /**
   * A command was answered. Where it may have changed something, writes that were refused before it have lost their
   * place in the order, and are given back to their callers.
   */
  answered({ command: { spec }, group }: Pending, value: unknown): void {
    if (group !== undefined && this.#groups.has(group)) {
      // The server ran a transaction although it refused one of its commands.
      if (spec.name === 'EXEC') this.#giveUp(group);
      return;
    }
    if (value === 'QUEUED') return;
    this.#answers = true;
    if ((spec.flags & CHANGES_NOTHING) !== 0 && spec.name !== 'EXEC') return;
    for (const [pending, error] of this.#refused) {
      if ((pending.command.spec.flags & (Flag.READONLY | Flag.REPEATABLE)) !== 0 && pending.group === undefined)
        continue;
      this.#refused.delete(pending);
      reject(pending, error);
    }
  }

  /** What was refused, in order, for the queue. */
  take(): Pending[] {
    const taken = [...this.#refused].filter(([pending]) => isWaitedFor(pending));
    this.#refused.clear();
    for (const [pending, error] of taken) {
      this.#waiting.set(pending, error);
      pending.state = PendingState.WAITING;
      if (pending.group !== undefined) pending.group.started = false;
    }
    return taken.map(([pending]) => pending);
  }

  /** Calls `again` later than the last time. */
  wait(again: (attempt: number) => void): void {
    clearTimeout(this.#timer);
    const delay = defaultReconnectStrategy(this.#attempt++, this.#last) as number;
    this.#timer = setTimeout(again, delay, this.#attempt).unref();
  }

  /** The socket is gone: what was refused, for the next one. */
  end(): Pending[] {
    clearTimeout(this.#timer);
    for (const group of [...this.#groups.keys()]) this.#giveUp(group);
    return this.take();
  }

  /** The refusal of a command that is in the queue again. */
  refusalOf(pending: Pending): ErrorReply | undefined {
    return this.#waiting.get(pending);
  }

  /** Rejects what is due of what is not in the queue; returns the earliest deadline that is left. */
  expire(now: number): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const refused of [this.#refused, ...this.#groups.values()])
      for (const [pending, error] of refused) {
        const { deadline } = pending;
        if (deadline === 0) continue;
        if (deadline <= now) reject(pending, error);
        else if (deadline < earliest) earliest = deadline;
      }
    return earliest;
  }
}

/** A transaction's caller waits for its last command. */
function isWaitedFor(pending: Pending): boolean {
  return (pending.group?.members?.at(-1) ?? pending).reject !== undefined;
}

function reject(pending: Pending, error: ErrorReply): void {
  const { spec, args } = pending.command;
  pending.detach()?.(error.redact(spec.name, args));
}
