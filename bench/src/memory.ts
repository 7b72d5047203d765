/**
 * Memory and stalls of Redkeep and its peers, each case in a process of its own. Writes bench/MEMORY.md.
 *
 *   npm run bench:memory [-- --only connections --connections 1000]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Server, startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import type { MemoryOrder, MemoryResult } from './memory-worker.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    commands: { type: 'string', default: '1000000' },
    burst: { type: 'string', default: '300000' },
    connections: { type: 'string', default: '1000' },
    megabytes: { type: 'string', default: '100' },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const NAMES = ['redkeep', 'node-redis', 'ioredis'];
const MB = 1024 * 1024;
const megabytes = (bytes: number) => (bytes / MB).toFixed(1);
const worker = fileURLToPath(new URL('./memory-worker.js', import.meta.url));

async function measure(order: MemoryOrder, paused?: Server): Promise<MemoryResult | string> {
  const child = fork(worker, { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.send(order);
  try {
    for (;;) {
      const [message] = (await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(([code, signal]) => [{ error: `ended by ${signal ?? code}` }]),
      ])) as [{ ready?: true; result?: MemoryResult; error?: string }];
      if (message.ready !== true) return message.result ?? message.error!;
      paused?.pause();
      child.send('go');
    }
  } finally {
    paused?.resume();
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  }
}

const lines: string[] = [];
const say = (line: string) => {
  lines.push(line);
  console.log(line);
};
function table(title: string, columns: readonly string[]): void {
  say(`\n### ${title}\n`);
  say(`| ${columns.join(' | ')} |`);
  say(`|${columns.map(() => '---').join('|')}|`);
}
const row = (cells: readonly (string | number)[]) => say(`| ${cells.join(' | ')} |`);
const wanted = (name: string) => name.includes(values.only);

await using plain = await startServer({ config: ['maxclients 4000'] });
await using secure = await startServer({ tls: true, config: ['maxclients 4000'] });
const size = Number(values.megabytes) * MB;
await plain.command('SET', 'bench:value', 'x'.repeat(32));
await secure.command('SET', 'bench:value', 'x'.repeat(32));
const target = { port: plain.port };

for (const [name, count, how] of [
  ['queue', Number(values.commands), '1,000 a turn of the event loop,'],
  ['burst', Number(values.burst), 'in one turn of the event loop,'],
] as const) {
  if (!wanted(name)) continue;
  table(`${count.toLocaleString('en')} SETs of 100 bytes, ${how} to a server that is stopped (SIGSTOP)`, [
    'client',
    'peak RSS MB',
    'held MB',
    'refused',
    'timed out',
    'other errors',
    'unsettled after 12 s',
    'held then MB',
  ]);
  for (const peer of NAMES) {
    const r = await measure({ peer, target, case: name, count }, plain);
    if (typeof r === 'string') row([peer, r]);
    else
      row([
        peer,
        megabytes(r['peak']!),
        megabytes(r['held']!),
        r['refused']!,
        r['timedOut']!,
        r['other']!,
        r['pending']!,
        megabytes(r['afterwards']!),
      ]);
  }
}

if (wanted('large')) {
  await using client = await createClient({ url: plain.url }).connect();
  await client.set('bench:large', Buffer.alloc(size, 97));
  table(`${values.megabytes} MB values: peak memory over the value's size, longest event-loop stall`, [
    'client',
    'GET as Buffer',
    'GET as string',
    'SET of a Buffer',
    'SET of a string',
  ]);
  for (const peer of NAMES) {
    const cells: string[] = [peer];
    for (const what of ['get-buffer', 'get-string', 'set-buffer', 'set-string'] as const) {
      const r = await measure({ peer, target, case: what, count: size });
      cells.push(
        typeof r === 'string'
          ? r
          : `${(r['peak']! / size).toFixed(2)} ×, ${r['stallMs']!.toFixed(0)} ms stall, ${r['ms']!.toFixed(0)} ms`,
      );
    }
    row(cells);
  }
}

if (wanted('connections')) {
  const count = Number(values.connections);
  table(
    `${count.toLocaleString('en')} connections more than 500, bytes each (one GET on each, after garbage collection)`,
    ['client', 'heap and buffers', 'RSS', 'heap and buffers, TLS', 'RSS, TLS'],
  );
  const tls = { port: secure.tlsPort, ca: secure.pki!.ca };
  for (const peer of NAMES) {
    const cells: string[] = [peer];
    for (const place of [target, tls]) {
      const r = await measure({ peer, target: place, case: 'connections', count });
      cells.push(
        ...(typeof r === 'string'
          ? [r, '']
          : [`${(r['held']! / 1024).toFixed(1)} KB`, `${(r['rss']! / 1024).toFixed(1)} KB`]),
      );
    }
    row(cells);
  }
}

if (values.write && values.only === '') {
  const machine = `Node ${process.version}, ${plain.engine.kind} ${plain.engine.version}. \`npm run bench:memory\` writes this file.`;
  await writeFile(
    new URL('../MEMORY.md', import.meta.url),
    `# Memory and stalls\n\n${machine}\nEach figure is a process of its own; peaks are resident memory above what the process had before. Held is heap and buffers after garbage collection, the caller's own promises included.\n${lines.join('\n')}\n`,
  );
}
