import { CliError } from '../errors.js';
import { Migration, type StepId } from './migration.js';
import type { StepContext } from './step.js';
import { steps } from './steps.js';
import { startWatchdog } from './watchdog.js';

/** Seconds that a closing step has to prove itself, beyond the time that it watches on purpose. */
const confirmSeconds = 30;

/**
 * Takes one step: in the journal before, marked after. A closing step is taken back by a watchdog when this process
 * does not come to its end. A step that was begun and not finished is taken again: each is safe to repeat.
 */
export async function takeStep(step: StepId, context: StepContext): Promise<string> {
  const { migration } = context;
  const { clock } = context.context;
  const { watched, take, undo } = steps[step];
  await migration.record(step, 'begun', clock.now());
  if (watched) await startWatchdog(migration, step, migration.plan.watchSeconds + confirmSeconds);
  let result: string;
  try {
    result = await take(context);
  } catch (error) {
    if (!watched) throw error;
    // Taken back here, at once and with the reason; the watchdog is for the case that this line is never reached.
    await undo({ ...context, allowDisconnect: true });
    await migration.record(step, 'undone', clock.now());
    throw error;
  }
  const onDisk = await Migration.load(migration.folder);
  if (onDisk.stateOf(step) === 'rolled-back')
    throw new CliError(
      'REDKEEP_MIGRATION_UNPROVED',
      'The step took too long, and its watchdog has taken it back.',
      'Look at the network and the load of the server, and run "redkeep migrate next" again.',
    );
  await migration.record(step, 'done', clock.now(), result);
  return result;
}

/** Takes one step back. Safe to repeat after a kill. */
export async function undoStep(step: StepId, context: StepContext): Promise<void> {
  const { migration } = context;
  const { clock } = context.context;
  await migration.record(step, 'undo-begun', clock.now());
  await steps[step].undo(context);
  await migration.record(step, 'undone', clock.now());
}
