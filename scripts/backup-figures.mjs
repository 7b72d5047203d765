#!/usr/bin/env node
// `npm run bench:backup`: speed of sealing, cost for the server, memory, time of a proof, and a FLUSHALL undone. Prints
// each figure beside its goal. Arguments name parts: seal, cost, memory, prove, flushall.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runOnce } from '../packages/cli/dist/backup/archive/archive-run.js';
import { SealStream } from '../packages/cli/dist/backup/archive/seal-stream.js';
import { loadEntries } from '../packages/cli/dist/backup/restore/load-entries.js';
import { planRestore } from '../packages/cli/dist/backup/restore/plan-restore.js';
import { proveByRestore } from '../packages/cli/dist/backup/restore/prove.js';
import { ArchiveHarness } from '../packages/cli/dist/backup/testing/archive-harness.js';
import {
  archivedUpTo,
  offsetOf,
  programOf,
  restored,
  spawnArchive,
  stopped,
} from '../packages/cli/dist/backup/testing/trials.js';
import { findEngine, findEngines, startServer, waitFor } from '../testing/dist/index.js';

const wanted = process.argv.slice(2);
const engine = findEngines()[0] ?? findEngine();
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
let failed = false;

function say(what, goal, met, figures) {
  if (!met) failed = true;
  console.log(`${met ? 'met   ' : 'MISSED'}  ${what.padEnd(34)}  ${figures}  (goal: ${goal})`);
}

async function seal() {
  const harness = await ArchiveHarness.create();
  const command = (index) => {
    const [key, value] = [
      `session:${index}`,
      `{"user":${index * 7},"roles":["a","b"],"csrf":"${randomBytes(12).toString('hex')}"}`,
    ];
    return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
  };
  const text = Buffer.from(Array.from({ length: 80_000 }, (_, index) => command(index)).join(''));
  for (const [name, block] of [
    ['commands (compressed)', text],
    ['random bytes (not compressed)', randomBytes(8_000_000)],
  ]) {
    const stream = new SealStream(harness.path(`seal-${name.length}`), [harness.recipient]);
    const before = process.cpuUsage();
    const began = performance.now();
    const total = 1_000_000_000;
    for (let bytes = 0; bytes < total; bytes += block.length) await stream.write(block);
    const sealed = await stream.finish();
    const seconds = (performance.now() - began) / 1000;
    const cpu = process.cpuUsage(before);
    const core = sealed.plainBytes / 1e6 / ((cpu.user + cpu.system) / 1e6);
    const figures = `${(sealed.plainBytes / 1e6 / seconds).toFixed(0)} MB/s, ${core.toFixed(0)} MB/s a core, ratio ${(sealed.plainBytes / sealed.bytes).toFixed(2)}`;
    say(`seal 1 GB of ${name}`, '200 MB/s a core', core >= 200, figures);
  }
  await harness.remove();
}

/** Requests a second that redis-benchmark prints. */
function benchmark(server) {
  const program = join(dirname(engine.server), `${engine.kind}-benchmark`);
  const args = [
    '-p',
    String(server.port),
    '-t',
    'set',
    '-n',
    '300000',
    '-r',
    '100000',
    '-d',
    '100',
    '-P',
    '8',
    '-c',
    '20',
    '--csv',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (part) => {
      out += part;
    });
    child.on('error', reject);
    child.on('close', () => resolve(Number(/"SET","([\d.]+)"/.exec(out)?.[1])));
  });
}

