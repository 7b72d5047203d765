#!/usr/bin/env node
// `npm run test:targets`: what deployments generate, checked by the tools it is for (systemd, nftables, iptables, ufw,
// Prometheus) and by each client; then the life of a deployment on every target and topology (targets/matrix.mjs).
// `npm run test:targets -- compose systemd/sentinel` runs those cells alone. Installs what is missing on Debian and
// Ubuntu; needs root, for network namespaces and containers.
import { bootstrap } from './bootstrap.mjs';
import { isInPath, packageManager } from './lib/package-manager.mjs';
import { EXIT, runMain, StepFailed, say } from './lib/step.mjs';

/** A program of each package, to see whether it is there. */
const PACKAGES = {
  systemd: 'systemd-analyze',
  prometheus: 'promtool',
  nftables: 'nft',
  iptables: 'iptables-restore',
  ufw: 'ufw',
  'util-linux': 'unshare',
};
const MANAGERS = [
  {
    program: 'apt-get',
    root: true,
    refresh: ['update', '-qq'],
    install: (names) => ['install', '-y', '-qq', '--no-install-recommends', ...names],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  },
];

async function ensureTools() {
  // Some of them live where only root's PATH leads.
  process.env.PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  const wanted = Object.keys(PACKAGES).filter((name) => !isInPath(PACKAGES[name]));
  if (wanted.length === 0) return;
  try {
    const { manager, call } = await packageManager(MANAGERS);
    say(`Installing ${wanted.join(', ')}`);
    await call(manager.refresh);
    await call(manager.install(wanted));
  } catch (error) {
    if (error.exitCode === EXIT.interrupted) throw error;
    throw new StepFailed(
      `These are missing and could not be installed: ${wanted.join(', ')} (${error.message}).`,
      EXIT.environment,
    );
  }
}

await runMain(async (cells) => {
  await bootstrap();
  if (cells.length === 0) {
    await ensureTools();
    process.env.REDKEEP_TARGETS = 'full';
    const { runTests } = await import('./run-tests.mjs');
    const code = await runTests(['deployment/outer-tools', 'deployment/client-snippets', 'deployment/schemas']);
    if (code) return code;
  }
  const { runMatrix } = await import('./targets/matrix.mjs');
  return runMatrix(cells);
});
