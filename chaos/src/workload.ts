/** Callers that never stop: readers, writers, counters and transactions on one client, with everything noted. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, waitFor } from '@redkeep/testing';
import type { Channel, Counter, Ledger, Log, Outcome, Pair, Queue, Register } from './ledger.js';
import { valueFor } from './ledger.js';

/** What all three kinds of client offer. */
export interface LoadClient {
  get(key: string): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
  incr(key: string): Promise<unknown>;
  rPush(key: string, element: string): Promise<unknown>;
  blPop(key: string, seconds: number): Promise<unknown>;
  publish(channel: string, message: string): Promise<unknown>;
  subscribe(channel: string, listener: (message: unknown, channel: unknown) => unknown): Promise<unknown>;
  multi(): { incr(key: string): { incr(key: string): { exec(): Promise<unknown> } } };
  close(): Promise<unknown> | unknown;
  destroy(): unknown;
}

/** Errors that say that the command did not run. All others of the client leave it open. */
const NOT_RUN = new Set([
  'REDKEEP_SERVER',
  'REDKEEP_QUEUE_FULL',
  'REDKEEP_CLIENT_OFFLINE',
  'REDKEEP_NO_NODE',
  'REDKEEP_TOO_MANY_REDIRECTS',
  'REDKEEP_SOCKET_CLOSED',
  'REDKEEP_WRONG_ROLE',
]);
const UNCERTAIN = new Set(['REDKEEP_MAYBE_EXECUTED', 'REDKEEP_TIMEOUT']);

/** Longest that promises may take to settle when the load has ended and the server is there: beyond every timeout. */
const SETTLE_MS = 15_000;
const RECOVERY_MS = 60_000;
const BURST = 4;

export class Workload {
  readonly #client: LoadClient;
  readonly #ledger: Ledger;
  readonly #random: Random;
  /** For each caller: when its last successful operation was issued. */
  readonly #lastSuccess: number[] = [];
  readonly #callers: Promise<void>[] = [];
  /** Errors that no command of this load should ever give, by name. */
  readonly unexpected = new Map<string, number>();
  operations = 0;
  #pending = 0;
  #stopped = false;

  constructor(client: LoadClient, ledger: Ledger, random: Random) {
    this.#client = client;
    this.#ledger = ledger;
    this.#random = random;
  }

  start(): void {
    const { registers, counters, logs, pairs } = this.#ledger;
    for (const register of registers) {
      this.#caller(() => this.#write(register));
      this.#caller(() => this.#read(registers[this.#random(registers.length)]!));
    }
    for (const counter of counters) this.#caller(() => this.#burst(() => this.#count(counter)));
    for (const log of logs) this.#caller(() => this.#burst(() => this.#append(log)));
    for (const pair of pairs) this.#caller(() => this.#transact(pair));
    for (const queue of this.#ledger.queues) {
      this.#caller(() => this.#push(queue));
      this.#caller(() => this.#pop(queue));
    }
    for (const channel of this.#ledger.channels) {
      // On the same client: where it is subscribed, commands that wait take another way.
      this.#client
        .subscribe(channel.name, (message, from) => this.#ledger.received(channel, message, from))
        .catch(() => {});
      this.#caller(() => this.#publish(channel));
    }
  }

  /** Milliseconds from `since` until every caller had success with an operation issued after it. */
  async recovered(since: number): Promise<number> {
    await waitFor(() => this.#lastSuccess.every((at) => at > since), {
      timeout: RECOVERY_MS,
      interval: 2,
      message: 'every caller to succeed again',
    });
    return performance.now() - since;
  }

  /** Ends the load; gives the number of promises that do not settle. */
  async stop(): Promise<number> {
    this.#stopped = true;
    const timer = new AbortController();
    await Promise.race([
      Promise.all(this.#callers),
      sleep(SETTLE_MS, undefined, { signal: timer.signal }).catch(() => {}),
    ]);
    timer.abort();
    return this.#pending;
  }

  #caller(operation: () => Promise<boolean>): void {
    const index = this.#lastSuccess.push(0) - 1;
    const loop = async () => {
      while (!this.#stopped) {
        const issued = performance.now();
        if (await operation()) this.#lastSuccess[index] = issued;
        await sleep(1 + this.#random(4));
      }
    };
    this.#callers.push(loop());
  }

  async #burst(operation: () => Promise<boolean>): Promise<boolean> {
    const results = await Promise.all(Array.from({ length: BURST }, operation));
    return results.every((success) => success);
  }

