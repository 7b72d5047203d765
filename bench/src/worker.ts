/** One process a client, so that none shapes another's compiled code or garbage. Runs cases on request. */
import { LIMITS } from './bare-peer.js';
import { CASES, type Case, type TargetName } from './cases.js';
import { IOREDIS_PEERS, PEERS, type Peer, type Target } from './peers.js';

export interface Order {
  readonly case: string;
  readonly ms: number;
}
export interface Result {
  /** Operations (times the case's weight) a second. */
  readonly rate: number;
  /** Microseconds of this process's CPU an operation. */
  readonly cpu: number;
}

const name = process.argv[2]!;
const targets = JSON.parse(process.argv[3]!) as Record<TargetName, Target>;
const open = new Map<TargetName, Promise<Peer>>();

async function measure(order: Order): Promise<Result> {
  const found = CASES.find((c) => c.name === order.case)!;
  const on = found.on ?? 'plain';
  if (!open.has(on)) open.set(on, { ...PEERS, ...LIMITS, ...IOREDIS_PEERS }[name]!(targets[on]));
  const peer = await open.get(on)!;
  await run(peer, found, order.ms / 3); // warm up
  const cpu = process.cpuUsage();
  const start = performance.now();
  const operations = await run(peer, found, order.ms);
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const commands = operations * (found.weight ?? 1);
  return { rate: commands / seconds, cpu: (used.user + used.system) / commands };
}

async function run(peer: Peer, { callers, on = 'plain', run: operation }: Case, ms: number): Promise<number> {
  const target = targets[on];
  let operations = 0;
  const end = performance.now() + ms;
  const caller = async () => {
    while (performance.now() < end) {
      // The clock is read every few operations: with a thousand callers reading it would be half of the work.
      for (let i = 0; i < 8; i++) await operation(peer, target);
      operations += 8;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return operations;
}

process.on('message', (order: Order) => {
  measure(order).then(
    (result) => process.send!({ result }),
    (error: Error) => process.send!({ error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
