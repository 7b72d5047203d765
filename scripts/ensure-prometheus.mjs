// The tests of the monitor ask a real Prometheus and Alertmanager, and compare with a real redis_exporter; where one
// of them is missing it is installed.
import { isInPath, packageManager } from './lib/package-manager.mjs';
import { EXIT, StepFailed, say } from './lib/step.mjs';

/** Programs of each Debian package. */
const PACKAGES = {
  prometheus: ['prometheus', 'promtool'],
  'prometheus-alertmanager': ['prometheus-alertmanager', 'amtool'],
  'prometheus-redis-exporter': ['prometheus-redis-exporter'],
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

/** Resolves when every program is in PATH. */
export async function ensurePrometheus() {
  const missing = Object.keys(PACKAGES).filter((name) => !PACKAGES[name].every(isInPath));
  if (missing.length === 0) return;
  try {
    const { manager, call } = await packageManager(MANAGERS);
    say(`Installing ${missing.join(', ')} with ${manager.program}, for the tests of the monitor`);
    await call(manager.refresh);
    await call(manager.install(missing));
  } catch (error) {
    if (error.exitCode === EXIT.interrupted) throw error;
    throw new StepFailed(
      `Missing for the tests of the monitor, and not to be installed: ${missing.join(', ')} (${error.message}).\n` +
        `Put these into PATH and run this again: ${missing.flatMap((name) => PACKAGES[name]).join(', ')}.`,
      EXIT.environment,
    );
  }
}
