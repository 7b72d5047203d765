#!/usr/bin/env node
// What an audit costs a server with many keys: the latency of a client's GETs with and without audits beside it, and the
// time that the server itself spent on the audit's commands. Figures stand in docs/audit.md.
//   node scripts/audit-latency.mjs [keys, default 10000000]      needs about 1 GB of memory for 10 million
import { findEngine } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { passwords, startHardened } from '../packages/cli/dist/audit/testing/hardened.js';

const keys = Number(process.argv[2] ?? 10_000_000);
const rounds = 5;
const seconds = 4;

const server = await startHardened(findEngine(), {
  config: { maxmemory: '8gb', appendonly: 'no', 'enable-debug-command': 'yes', 'slowlog-log-slower-than': '1000' },
});
const client = createClient({
  socket: { host: '127.0.0.1', port: server.tlsPort },
  tls: { ca: server.pki.ca, servername: 'localhost' },
  username: 'admin',
  password: passwords.admin,
  commandPolicy: 'unrestricted',
  commandOptions: { timeout: 600_000 },
});
client.on('error', (error) => console.error(error.code));
await client.connect();
await client.sendCommand(['DEBUG', 'POPULATE', String(keys), 'app:key', '16']);
console.log(`${await client.sendCommand(['DBSIZE'])} keys, ${server.engine.name}`);

/** Asks for one key after the other until `ended`, and gives each answer's time in microseconds. */
async function latencies(ended) {
  const times = [];
  while (!ended()) {
    const start = process.hrtime.bigint();
    await client.get(`app:key:${times.length % keys}`);
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  return times;
}

async function commandTimes() {
  const text = String(await client.sendCommand(['INFO', 'commandstats']));
  const stats = [...text.matchAll(/^cmdstat_(\S+?):calls=(\d+),usec=(\d+)/gm)];
  return new Map(stats.map(([, name, calls, usec]) => [name, { calls: Number(calls), usec: Number(usec) }]));
}

const quiet = [];
const audited = [];
let audits = 0;
const before = await commandTimes();
for (let round = 0; round < rounds; round++) {
  const end = performance.now() + seconds * 1000;
  quiet.push(...(await latencies(() => performance.now() > end)));
  const child = auditInChild();
  audited.push(...(await latencies(() => child.ended)));
  audits++;
}
const after = await commandTimes();

/** The audit runs in a process of its own, as it does in life: else it would only show that one process is busy. */
function auditInChild() {
  const state = { ended: false };
  import('node:child_process').then(({ spawn }) => {
    const child = spawn(
      process.execPath,
      [
        new URL('../packages/cli/bin/redkeep.js', import.meta.url).pathname,
        'audit',
        server.url,
        '--user',
        'auditor',
        '--ca',
        server.tlsFiles.ca,
        '--fail-on',
        'never',
        '--json',
      ],
      { env: { ...process.env, REDKEEP_PASSWORD: passwords.auditor }, stdio: 'ignore' },
    );
    child.on('exit', () => {
      state.ended = true;
    });
  });
  return state;
}

const quantile = (values, part) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * part)].toFixed(0);
for (const [name, values] of [
  ['without', quiet],
  ['with an audit', audited],
])
  console.log(
    `${name}: ${values.length} GETs, median ${quantile(values, 0.5)} us, 99 % ${quantile(values, 0.99)} us, 99.9 % ${quantile(values, 0.999)} us`,
  );
let calls = 0;
let usec = 0;
let longest = ['', 0];
for (const [name, now] of after) {
  if (/^(get|debug|auth|dbsize)$/.test(name)) continue;
  const then = before.get(name) ?? { calls: 0, usec: 0 };
  calls += now.calls - then.calls;
  usec += now.usec - then.usec;
  const each = (now.usec - then.usec) / Math.max(1, now.calls - then.calls);
  if (each > longest[1]) longest = [name, each];
}
console.log(
  `an audit: ${(calls / audits).toFixed(0)} commands, ${(usec / audits / 1000).toFixed(1)} ms of the server in all; the longest is ${longest[0]} with ${longest[1].toFixed(0)} us`,
);
const slow = await client.sendCommand(['SLOWLOG', 'GET', '128']);
console.log(
  `slower than 1 ms: ${slow.map((entry) => `${entry[3].slice(0, 2).join(' ')} ${entry[2]} us`).join(', ') || 'none'}`,
);
client.destroy();
await server[Symbol.asyncDispose]();
