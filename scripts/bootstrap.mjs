#!/usr/bin/env node
// From a fresh clone to a built repository with a real server to run on. Plain Node without dependencies, since it
// runs before there are any. `npm test` and `npm run quickstart` start with it; every step is skipped when it is done.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { EXIT, run, runMain, StepFailed, say } from './lib/step.mjs';

export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const LOWEST_NODE = 20;
const at = (...parts) => join(REPOSITORY, ...parts);

/** The path of a development tool's program, `tsc` or `biome`. */
export const tool = (name) => at('node_modules/.bin', name);

/** Installs, builds and finds a server; gives the engine found, as `findEngines()` of testing describes it. */
export async function bootstrap() {
  checkNode();
  await installDependencies();
  await build();
  const { ensureServer } = await import('./engines/ensure.mjs');
  const engine = await ensureServer();
  say(`Server: ${engine.kind} ${engine.version}, ${engine.server}`);
  return engine;
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= LOWEST_NODE) return;
  throw new StepFailed(
    `Redkeep needs Node.js ${LOWEST_NODE} or later; this is ${process.versions.node}. Get it from https://nodejs.org`,
    EXIT.environment,
  );
}

async function installDependencies() {
  // npm writes this file last: it stands for a whole installation, and an interrupted one is done again.
  const installed = at('node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs) return;
  say('Installing dependencies (npm ci)');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = {
    cwd: REPOSITORY,
    exitCode: EXIT.environment,
    fix: 'Check the network and the npm registry setting.',
  };
  await (npm ? run(process.execPath, [npm, ...args], options) : run('npm', args, options));
}

async function build() {
  say('Building (tsc -b)');
  await run(tool('tsc'), ['-b'], { cwd: REPOSITORY });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runMain(async () => {
    await bootstrap();
  });
}
