/**
 * `redkeep/ioredis` beside ioredis and iovalkey, each in a process of its own, in turns, against one server: CPU a
 * command, and the throughput of a BullMQ queue on each. Writes bench/IOREDIS.md.
 *
 *   npm run bench:ioredis [-- --rounds 5 --ms 500 --jobs 4000 --only bullmq]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '@redkeep/testing';
import type { BullOrder, BullResult } from './bullmq-worker.js';
import { installPeers } from './install-peers.js';
import { IOREDIS_PEERS, type IoredisModule } from './peers.js';
import { median } from './report.js';
import type { Order, Result } from './worker.js';

const OURS = 'redkeep/ioredis';
const CASES = ['GET', 'SET'].flatMap((name) => [1, 50, 1000].map((n) => `${name}, ${n} caller${n === 1 ? '' : 's'}`));
/** The CPU a command of the peer that needs the least, over ours. */
const CPU_GOAL = 3;
const BULLMQ_GOAL = 1.5;
const BULLMQ_ON: readonly IoredisModule[] = [OURS, 'ioredis', 'iovalkey'];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '500' },
    jobs: { type: 'string', default: '4000' },
    only: { type: 'string', default: '' },
  },
});
const rounds = Array.from({ length: Number(values.rounds) }, (_, i) => i);
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const show = (number: number) => number.toFixed(2);
const verdict = (reached: number, goal: number) => `${reached >= goal ? 'met' : 'MISSED'} (≥ ${goal})`;

function answer<T>(worker: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', (message) => resolve(message as T));
    worker.once('exit', (code) => reject(new Error(`A worker ended with ${code}`)));
  });
}
function ask<T>(worker: ChildProcess, order: Order | BullOrder): Promise<T> {
  const told = answer<T>(worker);
  worker.send(order);
  return told;
}

/** Ratios of rounds that belong together: `theirs` over `ours`, median (lowest–highest). */
function ratio(ours: readonly number[], theirs: readonly number[]): { median: number; text: string } {
  const all = ours.map((value, i) => theirs[i]! / value);
  return { median: median(all), text: `${show(median(all))} (${show(Math.min(...all))}–${show(Math.max(...all))})` };
}

async function commands(port: number): Promise<string[]> {
  const names = Object.keys(IOREDIS_PEERS);
  const targets = JSON.stringify({ plain: { port } });
  const workers = names.map((name) => fork(script('./worker.js'), [name, targets]));
  const rows: string[] = [];
  for (const name of CASES) {
    const cpu: number[][] = names.map(() => []);
    for (const _ of rounds)
      for (const [i, worker] of workers.entries()) {
        const { result, error } = await ask<{ result?: Result; error?: string }>(worker, {
          case: name,
          ms: Number(values.ms),
        });
        if (result === undefined) throw new Error(`${names[i]}: ${error}`);
        cpu[i]!.push(result.cpu);
      }
    const [ours, ...theirs] = cpu as [number[], ...number[][]];
    const best = theirs.reduce((a, b) => (median(b) < median(a) ? b : a));
    const saved = ratio(ours, best);
    const goal = name.includes(' 1 ') ? '' : verdict(saved.median, CPU_GOAL);
    rows.push(`| ${name} | ${cpu.map((all) => show(median(all))).join(' | ')} | ${saved.text} | ${goal} |`);
    console.error(rows.at(-1));
  }
  for (const worker of workers) worker.disconnect();
  return [
    `| case | ${names.join(' | ')} | best of them over ours | goal |`,
    `|---|${names.map(() => '---').join('|')}|---|---|`,
    ...rows,
  ];
}

async function bullmq(port: number): Promise<string[]> {
  const workers = BULLMQ_ON.map((name) => fork(script('./bullmq-worker.js'), [name, String(port)]));
  for (const worker of workers) await answer(worker);
  const jobs = Number(values.jobs);
  // Warm up.
  for (const worker of workers) await ask(worker, { jobs });
  const results: BullResult[][] = BULLMQ_ON.map(() => []);
  // Who goes first changes: what the machine does meanwhile then hits all alike.
  for (const round of rounds)
    for (const i of BULLMQ_ON.keys()) {
      const at = (i + round) % BULLMQ_ON.length;
      results[at]!.push(await ask<BullResult>(workers[at]!, { jobs }));
    }
  for (const worker of workers) worker.disconnect();
  const rows: string[] = [];
  for (const half of ['add', 'work'] as const)
    for (const unit of ['rate', 'cpu'] as const) {
      const [ours, ...theirs] = results.map((all) => all.map((one) => one[half][unit])) as [number[], ...number[][]];
      const ratios = theirs.map((other) => (unit === 'cpu' ? ratio(ours, other) : ratio(other, ours)));
      const what = `${half === 'add' ? 'added' : 'worked through'}, ${unit === 'cpu' ? 'µs of CPU a job' : 'jobs a second'}`;
      rows.push(
        `| ${what} | ${[ours, ...theirs].map((all) => median(all).toFixed(unit === 'cpu' ? 1 : 0)).join(' | ')} | ${ratios.map(({ text }) => text).join(' | ')} | ${verdict(ratios[0]!.median, BULLMQ_GOAL)} |`,
      );
      console.error(rows.at(-1));
    }
  const others = BULLMQ_ON.slice(1);
  return [
    `| jobs | ${BULLMQ_ON.join(' | ')} | ${others.map((name) => `better than ${name}`).join(' | ')} | goal |`,
    `|---|${BULLMQ_ON.map(() => '---').join('|')}|${others.map(() => '---').join('|')}|---|`,
    ...rows,
  ];
}

installPeers();
await using server = await startServer();
await server.command('SET', 'bench:value', 'x'.repeat(32));
const plain = values.only === 'bullmq' ? [] : await commands(server.port);
const queues = values.only === 'commands' ? [] : await bullmq(server.port);
if (values.only === '') {
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, ${server.engine.kind} ${server.engine.version}`;
  await writeFile(
    new URL('../IOREDIS.md', import.meta.url),
    `# Redkeep in ioredis's shapes, beside ioredis and iovalkey

One run of \`npm run bench:ioredis\` on ${machine}. Every client has a process of its own; they take turns,
${values.rounds} rounds, against one server on loopback. Ratios are of the same round: median (lowest–highest).

## CPU of the client's process (microseconds a command, median)

${plain.join('\n')}

## BullMQ 6 on each

${values.jobs} jobs a round: added by 50 callers, then worked through by a worker of concurrency 50 in the same process. A
ratio above 1 is in Redkeep's favour, for CPU as well.

${queues.join('\n')}
`,
  );
  console.error('Wrote bench/IOREDIS.md');
}
