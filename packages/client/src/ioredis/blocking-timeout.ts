/** `blockingTimeout`: how long a blocking command may take before the client gives it up and answers null. */

import type { Command } from '../commands/command.js';
import { Flag } from '../commands/command.js';
import type { RedisOptions } from './options.js';

const DEFAULT_GRACE_MS = 100;
const FIRST_ARGUMENT = new Set(['BLMPOP', 'BZMPOP']);

/**
 * Milliseconds until null; undefined: the option is off, or the command does not block. One that waits for a connection
 * waits no longer than `blockingTimeout`, whatever it asks the server.
 */
export function blockingTimeoutOf(
  { spec, args }: Command,
  options: RedisOptions,
  isConnected: boolean,
): number | undefined {
  const { blockingTimeout, blockingTimeoutGrace = DEFAULT_GRACE_MS } = options;
  if (typeof blockingTimeout !== 'number' || blockingTimeout <= 0 || (spec.flags & Flag.BLOCKING) === 0)
    return undefined;
  if (!isConnected) return blockingTimeout;
  const asked = askedFor(spec.name, args);
  return asked > 0 ? asked + blockingTimeoutGrace : blockingTimeout;
}

/** Milliseconds that the command itself asks the server to wait at most; 0 = for ever. */
function askedFor(name: string, args: readonly unknown[]): number {
  if (name.startsWith('XREAD')) {
    const at = args.findIndex((arg) => String(arg).toUpperCase() === 'BLOCK');
    return Number(args[at + 1]) || 0;
  }
  const seconds = name === 'BLMOVEM' ? args[4] : FIRST_ARGUMENT.has(name) ? args[0] : args.at(-1);
  return (Number(seconds) || 0) * 1000;
}
