import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { interrupted } from '../interruption.js';

const pollMilliseconds = 100;
/** A first synchronization of a large data set, or a cluster's agreement, is done by then. */
const settleMilliseconds = 120_000;

/** Asks again until it is so. What goes wrong on the way counts as "not yet" and is in the error when time runs out. */
export async function until({ signal }: Context, what: string, condition: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + settleMilliseconds;
  let reason = '';
  for (;;) {
    if (signal.aborted) throw interrupted();
    try {
      if (await condition()) return;
    } catch (error) {
      reason = error instanceof Error ? `: ${error.message}` : '';
    }
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_SERVER_FAILED',
        `Waited ${settleMilliseconds / 1000} s for ${what}${reason}`,
        'Read the logs in the nodes folder: redkeep logs.',
      );
    }
    await delay(pollMilliseconds);
  }
}
