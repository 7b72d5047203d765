import { setTimeout as sleep } from 'node:timers/promises';

/** Longest a test waits for something that should happen, in milliseconds: generous, for a busy machine. */
export const PATIENCE = 20_000;

/**
 * Polls `condition` until it gives a truthy value, and returns that value. An exception counts as "not yet" and is
 * the cause of the error when time runs out.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { timeout?: number; interval?: number; message?: string | (() => string) } = {},
): Promise<NonNullable<T>> {
  const { timeout = PATIENCE, interval = 10, message = 'the condition' } = options;
  const deadline = performance.now() + timeout;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(interval);
  } while (performance.now() < deadline);
  throw new Error(`Waited ${timeout} ms for ${typeof message === 'string' ? message : message()}`, { cause });
}
