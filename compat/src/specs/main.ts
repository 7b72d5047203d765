/**
 * Runs node-redis's own specs with node-redis and with Redkeep on servers of this machine, and lists what only Redkeep
 * fails. Needs a checkout of node-redis with its packages:
 *
 *   git clone https://github.com/redis/node-redis && (cd node-redis && npm ci)
 *   npm run compat:specs -- node-redis [--only redkeep|node-redis] [--specs 'lib/client/*.spec.ts'] [--name REGEX]
 *
 * REDKEEP_ENGINE chooses the server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findEngine } from '@redkeep/testing';

interface Result {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'pending';
  /** Clients that the test made; without any it says nothing about behaviour. */
  readonly clients: number;
  readonly error?: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    name: { type: 'string' },
    package: { type: 'string', default: 'client' },
    specs: { type: 'string', default: 'lib/**/*.spec.ts' },
    /** A folder that keeps the results; those of a client that is not run now are compared from there. */
    results: { type: 'string' },
  },
});
if (positionals.length !== 1) {
  console.error(
    'Usage: npm run compat:specs -- PATH-OF-A-NODE-REDIS-CHECKOUT [--only redkeep] [--specs GLOB] [--name REGEX]',
  );
  process.exit(2);
}
const checkout = resolve(positionals[0] as string);
const here = fileURLToPath(new URL('.', import.meta.url));
const engine = findEngine();
const work = mkdtempSync(join(tmpdir(), 'redkeep-specs-'));
const containers = join(work, 'containers');

process.once('exit', clean);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

mkdirSync(containers);
mkdirSync(join(work, 'bin'));
const docker = `#!/bin/sh\nexec '${process.execPath}' '${join(here, 'local-docker.js')}' "$@"\n`;
writeFileSync(join(work, 'bin', 'docker'), docker, { mode: 0o700 });

const CLIENTS = ['node-redis', 'redkeep'];
const kept = values.results === undefined ? work : resolve(values.results);
mkdirSync(kept, { recursive: true });
const resultsOf = (client: string) => join(kept, `${client}.jsonl`);
const wanted = CLIENTS.filter((name) => values.only === undefined || values.only === name);
const runs = new Map<string, Map<string, Result>>();
for (const client of wanted) await run(client);
for (const client of CLIENTS) {
  const results = readLines(resultsOf(client)).map((line) => JSON.parse(line) as Result);
  if (results.length > 0) runs.set(client, new Map(results.map((result) => [result.name, result])));
}
report(runs);

async function run(client: string): Promise<void> {
  const results = resultsOf(client);
  rmSync(results, { force: true });
  const version = engine.version.split('.').slice(0, 2).join('.');
  const args = [
    join(checkout, 'node_modules/mocha/bin/mocha.js'),
    ...['--require', 'tsx', '--require', join(here, 'preload.js'), '--exit', '--timeout', '20000', '--reporter', 'dot'],
    ...(values.name === undefined ? [] : ['--grep', values.name]),
    ...[values.specs, `--redis-tag=${version}`, `--redis-version=${version}`],
  ];
  const child = spawn(process.execPath, args, {
    cwd: join(checkout, 'packages', values.package),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      PATH: `${join(work, 'bin')}${delimiter}${process.env['PATH']}`,
      REDKEEP_SPECS_CHECKOUT: checkout,
      REDKEEP_SPECS_CLIENT: client,
      REDKEEP_SPECS_FOLDER: containers,
      REDKEEP_SPECS_RESULTS: results,
      REDKEEP_SPECS_SERVER: engine.server,
    },
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  await once(child, 'close');
  clean(false);
  if (readLines(results).length === 0)
    throw new Error(`mocha ran no spec:
${Buffer.concat(output).toString().slice(-4000)}`);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

/** Ends the servers that a run left behind. */
function clean(everything: unknown): void {
  for (const id of readdirSync(containers)) {
    try {
      process.kill(Number(readFileSync(join(containers, id, 'pid'), 'utf8')), 'SIGKILL');
    } catch {
      // It has ended.
    }
    rmSync(join(containers, id), { recursive: true, force: true });
  }
  if (everything !== false) rmSync(work, { recursive: true, force: true });
}

function report(all: ReadonlyMap<string, ReadonlyMap<string, Result>>): void {
  const names = new Set([...all.values()].flatMap((results) => [...results.keys()]));
  const behaviour = [...names].filter((name) =>
    [...all.values()].some((results) => (results.get(name)?.clients ?? 0) > 0),
  );
  const lines = [`${behaviour.length} specs that make a client, on ${engine.name}`];
  for (const [client, results] of all) {
    const count = (state: string) => behaviour.filter((name) => results.get(name)?.state === state).length;
    lines.push(
      `${client}: ${count('passed')} passed, ${count('failed')} failed, ${behaviour.filter((name) => !results.has(name)).length} not run`,
    );
  }
  const reference = all.get('node-redis');
  const skipped = reference && [...reference.values()].filter(({ state }) => state === 'pending').length;
  if (skipped) lines.push(`${skipped} skipped by the specs themselves, for a newer server`);
  for (const [client, results] of all) {
    const failed = behaviour.filter((name) => {
      const other = client === 'redkeep' ? reference?.get(name)?.state : undefined;
      return results.get(name)?.state !== 'passed' && other !== 'failed';
    });
    lines.push('', `failed by ${client}${client === 'redkeep' && reference ? ' alone' : ''}: ${failed.length}`);
    for (const name of failed)
      lines.push(`  ${name}\n      ${results.get(name)?.error?.replaceAll('\n', '\n      ') ?? 'not run'}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
