// The end-to-end test of the example application drives a real Chromium; where none is found it is installed.
import { isInPath, packageManager } from './lib/package-manager.mjs';
import { EXIT, StepFailed, say } from './lib/step.mjs';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];
const MANAGERS = [
  {
    program: 'apt-get',
    root: true,
    refresh: ['update', '-qq'],
    install: ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  },
  { program: 'dnf', root: true, install: ['install', '-y', '-q', 'chromium'] },
  { program: 'apk', root: true, install: ['add', '--quiet', 'chromium'] },
  { program: 'brew', root: false, install: ['install', '--quiet', '--cask', 'chromium'] },
];

/** Resolves when a browser is there: REDKEEP_CHROMIUM, one in PATH, or one that was installed now. */
export async function ensureBrowser() {
  if (process.env.REDKEEP_CHROMIUM || PROGRAMS.some(isInPath)) return;
  try {
    const { manager, call } = await packageManager(MANAGERS);
    say(`Installing Chromium with ${manager.program}, for the tests that drive a browser`);
    if (manager.refresh) await call(manager.refresh);
    await call(manager.install);
  } catch (error) {
    if (error.exitCode === EXIT.interrupted) throw error;
    throw new StepFailed(
      `No Chromium for the tests that drive a browser, and none could be installed: ${error.message}\n` +
        'Install it so that `chromium` is in PATH, or name it in REDKEEP_CHROMIUM, then run this again.',
      EXIT.environment,
    );
  }
}
