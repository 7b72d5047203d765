/**
 * One client in a process of its own: runs one memory case and reports. `node --expose-gc` gives what is left after
 * garbage collection, so that what is measured is what is held.
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { PEERS, type Peer, type Target } from './peers.js';

export interface MemoryOrder {
  readonly peer: string;
  readonly target: Target;
  readonly case: 'queue' | 'burst' | 'get-buffer' | 'get-string' | 'set-buffer' | 'set-string' | 'connections';
  /** Commands, connections, or bytes of the value. */
  readonly count: number;
}

/** Bytes unless the name says otherwise. */
export type MemoryResult = Readonly<Record<string, number>>;

const gc = (globalThis as { gc?: () => void }).gc!;

function settledMemory(): { rss: number; held: number } {
  for (let i = 0; i < 4; i++) gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, held: heapUsed + external };
}

/** The kernel's own record of the most that was resident, from now on. */
function watchPeak(): () => number {
  const start = process.memoryUsage().rss;
  let sampled = start;
  const timer = setInterval(() => {
    sampled = Math.max(sampled, process.memoryUsage().rss);
  }, 1);
  return () => {
    clearInterval(timer);
    const high = /VmHWM:\s+(\d+) kB/.exec(safeStatus());
    return Math.max(sampled, high === null ? 0 : Number(high[1]) * 1024) - start;
  };
}

function safeStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

/** Issues commands to a server that does not answer, so many a turn, and waits until all are settled. */
async function queue(peer: Peer, commands: number, perTurn: number): Promise<MemoryResult> {
  const before = settledMemory();
  const outcomes = { answered: 0, refused: 0, timedOut: 0, other: 0 };
  let held = 0;
  const settle = (error?: { code?: string; message: string; name: string }) => {
    if (error === undefined) outcomes.answered++;
    else if (error.code === 'REDKEEP_QUEUE_FULL') outcomes.refused++;
    else if (/timeout|timed out|not sent within|no answer/i.test(`${error.name} ${error.message}`)) outcomes.timedOut++;
    else outcomes.other++;
  };
  let left = commands;
  let finished!: () => void;
  const all = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const value = 'v'.repeat(80);
  const one = (i: number) => {
    // A string of its own for each, as applications have.
    peer.set(`key:${i}`, value + String(i).padStart(20, '0')).then(
      () => {
        settle();
        if (--left === 0) finished();
      },
      (error) => {
        settle(error);
        if (--left === 0) finished();
      },
    );
  };
  const peak = watchPeak();
  for (let i = 0; i < commands; i++) {
    one(i);
    // In turns, as requests come: the client can write, refuse, or run its timers in between.
    if (i % perTurn === perTurn - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const most = peak();
  held = settledMemory().held - before.held;
  await Promise.race([all, sleep(12_000, undefined, { ref: false })]);
  const pending = left;
  const after = settledMemory();
  return { ...outcomes, pending, peak: most, held, afterwards: after.held - before.held };
}

async function large(run: () => Promise<unknown>): Promise<MemoryResult> {
  gc();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const peak = watchPeak();
  delay.enable();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  await sleep(20);
  delay.disable();
  return { peak: peak(), stallMs: delay.max / 1e6, ms };
}

/** Opened before anything is measured: code is compiled, and the heap has the room that connecting takes. */
const CONNECTIONS_BEFORE = 500;

async function connections(order: MemoryOrder): Promise<MemoryResult> {
  const peers: Peer[] = [];
  const open = async (count: number) => {
    for (let i = 0; i < count; i += 20)
      peers.push(...(await Promise.all(Array.from({ length: 20 }, () => PEERS[order.peer]!(order.target)))));
    await Promise.all(peers.slice(-count).map((peer) => peer.get('bench:value')));
    await sleep(200);
    return settledMemory();
  };
  const before = await open(CONNECTIONS_BEFORE);
  const after = await open(order.count);
  return { held: (after.held - before.held) / order.count, rss: (after.rss - before.rss) / order.count };
}

async function measure(order: MemoryOrder): Promise<MemoryResult> {
  if (order.case === 'connections') return connections(order);
  const peer = await PEERS[order.peer]!(order.target);
  await peer.get('bench:value');
  switch (order.case) {
    case 'queue':
    case 'burst':
      process.send!({ ready: true });
      await new Promise((resolve) => process.once('message', resolve));
      return queue(peer, order.count, order.case === 'burst' ? order.count : 1000);
    case 'get-buffer':
      return large(() => peer.getBuffer('bench:large'));
    case 'get-string':
      return large(() => peer.get('bench:large'));
    case 'set-buffer': {
      const value = Buffer.alloc(order.count, 97);
      return large(() => peer.set('bench:copy', value));
    }
    case 'set-string': {
      const value = Buffer.alloc(order.count, 97).toString('latin1');
      return large(() => peer.set('bench:copy', value));
    }
  }
}

process.once('message', (order: MemoryOrder) => {
  measure(order).then(
    (result) => process.send!({ result }, () => process.exit(0)),
    (error: Error) => process.send!({ error: `${error.name}: ${error.message}` }, () => process.exit(0)),
  );
});
