import { accessSync } from 'node:fs';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium that tests drive: the one that REDKEEP_CHROMIUM names, else the first that is installed. */
export function browserPath(): string {
  const named = process.env['REDKEEP_CHROMIUM'];
  for (const path of named === undefined ? CHROMIUM : [named]) {
    try {
      accessSync(path);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error('No Chromium found: install it, or name it in REDKEEP_CHROMIUM');
}
