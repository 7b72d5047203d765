import { CliError } from './errors.js';

/** Throws when the user has asked to stop. Call it between steps that each leave a whole state. */
export function stopIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}

export function interrupted(): CliError {
  return new CliError('REDKEEP_INTERRUPTED', 'Interrupted before the work was done.', 'Run the command again.');
}
