import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import type { RestoreCommandOptions } from './restore-options.js';

/** Says what will be done, and goes on only with consent. */
export async function agree(context: Context, options: RestoreCommandOptions, lines: readonly string[]): Promise<void> {
  if (!options.json) for (const line of lines) context.terminal.note(line);
  if (options.yes) return;
  if (context.prompt.available && (await context.prompt.confirm('Do it?', false))) return;
  throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was changed.', 'Say --yes to do it without a question.');
}
