#!/usr/bin/env node
// Runs redkeep audit beside what exists, on the same servers, and prints what each found (docs/audit.md).
//   node scripts/compare-auditors.mjs [open|"password only"|"weak TLS"|hardened …]
// Needs nmap, sslscan, testssl and lynis; one that is missing is left out
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findEngine } from '@redkeep/testing';
import { auditSandbox } from '../packages/cli/dist/audit/testing/audit-cli.js';
import { openServer, passwordOnlyServer, startHardened } from '../packages/cli/dist/audit/testing/hardened.js';

const execute = promisify(execFile);
// testssl takes minutes for all it knows; these are the parts that speak about what Redis can be configured to do.
const LONGEST = 180_000;

/** The output of a program, whatever its exit code; undefined where it is not installed. */
async function output(program, ...args) {
  try {
    const { stdout } = await execute(program, args, { timeout: LONGEST, maxBuffer: 64 << 20 });
    return stdout;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    return `${error.stdout ?? ''}`;
  }
}

async function timed(look) {
  const start = performance.now();
  const lines = await look();
  return lines && { lines, seconds: ((performance.now() - start) / 1000).toFixed(1) };
}

const tools = {
  async 'redkeep audit'({ cli, args }) {
    const { out } = await cli.sandbox.run(['audit', ...args, '--json', '--fail-on', 'never']);
    const { grade, findings } = JSON.parse(out);
    return [`grade ${grade}`, ...findings.map(({ id, title }) => `${id} ${title}`)];
  },
  async 'nmap redis-info, redis-brute'({ server }) {
    const port = String(server.tlsPort || server.port);
    const text = await output('nmap', '-Pn', '-sV', '-p', port, '--script', 'redis-info,redis-brute', '127.0.0.1');
    return text?.split('\n').filter((line) => /^\||open/.test(line) && !/Nmap/.test(line));
  },
  async sslscan({ server }) {
    if (!server.tlsPort) return ['no TLS to look at'];
    const text = await output('sslscan', '--no-colour', `127.0.0.1:${server.tlsPort}`);
    return text
      ?.split('\n')
      .filter((line) =>
        /enabled|vulnerable|Accepted|Preferred|Issuer|Altnames|Not valid|Signature|Key Strength/.test(line),
      );
  },
  async testssl({ server }) {
    if (!server.tlsPort) return ['no TLS to look at'];
    const folder = await mkdtemp(join(tmpdir(), 'testssl-'));
    const file = join(folder, 'found.json');
    const parts = ['-p', '-s', '-S', '-R', '--quiet', '--color', '0', '--jsonfile', file];
    const text = await output('testssl', ...parts, `127.0.0.1:${server.tlsPort}`);
    if (text === undefined) return undefined;
    const found = JSON.parse(await readFile(file, 'utf8').catch(() => '[]'));
    await rm(folder, { recursive: true });
    return found
      .filter(({ severity }) => !/^(OK|INFO|DEBUG)$/.test(severity))
      .map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`);
  },
  async 'lynis (DBS-188x)'({ server }) {
    const report = join(server.dir, 'lynis.dat');
    const log = join(server.dir, 'lynis.log');
    const text = await output(
      'lynis',
      'audit',
      'system',
      '--quick',
      '--no-colors',
      '--tests',
      'DBS-1880,DBS-1882,DBS-1884,DBS-1886,DBS-1888',
      '--report-file',
      report,
      '--logfile',
      log,
    );
    if (text === undefined) return undefined;
    const found = await readFile(report, 'utf8').catch(() => '');
    return found.split('\n').filter((line) => /^(warning|suggestion)\[\]=DBS|^redis/.test(line));
  },
};

const engine = findEngine();
const servers = {
  open: () => openServer(engine),
  'password only': () => passwordOnlyServer(engine),
  'weak TLS': () =>
    startHardened(engine, {
      config: { 'tls-protocols': '"TLSv1.1 TLSv1.2 TLSv1.3"', 'tls-ciphers': 'DEFAULT@SECLEVEL=0' },
      certificate: 'wrongName',
    }),
  hardened: () => startHardened(engine),
};
const chosen = process.argv.slice(2);
for (const [name, start] of Object.entries(servers)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const server = await start();
  const cli = await auditSandbox(server, server.tlsPort ? 'auditor' : 'admin');
  const args = [server.url, ...(server.tlsPort ? cli.access : ['--password-file', 'password'])];
  console.log(`\n## ${name} (${engine.name})`);
  for (const [tool, look] of Object.entries(tools)) {
    const found = await timed(() => look({ server, cli, args }));
    console.log(`\n### ${tool}: ${found ? `${found.seconds} s` : 'not installed'}`);
    for (const line of found?.lines ?? []) console.log(`- ${line.trim()}`);
  }
  await cli.sandbox.remove();
  await server[Symbol.asyncDispose]();
}