async function cost() {
  const harness = await ArchiveHarness.create();
  const server = await startServer({ engine, config: ['repl-backlog-size 256mb'] });
  const rates = { without: [], with: [] };
  const shares = [];
  const ticks = (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  await benchmark(server);
  let child = spawnArchive(harness, server, ['--on-primary']);
  await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { timeout: 60_000 });
  for (let round = 0; round < 7; round++) {
    const withTicks = ticks(server.pid);
    rates.with.push(await benchmark(server));
    const withCost = ticks(server.pid) - withTicks;
    await stopped(child, 'SIGTERM');
    const withoutTicks = ticks(server.pid);
    rates.without.push(await benchmark(server));
    shares.push(withCost / (ticks(server.pid) - withoutTicks) - 1);
    child = spawnArchive(harness, server, ['--on-primary']);
    await delay(1500);
  }
  await stopped(child, 'SIGTERM');
  const loss = 1 - median(rates.with) / median(rates.without);
  const cpu = median(shares);
  const figures = `${median(rates.without).toFixed(0)} requests/s without, ${median(rates.with).toFixed(0)} with: ${(loss * 100).toFixed(1)} % fewer; server CPU ${(cpu * 100).toFixed(1)} % more`;
  say('cost for the server', 'under 5 %', cpu < 0.05, figures);
  await server[Symbol.asyncDispose]();
  await harness.remove();
}

async function memory() {
  for (const megabytes of [100, 2000]) {
    const harness = await ArchiveHarness.create();
    const server = await startServer({ engine, config: ['enable-debug-command local', 'rdbcompression no'] });
    await server.command('DEBUG', 'POPULATE', String(megabytes * 100), 'key', '10000');
    const child = spawnArchive(harness, server, ['--on-primary']);
    await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, {
      timeout: 600_000,
      interval: 200,
    });
    for (let key = 0; key < 200; key++) await server.command('SET', `large:${key}`, 'x'.repeat(1_000_000));
    await archivedUpTo(harness, await offsetOf(server));
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024;
    say(`memory at ${megabytes} MB of data`, 'under 96 MB, constant', peak < 96, `peak ${peak.toFixed(0)} MB resident`);
    await stopped(child, 'SIGTERM');
    await server[Symbol.asyncDispose]();
    await harness.remove();
  }
}

async function prove() {
  const harness = await ArchiveHarness.create();
  const server = await startServer({ engine, config: ['enable-debug-command local'] });
  await server.command('DEBUG', 'POPULATE', '1000000', 'key', '100');
  await runOnce(harness.options(harness.source({ s1: [server] })), new AbortController().signal);
  const { entries } = await loadEntries(harness.store, {});
  const began = performance.now();
  const [proof] = await proveByRestore(planRestore(entries, 'test', { kind: 'latest' }), {
    store: harness.store,
    identities: [harness.identity],
    program: programOf(engine),
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - began) / 1000;
  const equal = proof.digest === String(await server.command('DEBUG', 'DIGEST'));
  const figures = `${seconds.toFixed(1)} s (fetch ${proof.fetchMs} ms, check ${proof.checkMs} ms, load ${proof.loadMs} ms, digest ${proof.digestMs} ms), digest ${equal ? 'equal' : 'DIFFERENT'}`;
  say(`proof of ${proof.keys} keys`, 'under 15 s', seconds < 15 && equal && proof.keys === 1_000_000, figures);
  await server[Symbol.asyncDispose]();
  await harness.remove();
}

async function flushall() {
  const harness = await ArchiveHarness.create();
  const server = await startServer({ engine, config: ['enable-debug-command local'] });
  const child = spawnArchive(harness, server, ['--on-primary']);
  await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { timeout: 60_000 });
  for (let key = 0; key < 1000; key++) await server.command('SET', `key:${key}`, String(key));
  await delay(2100);
  const before = Math.floor(Date.now() / 1000) - 1;
  const digest = String(await server.command('DEBUG', 'DIGEST'));
  await server.command('FLUSHALL');
  await archivedUpTo(harness, await offsetOf(server));
  const began = performance.now();
  const target = { kind: 'second', second: before };
  const found = await restored(harness, engine, target, (client) => client.sendCommand(['DEBUG', 'DIGEST']));
  const ms = performance.now() - began;
  say(
    'FLUSHALL, back to the second before',
    'all of it',
    String(found) === digest,
    `digest ${String(found) === digest ? 'equal' : 'DIFFERENT'}, ${ms.toFixed(0)} ms`,
  );
  await stopped(child, 'SIGTERM');
  await server[Symbol.asyncDispose]();
  await harness.remove();
}

const parts = { seal, cost, memory, prove, flushall };
for (const [name, part] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await part();
process.exit(failed ? 1 : 0);
