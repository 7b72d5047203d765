import type { Journal } from '../apply/journal.js';
import { CliError } from '../errors.js';

const takingBack = 'take back';

export function isTakenBack(journal: Journal): boolean {
  return journal.steps.some(({ step }) => step === takingBack || step.startsWith('back: '));
}

/** Notes that a rotation is being taken back. From here on it can only be that. */
export function beginTakingBack(journal: Journal): Promise<unknown> {
  return journal.step(takingBack, async () => undefined);
}

/** Refuses to go on with what is half taken back: steps that count as done are not any more. */
export function refuseWhileTakenBack(journal: Journal, command: string): void {
  if (!isTakenBack(journal)) return;
  throw new CliError(
    'REDKEEP_USAGE',
    `${journal.id} is being taken back.`,
    `End that first: redkeep rotate ${command} --abort.`,
  );
}
