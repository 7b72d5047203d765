import { randomBytes } from 'node:crypto';

/** Longer than any question takes. */
const longestSeconds = 60;
const form = /^redkeep-probe-([0-9a-f]{8})[0-9a-f]{4}$/;

/** A user that exists, turned off, only while a question is asked. Its name says since when. */
export function probeName(now = Date.now()): string {
  const seconds = Math.floor(now / 1000)
    .toString(16)
    .padStart(8, '0');
  return `redkeep-probe-${seconds}${randomBytes(2).toString('hex')}`;
}

export function isProbe(name: string): boolean {
  return form.test(name);
}

/** True for a user that a run left behind when it was killed. */
export function isLeftBehind(name: string, now = Date.now()): boolean {
  const since = form.exec(name)?.[1];
  return since !== undefined && now / 1000 - Number.parseInt(since, 16) > longestSeconds;
}
