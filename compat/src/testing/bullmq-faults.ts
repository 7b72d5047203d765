/**
 * A queue of BullMQ while its connections are killed and its servers fail: which jobs are lost, added twice or run
 * twice, on ioredis and on Redkeep in its place.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startSentinel, startServer, waitFor } from '@redkeep/testing';
import { Queue, Worker } from 'bullmq';
import { Redis as Ioredis } from 'ioredis';
import { Redis as Redkeep } from 'redkeep/ioredis';

const connectRedkeep = (options: object) => new Redkeep(options) as unknown as Ioredis;
export const CLIENTS = {
  redkeep: connectRedkeep,
  /** The completion of a job is sent again when its answer is lost. */
  'redkeep, idempotentCommands': (options: object) =>
    connectRedkeep({ ...options, idempotentCommands: ['moveToFinished*'] }),
  ioredis: (options: object) => new Ioredis(options),
} as const;
export type ClientName = keyof typeof CLIENTS;

export interface Outcome {
  /** Jobs whose `add` resolved. */
  readonly acknowledged: number;
  /** Jobs whose `add` rejected: they may be in the queue, once. */
  readonly refused: number;
  readonly faults: number;
  /** Acknowledged, but never run. */
  readonly lost: number;
  /** One call of `add`, two jobs. */
  readonly addedTwice: number;
  /** One job, run more than once: BullMQ runs a job again whose worker seems to be gone. */
  readonly ranTwice: number;
}

/** Where clients connect to, and what goes wrong there. */
interface Place extends AsyncDisposable {
  readonly options: object;
  fault(): Promise<void>;
}
export interface Scenario {
  readonly name: string;
  /** Replication is asynchronous: what the old primary alone had is gone, with every client. */
  readonly mayLose: boolean;
  open(): Promise<Place>;
}

const address = ({ port }: Server) => ({ host: '127.0.0.1', port });

/** One server, which keeps what it acknowledged. */
function standalone(name: string, fault: (server: Server) => Promise<void>): Scenario {
  return {
    name,
    mayLose: false,
    open: async () => {
      const server = await startServer({ appendonly: true, config: ['appendfsync always'] });
      return {
        options: address(server),
        fault: () => fault(server),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}

export const SCENARIOS: readonly Scenario[] = [
  standalone('CLIENT KILL', async (server) => {
    await sleep(30);
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  }),
  standalone('server killed (kill -9), then back', async (server) => {
    await sleep(300);
    await server.kill('SIGKILL');
    await server.start();
  }),
  standalone('server stopped (SIGSTOP) for a second', async (server) => {
    await sleep(300);
    server.pause();
    await sleep(1000);
    server.resume();
  }),
  {
    name: 'failover by Sentinel, the old primary killed',
    mayLose: true,
    open: async () => {
      const setup = await startSentinel({ replicas: 2, sentinels: 3 });
      return {
        options: { sentinels: setup.sentinels.map(address), name: setup.name },
        fault: async () => {
          await sleep(500);
          const old = await setup.currentPrimary();
          await old.kill('SIGKILL');
          await setup.failedOver(old);
          await old.start();
        },
        [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
      };
    },
  },
];

/**
 * BullMQ's locks of 30 s, and its 15 s until it asks again after a lost connection, at a tenth: every fault's aftermath
 * would last as long.
 */
const LOCK_MS = 3000;
const RETRY_MS = 1500;
const CALLERS = 8;

/** Runs a queue on one client while faults happen for so long, at least one. */
export async function runScenario(scenario: Scenario, client: ClientName, seconds: number): Promise<Outcome> {
  await using place = await scenario.open();
  const connect = () => CLIENTS[client]({ ...place.options, maxRetriesPerRequest: null }).on('error', () => {});
  const [producing, consuming] = [connect(), connect()];
  const queue = new Queue<{ n: number }>('faults', { connection: producing });
  /** Number of the `add` call -> runs of each of its jobs. */
  const runs = new Map<number, Map<string, number>>();
  const worker = new Worker<{ n: number }>(
    'faults',
    async ({ id, data: { n } }) => {
      const jobs = runs.get(n) ?? new Map<string, number>();
      runs.set(n, jobs.set(id!, (jobs.get(id!) ?? 0) + 1));
    },
    {
      connection: consuming,
      concurrency: CALLERS,
      lockDuration: LOCK_MS,
      stalledInterval: LOCK_MS,
      maxStalledCount: 1000,
      drainDelay: 1,
      runRetryDelay: RETRY_MS,
    },
  );
  queue.on('error', () => {});
  worker.on('error', () => {});
  await worker.waitUntilReady();

  const acknowledged = new Set<number>();
  let added = 0;
  let stopped = false;
  const caller = async () => {
    while (!stopped) {
      const n = added++;
      await queue.add('job', { n }).then(
        () => acknowledged.add(n),
        () => {},
      );
      await sleep(1);
    }
  };
  const callers = Array.from({ length: CALLERS }, caller);
  let faults = 0;
  for (const end = performance.now() + seconds * 1000; faults === 0 || performance.now() < end; faults++)
    await place.fault();
  // Every caller has success once more: the connections are back.
  const before = acknowledged.size;
  await waitFor(() => acknowledged.size > before + CALLERS, { timeout: 60_000 });
  stopped = true;
  await Promise.all(callers);
  // What was active when its connection broke is found by BullMQ and run.
  await waitFor(
    async () => {
      const counts = await queue
        .getJobCounts('wait', 'active', 'delayed', 'prioritized', 'failed')
        .catch(() => ({ x: 1 }));
      return Object.values(counts).every((count) => count === 0);
    },
    { timeout: 60_000, interval: 50 },
  );
  await worker.close();
  await queue.close();
  for (const one of [producing, consuming]) one.disconnect();

  const all = [...runs.values()];
  return {
    acknowledged: acknowledged.size,
    refused: added - acknowledged.size,
    faults,
    lost: [...acknowledged].filter((n) => !runs.has(n)).length,
    addedTwice: all.filter((jobs) => jobs.size > 1).length,
    ranTwice: all.flatMap((jobs) => [...jobs.values()]).filter((times) => times > 1).length,
  };
}
