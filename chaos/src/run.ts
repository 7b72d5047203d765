/** One scenario under load: prepare, strike and heal as the scenario says, stop, and ask the server. */
import { type Random, type RawReply, randomFrom } from '@redkeep/testing';
import { type Counts, Ledger } from './ledger.js';
import { type LoadClient, Workload } from './workload.js';

/** Sends a command to the node that holds the key, without the client that is tested. */
export type Truth = (...args: [command: string, key: string, ...rest: string[]]) => Promise<RawReply>;

export interface Scenario {
  readonly name: string;
  /** What is started for it. */
  readonly topology: 'standalone' | 'sentinel' | 'cluster';
  /** Failovers may lose acknowledged writes: replication is asynchronous. Then losses are reported, not failures. */
  readonly mayLose?: boolean;
  run(options: RunOptions): Promise<Report>;
}

export interface RunOptions {
  readonly name: string;
  readonly seed: number;
  /** How long faults go on. */
  readonly seconds: number;
  readonly mayLose: boolean;
  /** Several servers pass messages on: they need not come in order. */
  readonly manyServers?: boolean;
}

export interface Report extends Counts {
  readonly name: string;
  readonly operations: number;
  readonly faults: number;
  /** Milliseconds from the end of each fault until every caller had success again. */
  readonly recoveries: readonly number[];
  readonly unsettled: number;
  /** What the client did that it promises never to do. */
  readonly violations: readonly string[];
  readonly notes: readonly string[];
}

/** What a scenario does while the load goes on. */
export interface Strikes {
  readonly random: Random;
  /** False when the time is over; true at least once. */
  more(): boolean;
  /** A fault: `inject` does it and undoes it. Waits until every caller has success again. */
  strike(inject: () => unknown): Promise<void>;
  note(text: string): void;
}

const SIZE = { registers: 24, counters: 6, logs: 4, pairs: 2, queues: 3 };
/** Every other seed subscribes on the client under load: then commands that wait take connections apart. */
const channels = (seed: number) => (seed % 2) * 2;

export async function underLoad(
  options: RunOptions,
  client: LoadClient,
  truth: Truth,
  body: (strikes: Strikes) => Promise<void>,
): Promise<Report> {
  const ledger = new Ledger({ ...SIZE, channels: channels(options.seed) });
  const random = randomFrom(options.seed);
  const workload = new Workload(client, ledger, randomFrom(options.seed + 1));
  const recoveries: number[] = [];
  const notes: string[] = [];
  const violations: string[] = [];
  for (const { key, base } of ledger.counters) await truth('SET', key, String(base));
  for (const { keys, counter } of ledger.pairs) for (const key of keys) await truth('SET', key, String(counter.base));

  const began = performance.now();
  workload.start();
  await workload.recovered(began);
  let strikes = 0;
  const end = performance.now() + options.seconds * 1000;
  try {
    await body({
      random,
      more: () => strikes === 0 || performance.now() < end,
      strike: async (inject) => {
        strikes++;
        await inject();
        recoveries.push(await workload.recovered(performance.now()));
      },
      note: (text) => notes.push(text),
    });
  } catch (error) {
    violations.push(String(error));
  }
  const unsettled = await workload.stop();
  for (const channel of ledger.channels) {
    const { name, published, messages, late } = channel;
    notes.push(`${name}: ${messages} of ${published} messages arrived, ${late} again or late`);
    if (options.manyServers !== true) ledger.checkChannel(channel);
  }
  await close(client);
  await ask(ledger, truth);

  const { counts } = ledger;
  if (unsettled > 0) violations.push(`${unsettled} promises never settled`);
  for (const [name, times] of workload.unexpected) violations.push(`unexpected error ${name}, ${times} times`);
  const forbidden: (keyof Counts)[] = ['swapped', 'doubled', 'ranThoughRefused'];
  if (!options.mayLose) forbidden.push('lost', 'backwards');
  for (const kind of forbidden) if (counts[kind] > 0) violations.push(`${kind}: ${counts[kind]}`);
  if (violations.length > 0) violations.push(...ledger.evidence);
  return {
    ...counts,
    name: options.name,
    operations: workload.operations,
    faults: strikes,
    recoveries,
    unsettled,
    violations,
    notes,
  };
}

/** In good order if it can be, and at once otherwise: by now nothing is under way. */
async function close(client: LoadClient): Promise<void> {
  try {
    await client.close();
  } catch {
    client.destroy();
  }
}

async function ask(ledger: Ledger, truth: Truth): Promise<void> {
  const number = async (key: string) => Number(await truth('GET', key));
  for (const register of ledger.registers) ledger.checkRegister(register, text(await truth('GET', register.key)));
  for (const counter of ledger.counters) ledger.checkCounter(counter, await number(counter.key));
  for (const log of ledger.logs) {
    const elements = (await truth('LRANGE', log.key, '0', '-1')) as RawReply[];
    ledger.checkLog(log, elements.map(String));
  }
  for (const queue of ledger.queues)
    ledger.checkQueue(queue, ((await truth('LRANGE', queue.key, '0', '-1')) as RawReply[]).map(String));
  for (const pair of ledger.pairs) {
    const [a, b] = pair.keys;
    ledger.checkPair(pair, await number(a), await number(b));
  }
}

function text(reply: RawReply): string | null {
  return reply === null ? null : String(reply);
}
