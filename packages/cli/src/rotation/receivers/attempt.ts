import { CliError } from '../../errors.js';

/** Runs a program that hands a password out. One that fails, or takes too long, stops the rotation before anything is removed. */
export async function attempt(
  program: string,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  let cause: unknown;
  const taken = await work(signal).catch((error: unknown) => {
    cause = error;
    return false;
  });
  if (taken && !signal.aborted) return;
  throw new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `The command ${program} did not take the new password${signal.aborted ? ` within ${timeoutMs / 1000} s` : ''}.`,
    'Find out why, then run the rotation again: it goes on; old passwords are still accepted.',
    { cause },
  );
}
