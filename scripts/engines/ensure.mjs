// Finds a server to run on, or gets one: from PATH, from the cache folder, from the system's package manager, or by
// unpacking the distribution's package into the cache folder.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { findEngines } from '../../testing/dist/engines.js';
import { firstWhere, packageManager } from '../lib/package-manager.mjs';
import { EXIT, StepFailed, say } from '../lib/step.mjs';
import { distributionEngines, ENGINES, enginesFolder, unpackEngine } from './unpack.mjs';

const exec = promisify(execFile);
const LOWEST_VERSION = 7;
const PRODUCTS = ['valkey', 'redis'];

/** What differs between servers differs most between these: the tests that run on each engine found run on them. */
const TESTED = ['redis-7.0', 'redis-8.0', 'valkey-9'];

/** Unpacks the engines that tests compare. Without Debian's packages the tests run on the engines that are there. */
export async function ensureTestedEngines() {
  const present = new Set(findEngines().map(({ name }) => name));
  for (const engine of ENGINES.filter(({ name }) => TESTED.includes(name) && !present.has(name))) {
    say(`Unpacking ${engine.name}, so that tests compare engines, into ${enginesFolder()}`);
    try {
      await unpackEngine(engine, enginesFolder());
    } catch (error) {
      if (error.exitCode === EXIT.interrupted) throw error;
      say(`Not to be had here, so that no test runs on it: ${engine.name} (${error.message})`);
    }
  }
}

/** An engine of testing's `findEngines()` with version 7 or later. */
export async function ensureServer() {
  const refusals = [];
  for (const way of [async () => {}, installWithPackageManager, unpackFromDistribution]) {
    try {
      await way();
    } catch (error) {
      if (error.exitCode === EXIT.interrupted) throw error;
      refusals.push(error.message);
      continue;
    }
    const engine = findEngines().find(({ version }) => Number(version.split('.')[0]) >= LOWEST_VERSION);
    if (engine) return engine;
  }
  throw new StepFailed(
    [
      'No Redis or Valkey server, version 7 or later, and none could be had here:',
      ...refusals.map((reason) => `  - ${reason}`),
      'Install one so that `redis-server` or `valkey-server` is in PATH, then run this again. For example:',
      '  Debian, Ubuntu   sudo apt-get install redis-server',
      '  Fedora           sudo dnf install valkey',
      '  Alpine           sudo apk add valkey',
      '  macOS            brew install valkey',
    ].join('\n'),
    EXIT.environment,
  );
}

/** One entry a package manager: how to refresh, how to ask for a version, how to install. First one present is used. */
const MANAGERS = [
  {
    program: 'apt-get',
    root: true,
    refresh: ['update', '-qq'],
    install: (product) => ['install', '-y', '-qq', '--no-install-recommends', `${product}-server`],
    version: async (product) =>
      (await exec('apt-cache', ['policy', `${product}-server`])).stdout.match(/Candidate: (?:\d+:)?(\d+)/)?.[1],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  },
  { program: 'dnf', root: true, install: (product) => ['install', '-y', '-q', product] },
  { program: 'apk', root: true, install: (product) => ['add', '--quiet', product] },
  { program: 'brew', root: false, install: (product) => ['install', '--quiet', product] },
];

async function installWithPackageManager() {
  const { manager, prefix, call } = await packageManager(MANAGERS);

  if (manager.refresh) {
    say(`Refreshing the package lists (${manager.program} ${manager.refresh[0]})`);
    await call(manager.refresh);
  }
  const product = await firstWhere(PRODUCTS, async (name) => {
    const version = await manager.version?.(name);
    return !manager.version || Number(version) >= LOWEST_VERSION;
  });
  if (!product) throw new Error(`${manager.program} has no Redis or Valkey of version ${LOWEST_VERSION} or later`);
  // dnf, apk and brew cannot say beforehand: what they lack, they refuse.
  for (const name of manager.version ? [product] : PRODUCTS) {
    say(`Installing ${name} with ${manager.program}`);
    try {
      await call(manager.install(name));
      await stopPackagedService(prefix, name);
      return;
    } catch (error) {
      if (name === PRODUCTS.at(-1) || manager.version) throw error;
    }
  }
}

/**
 * A distribution's package starts a server of its own, without a password. Nobody asked for that one, and we have
 * just brought it here: it is stopped and kept from starting again.
 */
async function stopPackagedService(prefix, product) {
  if (!existsSync('/run/systemd/system')) return;
  const [program, ...args] = [...prefix, 'systemctl', 'disable', '--now', `${product}-server`];
  await exec(program, args)
    .catch(() => exec(program, [...args.slice(0, -1), product]))
    .catch(() => {});
  say(`Stopped the ${product} service that the package had started`);
}

async function unpackFromDistribution() {
  const engines = await distributionEngines();
  let refusal;
  for (const engine of engines) {
    say(`Unpacking ${engine.product} of ${engine.suite} into ${enginesFolder()}`);
    try {
      await unpackEngine(engine, enginesFolder());
      return;
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal ?? new Error('no distribution package to unpack');
}