  /** Runs one command and says what became of it. */
  async #do(command: () => Promise<unknown>, accept: (value: unknown) => void): Promise<Outcome> {
    this.operations++;
    this.#pending++;
    let outcome: Outcome;
    try {
      accept(await command());
      outcome = 'acknowledged';
    } catch (error) {
      outcome = this.#outcomeOf(error as Error & { code?: string });
    }
    this.#pending--;
    this.#ledger.settled(outcome);
    return outcome;
  }

  #outcomeOf(error: Error & { code?: string }): Outcome {
    const { code = error.name } = error;
    // The one error with two meanings: its text says whether the command had been sent.
    if (code === 'REDKEEP_TIMEOUT' && /: not (sent|served) /.test(error.message)) return 'refused';
    if (NOT_RUN.has(code)) return 'refused';
    if (!UNCERTAIN.has(code)) this.unexpected.set(code, (this.unexpected.get(code) ?? 0) + 1);
    return 'uncertain';
  }

  async #write(register: Register): Promise<boolean> {
    const sequence = ++register.issued;
    const outcome = await this.#do(
      () => this.#client.set(register.key, valueFor(register.key, sequence)),
      (value) => this.#ledger.expected('SET', value, value === 'OK'),
    );
    if (outcome === 'acknowledged') register.acknowledged = sequence;
    else register[outcome].add(sequence);
    return outcome === 'acknowledged';
  }

  async #read(register: Register): Promise<boolean> {
    const floor = this.#ledger.floor(register);
    const outcome = await this.#do(
      () => this.#client.get(register.key),
      (value) => this.#ledger.read(register, floor, value),
    );
    return outcome === 'acknowledged';
  }

  async #count(counter: Counter): Promise<boolean> {
    counter.issued++;
    const outcome = await this.#do(
      () => this.#client.incr(counter.key),
      (value) => this.#ledger.counted(counter, value),
    );
    if (outcome !== 'refused') counter[outcome]++;
    return outcome === 'acknowledged';
  }

  async #append(log: Log): Promise<boolean> {
    const element = `${log.key}|${log.outcomes.size}`;
    log.outcomes.set(element, 'uncertain');
    const outcome = await this.#do(
      () => this.#client.rPush(log.key, element),
      (value) =>
        this.#ledger.expected('RPUSH', value, typeof value === 'number' && value > 0 && value <= log.outcomes.size),
    );
    log.outcomes.set(element, outcome);
    return outcome === 'acknowledged';
  }

  async #push(queue: Queue): Promise<boolean> {
    const element = `${queue.key}|${queue.pushed.size}`;
    queue.pushed.set(element, 'uncertain');
    const outcome = await this.#do(
      () => this.#client.rPush(queue.key, element),
      (value) => this.#ledger.expected('RPUSH', value, typeof value === 'number' && value > 0),
    );
    queue.pushed.set(element, outcome);
    return outcome === 'acknowledged';
  }

  async #pop(queue: Queue): Promise<boolean> {
    const outcome = await this.#do(
      () => this.#client.blPop(queue.key, 0.2),
      (value) => this.#ledger.taken(queue, value),
    );
    if (outcome === 'uncertain') queue.uncertainPops++;
    return outcome === 'acknowledged';
  }

  async #publish(channel: Channel): Promise<boolean> {
    const message = `${channel.name}|${++channel.published}`;
    const outcome = await this.#do(
      () => this.#client.publish(channel.name, message),
      (value) => this.#ledger.expected('PUBLISH', value, typeof value === 'number' && value >= 0),
    );
    return outcome === 'acknowledged';
  }

  async #transact({ keys: [a, b], counter }: Pair): Promise<boolean> {
    counter.issued++;
    const outcome = await this.#do(
      () => this.#client.multi().incr(a).incr(b).exec(),
      (value) => {
        const [first, second] = Array.isArray(value) ? value : [];
        this.#ledger.expected('EXEC', value, first === second);
        this.#ledger.counted(counter, first);
      },
    );
    if (outcome !== 'refused') counter[outcome]++;
    return outcome === 'acknowledged';
  }
}
