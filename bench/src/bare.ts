/**
 * How near to Node.js's own limit the client is: CPU a command beside a loop that only joins strings, writes once a turn
 * and finds the ends of replies. It checks nothing, has no deadlines, and is right for GET and SET of ASCII only.
 *
 *   npm run bench:bare [-- --rounds 5 --ms 1000]
 */
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '@redkeep/testing';
import type { Order, Result } from './worker.js';

const CASES = ['GET', 'SET'].flatMap((name) => [1, 50, 1000].map((n) => `${name}, ${n} caller${n === 1 ? '' : 's'}`));
/** CPU a command, at most. */
const GOAL = 1.1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '5' }, ms: { type: 'string', default: '800' } },
  });
  await using server = await startServer();
  await server.command('SET', 'bench:value', 'x'.repeat(32));
  const targets = JSON.stringify({ plain: { port: server.port } });
  const names = ['redkeep', 'bare'] as const;
  const workers = names.map((name) => fork(fileURLToPath(new URL('./worker.js', import.meta.url)), [name, targets]));
  const ask = (worker: (typeof workers)[number], order: Order) =>
    new Promise<Result>((resolve, reject) => {
      worker.once('message', (message: { result?: Result; error?: string }) =>
        message.result === undefined ? reject(new Error(message.error)) : resolve(message.result),
      );
      worker.send(order);
    });
  const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
  const lines: string[] = [];
  for (const name of CASES) {
    const cpu: number[][] = names.map(() => []);
    for (let round = 0; round < Number(values.rounds); round++)
      for (const [i, worker] of workers.entries())
        cpu[i]!.push((await ask(worker, { case: name, ms: Number(values.ms) })).cpu);
    const [ours, theirs] = cpu.map(median) as [number, number];
    const ratio = ours / theirs;
    lines.push(
      `| ${name} | ${ours.toFixed(2)} | ${theirs.toFixed(2)} | ${ratio.toFixed(2)} | ${ratio <= GOAL ? 'met' : 'missed'} |`,
    );
    console.error(lines.at(-1));
  }
  for (const worker of workers) worker.disconnect();
  await writeFile(
    new URL('../BARE.md', import.meta.url),
    `# Redkeep beside a bare socket

Microseconds of CPU a command: the client with all its checks, and a loop that joins strings, writes once a turn and finds the
ends of replies (\`bench/src/bare-peer.ts\`). Goal: at most ${GOAL} times the bare loop. Medians of ${values.rounds} rounds of ${values.ms} ms, in
turns; ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, ${server.engine.kind} ${server.engine.version}. \`npm run bench:bare\` makes this file.

| case | redkeep | bare | ratio | goal |
|---|---|---|---|---|
${lines.join('\n')}
`,
  );
}

await main();
