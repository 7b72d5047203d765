import { accessSync } from 'node:fs';

/** The Chromium of this machine, for tests of pages. */
export function browserPath(): string {
  const named = process.env['REDKEEP_CHROMIUM'];
  const paths =
    named === undefined ? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'] : [named];
  for (const path of paths) {
    try {
      accessSync(path);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error('No Chromium found: install it, or name it in REDKEEP_CHROMIUM');
}
