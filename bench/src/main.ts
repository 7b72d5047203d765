/**
 * Redkeep beside its peers, in turns, against one server in one run. Prints ratios with their spread and writes
 * bench/RESULTS.md and bench/results.svg.
 *
 *   npm run bench [-- --rounds 5 --ms 1000 --only 'GET, 50']
 */
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCluster, startServer } from '@redkeep/testing';
import { createClient, createCluster } from 'redkeep';
import { CASES, prepare, type TargetName } from './cases.js';
import { installPeers } from './install-peers.js';
import { PEERS, type Target } from './peers.js';
import { redisBenchmark } from './redis-benchmark.js';
import { type Row, renderMarkdown, renderSvg, summary } from './report.js';
import type { Order, Result } from './worker.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    ms: { type: 'string', default: '800' },
    only: { type: 'string', default: '' },
    peers: { type: 'string', default: '' },
    write: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

installPeers();

await using plain = await startServer();
await using secure = await startServer({ tls: true });
await using nodes = await startCluster();
const slot = Number(await nodes.masters[0]!.command('CLUSTER', 'KEYSLOT', 'bench:value'));
const targets: Record<TargetName, Target> = {
  plain: { port: plain.port },
  tls: { port: secure.tlsPort, ca: secure.pki!.ca },
  node: { port: (await nodes.ownerOf(slot)).port },
  cluster: { port: nodes.masters[0]!.port, cluster: true },
};

for (const options of [
  { url: `redis://127.0.0.1:${plain.port}` },
  { url: `rediss://localhost:${secure.tlsPort}`, tls: { ca: secure.pki!.ca } },
]) {
  await using client = await createClient(options).connect();
  await prepare({ set: (key: string, value: string | Buffer) => client.set(key, value) } as never, (args) =>
    client.sendCommand(args),
  );
}

{
  await using cluster = await createCluster({
    rootNodes: [{ url: `redis://127.0.0.1:${targets.cluster.port}` }],
  }).connect();
  await cluster.set('bench:value', 'x'.repeat(32));
}

const names = Object.keys(PEERS).filter(
  (name) => name === 'redkeep' || values.peers === '' || values.peers.split(';').includes(name),
);
const workers = new Map(
  names.map((name) => [
    name,
    fork(fileURLToPath(new URL('./worker.js', import.meta.url)), [name, JSON.stringify(targets)]),
  ]),
);

function ask(name: string, order: Order): Promise<Result> {
  const worker = workers.get(name)!;
  return new Promise((resolve, reject) => {
    worker.once('message', (message: { result?: Result; error?: string }) => {
      if (message.result === undefined) reject(new Error(`${name}: ${message.error}`));
      else resolve(message.result);
    });
    worker.send(order);
  });
}

const rows: Row[] = [];
for (const { name: caseName, goal } of CASES.filter((c) => c.name.includes(values.only))) {
  const rounds = new Map<string, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const name of names) rounds.get(name)!.push(await ask(name, { case: caseName, ms: Number(values.ms) }));
  }
  const row: Row = { case: caseName, goal, results: rounds };
  rows.push(row);
  console.error(summary(row, rows));
}
const reference = await redisBenchmark(plain.port);
for (const worker of workers.values()) worker.disconnect();

if (values.write && values.only === '' && values.peers === '') {
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, ${plain.engine.kind} ${plain.engine.version}`;
  await writeFile(new URL('../RESULTS.md', import.meta.url), renderMarkdown(rows, machine, reference));
  await writeFile(new URL('../results.svg', import.meta.url), renderSvg(rows));
  console.error('Wrote bench/RESULTS.md and bench/results.svg');
}
