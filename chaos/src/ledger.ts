/**
 * What a run wrote, what the client reported, and whether the two agree. Values carry their key and a sequence number, so
 * that a swapped, old or foreign reply shows; list elements are unique, so that a command that ran twice shows.
 */

/** What a command's promise says about the command. */
export type Outcome = 'acknowledged' | 'uncertain' | 'refused';

export interface Counts {
  acknowledged: number;
  /** MaybeExecuted, or no answer in time: it may have run. */
  uncertain: number;
  /** The client says that it never ran. */
  refused: number;
  /** Replies that belong to another command. */
  swapped: number;
  /** Commands that ran twice. */
  doubled: number;
  /** Acknowledged writes that are not there at the end. */
  lost: number;
  /** Reads that gave an older acknowledged value than was known already. */
  backwards: number;
  /** Commands that ran although their promise said that they had not. */
  ranThoughRefused: number;
}

/** One key written by SET, by one writer; read by anyone. */
export interface Register {
  readonly key: string;
  issued: number;
  acknowledged: number;
  /** Highest that a read has shown. */
  seen: number;
  readonly uncertain: Set<number>;
  readonly refused: Set<number>;
}

/** One key counted by INCR, from a base of its own, so that a reply of another counter shows. */
export interface Counter {
  readonly key: string;
  readonly base: number;
  issued: number;
  acknowledged: number;
  uncertain: number;
}

/** One list of unique elements. */
export interface Log {
  readonly key: string;
  readonly outcomes: Map<string, Outcome>;
}

/** Two counters that only a transaction changes, so they are always equal. */
export interface Pair {
  readonly keys: readonly [string, string];
  readonly counter: Counter;
}

/** One queue: elements go in with RPUSH and come out with BLPOP, each once. */
export interface Queue {
  readonly key: string;
  /** What became of each push. */
  readonly pushed: Map<string, Outcome>;
  readonly popped: Set<string>;
  /** Pops of which it is not known whether they took an element. */
  uncertainPops: number;
}

/**
 * One channel: messages are numbered, and may be missing. From one server they come at most once and in order; in a
 * cluster, whose nodes pass them on, and through failovers they need not.
 */
export interface Channel {
  readonly name: string;
  published: number;
  received: number;
  messages: number;
  /** Those that came again, or after a later one. */
  late: number;
}

const PADDING = ['', 'é'.repeat(1500), 'x'.repeat(40_000)] as const;

/** Mostly short; some large and not ASCII, to be cut in the middle. */
export function valueFor(key: string, sequence: number): string {
  const padding = sequence % 64 === 63 ? PADDING[2] : sequence % 16 === 15 ? PADDING[1] : PADDING[0];
  return `${key}|${sequence}|${padding}`;
}

export class Ledger {
  readonly registers: readonly Register[];
  readonly counters: readonly Counter[];
  readonly logs: readonly Log[];
  readonly pairs: readonly Pair[];
  readonly queues: readonly Queue[];
  readonly channels: readonly Channel[];
  readonly counts: Counts = {
    acknowledged: 0,
    uncertain: 0,
    refused: 0,
    swapped: 0,
    doubled: 0,
    lost: 0,
    backwards: 0,
    ranThoughRefused: 0,
  };
  /** The first few things that went wrong, in words. */
  readonly evidence: string[] = [];

  constructor(size: Readonly<Record<'registers' | 'counters' | 'logs' | 'pairs' | 'queues' | 'channels', number>>) {
    const counter = (key: string, index: number): Counter => ({
      key,
      base: (index + 1) * 1_000_000_000,
      issued: 0,
      acknowledged: 0,
      uncertain: 0,
    });
    this.registers = each(size.registers, (i) => ({
      key: `register:${i}`,
      issued: 0,
      acknowledged: 0,
      seen: 0,
      uncertain: new Set(),
      refused: new Set(),
    }));
    this.counters = each(size.counters, (i) => counter(`counter:${i}`, i));
    this.logs = each(size.logs, (i) => ({ key: `log:${i}`, outcomes: new Map() }));
    this.queues = each(size.queues, (i) => ({
      key: `queue:${i}`,
      pushed: new Map(),
      popped: new Set(),
      uncertainPops: 0,
    }));
    this.channels = each(size.channels, (i) => ({
      name: `channel:${i}`,
      published: 0,
      received: 0,
      messages: 0,
      late: 0,
    }));
    this.pairs = each(size.pairs, (i) => ({
      keys: [`{pair:${i}}:a`, `{pair:${i}}:b`],
      counter: counter(`{pair:${i}}`, size.counters + i),
    }));
  }

  settled(outcome: Outcome): void {
    this.counts[outcome]++;
  }

  /** The oldest sequence that a read issued now may give. */
  floor(register: Register): number {
    return Math.max(register.acknowledged, register.seen);
  }

  /** @param floor as it was when the read was issued */
  read(register: Register, floor: number, value: unknown): void {
    if (value === null && floor === 0) return;
    const sequence = this.#sequence(register, value);
    if (sequence === undefined) return;
    if (sequence > register.seen) register.seen = sequence;
    // A write whose connection broke may still lie in a buffer and run later, over newer ones: its call had rejected.
    if (sequence < floor && !register.uncertain.has(sequence))
      this.#wrong('backwards', `${register.key}: read ${sequence} after ${floor} was known`);
  }

