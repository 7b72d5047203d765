/**
 * How near to Node.js's own limit the client is: CPU a command beside a loop that only joins strings, writes once a turn
 * and finds the ends of replies. It checks nothing, has no deadlines, and is right for GET and SET of ASCII only.
 *
 *   npm run bench:bare [-- --rounds 5 --ms 1000]
 */
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '@redkeep/testing';
import type { Peer, Target } from './peers.js';
import type { Order, Result } from './worker.js';

const none = () => Promise.reject(new Error('not measured here'));

/** The limit: a socket, one string a turn, promises in the order of their replies. */
export async function bare({ port }: Target): Promise<Peer> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true).setEncoding('latin1');
  await new Promise((resolve) => socket.once('connect', resolve));
  let batch = '';
  let waiting: ((value: unknown) => void)[] = [];
  let head = 0;
  let rest = '';
  const flush = () => {
    socket.write(batch, 'latin1');
    batch = '';
  };
  const send = (request: string) => {
    if (batch === '') process.nextTick(flush);
    batch += request;
    return new Promise((resolve) => waiting.push(resolve));
  };
  socket.on('data', (chunk: string) => {
    const text = rest === '' ? chunk : rest + chunk;
    let at = 0;
    while (at < text.length) {
      const end = text.indexOf('\r\n', at);
      if (end === -1) break;
      if (text.charCodeAt(at) !== 36) {
        waiting[head++]!(text.slice(at + 1, end));
        at = end + 2;
        continue;
      }
      const length = Number(text.slice(at + 1, end));
      if (text.length < end + 4 + length) break;
      waiting[head++]!(text.slice(end + 2, end + 2 + length));
      at = end + 4 + length;
    }
    rest = text.slice(at);
    if (head === waiting.length) {
      waiting = [];
      head = 0;
    }
  });
  return {
    get: (key) => send(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`),
    set: (key, value) => send(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`),
    getBuffer: none,
    mGet: none,
    hGetAll: none,
    lRange: none,
    pipeline: none,
    close: () => socket.destroy(),
  };
}

/** Named apart from the limit's own name, so that the worker finds it here. */
export const LIMITS: Readonly<Record<string, (target: Target) => Promise<Peer>>> = { bare };
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
ends of replies (\`bench/src/bare.ts\`). Goal: at most ${GOAL} times the bare loop. Medians of ${values.rounds} rounds of ${values.ms} ms, in
turns; ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, ${server.engine.kind} ${server.engine.version}. \`npm run bench:bare\` makes this file.

| case | redkeep | bare | ratio | goal |
|---|---|---|---|---|
${lines.join('\n')}
`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
