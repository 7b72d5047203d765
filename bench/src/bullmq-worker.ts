/** One process a client: adds jobs to a queue of BullMQ and works through them. Tells what each half took. */
import { type IoredisModule, ioredisClass, load } from './peers.js';

export interface BullOrder {
  readonly jobs: number;
}
/** Jobs a second, and microseconds of this process's CPU a job. */
export interface BullResult {
  readonly add: { readonly rate: number; readonly cpu: number };
  readonly work: { readonly rate: number; readonly cpu: number };
}

const CALLERS = 50;
const DATA = { user: 'u-1029384756', action: 'send', text: 'x'.repeat(200) };

const [module, port] = process.argv.slice(2) as [IoredisModule, string];
const { Queue, Worker } = load('bullmq');
const Client = ioredisClass(module);
const connection = new Client({ host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null });
const name = `bench-${module.replace(/\W/g, '-')}`;
const queue = new Queue(name, { connection });

async function measured(jobs: number, run: () => Promise<unknown>) {
  const before = process.cpuUsage();
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { rate: jobs / seconds, cpu: (user + system) / jobs };
}

async function add(jobs: number): Promise<void> {
  let left = jobs;
  const caller = async () => {
    while (left-- > 0) await queue.add('job', DATA, { removeOnComplete: true });
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function work(jobs: number): Promise<void> {
  let left = jobs;
  const worker = new Worker(name, async () => 'done', { connection, concurrency: CALLERS, autorun: false });
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject).on('completed', () => {
      if (--left === 0) resolve();
    });
    worker.run().catch(reject);
  });
  await worker.close();
}

process.on('message', async ({ jobs }: BullOrder) => {
  const result: BullResult = {
    add: await measured(jobs, () => add(jobs)),
    work: await measured(jobs, () => work(jobs)),
  };
  process.send!(result);
});
process.on('disconnect', () => process.exit(0));
await queue.waitUntilReady();
process.send!('ready');