  /** The reply of INCR. */
  counted(counter: Counter, value: unknown): void {
    if (typeof value !== 'number' || value <= counter.base || value > counter.base + counter.issued)
      this.#wrong('swapped', `${counter.key}: INCR gave ${String(value)}`);
  }

  /** The reply of BLPOP. */
  taken(queue: Queue, value: unknown): void {
    if (value === null) return;
    const { key, element } = (value ?? {}) as { key?: unknown; element?: unknown };
    if (key !== queue.key || typeof element !== 'string' || !queue.pushed.has(element)) {
      this.#wrong('swapped', `${queue.key}: BLPOP gave ${JSON.stringify(value)?.slice(0, 100)}`);
      return;
    }
    if (queue.popped.has(element)) this.#wrong('doubled', `${queue.key}: ${element} came out twice`);
    queue.popped.add(element);
  }

  /** A message of a subscription. */
  received(channel: Channel, message: unknown, from: unknown): void {
    const [name, text] = typeof message === 'string' ? message.split('|', 2) : [];
    const sequence = Number(text);
    if (from !== channel.name || name !== channel.name || !(sequence >= 1 && sequence <= channel.published)) {
      this.#wrong('swapped', `${channel.name}: received ${String(message).slice(0, 100)} of ${String(from)}`);
      return;
    }
    if (sequence > channel.received) channel.received = sequence;
    else channel.late++;
    channel.messages++;
  }

  /** A reply that has to be just this. */
  expected(what: string, value: unknown, fits: boolean): void {
    if (!fits) this.#wrong('swapped', `${what} gave ${JSON.stringify(value)?.slice(0, 100)}`);
  }

  // ---------------------------------------------------------------- the end: what the server says

  checkRegister(register: Register, value: unknown): void {
    if (value === null) {
      if (register.acknowledged > 0) this.#wrong('lost', `${register.key} is gone`);
      return;
    }
    const sequence = this.#sequence(register, value);
    if (sequence !== undefined && sequence < register.acknowledged && !register.uncertain.has(sequence))
      this.#wrong('lost', `${register.key}: ${sequence} is left, ${register.acknowledged} was acknowledged`);
  }

  checkCounter(counter: Counter, value: number): void {
    const ran = value - counter.base;
    const most = counter.acknowledged + counter.uncertain;
    if (ran > most) this.#wrong('doubled', `${counter.key}: ran ${ran} times, at most ${most} were sent`, ran - most);
    if (ran < counter.acknowledged)
      this.#wrong('lost', `${counter.key}: ${ran} of ${counter.acknowledged}`, counter.acknowledged - ran);
  }

  checkLog(log: Log, elements: readonly string[]): void {
    const found = new Set<string>();
    for (const element of elements) {
      if (found.has(element)) this.#wrong('doubled', `${log.key}: ${element} twice`);
      found.add(element);
      const outcome = log.outcomes.get(element);
      if (outcome === undefined) this.#wrong('swapped', `${log.key}: holds ${element}, which was not for it`);
      else if (outcome === 'refused') this.#wrong('ranThoughRefused', `${log.key}: ${element} is there`);
    }
    for (const [element, outcome] of log.outcomes)
      if (outcome === 'acknowledged' && !found.has(element)) this.#wrong('lost', `${log.key}: ${element} is not there`);
  }

  /** @param left what is in the queue at the end */
  checkQueue(queue: Queue, left: readonly string[]): void {
    const there = new Set(left);
    let missing = 0;
    for (const element of there) {
      if (!queue.pushed.has(element)) this.#wrong('swapped', `${queue.key}: holds ${element}, which was not for it`);
      if (queue.popped.has(element)) this.#wrong('doubled', `${queue.key}: ${element} is there and came out`);
    }
    for (const [element, outcome] of queue.pushed) {
      const isThere = there.has(element) || queue.popped.has(element);
      if (isThere && outcome === 'refused') this.#wrong('ranThoughRefused', `${queue.key}: ${element} is there`);
      if (!isThere && outcome === 'acknowledged') missing++;
    }
    // A pop whose answer was lost may have taken one; its call had rejected.
    if (missing > queue.uncertainPops)
      this.#wrong('lost', `${queue.key}: ${missing} elements, ${queue.uncertainPops} pops uncertain`, missing);
  }

  /** At the end, where one server passed the messages on. */
  checkChannel({ name, late }: Channel): void {
    if (late > 0) this.#wrong('doubled', `${name}: ${late} messages came again or too late`, late);
  }

  checkPair(pair: Pair, a: number, b: number): void {
    if (a !== b) this.#wrong('lost', `${pair.keys.join(' and ')} differ: ${a}, ${b}`);
    this.checkCounter(pair.counter, a);
  }

  #sequence(register: Register, value: unknown): number | undefined {
    const [key, text] = typeof value === 'string' ? value.split('|', 2) : [];
    const sequence = Number(text);
    if (key !== register.key || value !== valueFor(register.key, sequence) || sequence > register.issued) {
      this.#wrong('swapped', `${register.key}: read ${String(value).slice(0, 100)}`);
      return undefined;
    }
    if (register.refused.has(sequence)) this.#wrong('ranThoughRefused', `${register.key}: ${sequence} was read`);
    return sequence;
  }

  #wrong(kind: keyof Counts, evidence: string, times = 1): void {
    this.counts[kind] += times;
    if (this.evidence.length < 10) this.evidence.push(`${kind}: ${evidence}`);
  }
}

function each<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
