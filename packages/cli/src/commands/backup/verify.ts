import { verifyObjects } from '../../backup/restore/verify-objects.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import type { ReadOptions } from './options.js';
import { readBackup } from './reading.js';
import { Progress, plural, size } from './sizes.js';

export interface VerifyCommandOptions extends ReadOptions {
  readonly share?: string;
}

/** `redkeep backup verify`: signatures, chains, and every object's bytes. Exit code 1 where anything is wrong. */
export async function backupVerify(context: Context, options: VerifyCommandOptions): Promise<void> {
  const { terminal } = context;
  const share = shareOf(options.share);
  const reading = await readBackup(context, options);
  const { loaded, source, environment, gone } = reading;
  const progress = new Progress((text) => terminal.note(text));
  const result = await verifyObjects(environment.store, source, loaded.entries, {
    ...{ gone, share },
    onProgress: (bytes, total) => progress.report('read', bytes, total),
  });
  const problems = [...loaded.problems, ...result.problems];
  const strangers = loaded.writers.filter((writer) => writer.source === source && !writer.trusted);
  if (problems.length > 0) context.exitCode = ExitCode.Findings;
  else if (strangers.length > 0) context.exitCode = ExitCode.Incomplete;
  if (options.json) {
    const { objects, bytes, readBytes, unnamed } = result;
    const writers = loaded.writers.filter((writer) => writer.source === source);
    return terminal.json({ source, problems, objects, bytes, readBytes, unnamed, writers, expired: gone.size });
  }
  for (const { object, text } of problems) terminal.line(`${terminal.style('red', 'damaged')} ${object}: ${text}`);
  const read = share === 1 ? 'all of it read' : `${size(result.readBytes)} of it read`;
  terminal.line(
    `${plural(loaded.entries.length, 'entry', 'entries')}, ${plural(result.objects, 'object')}, ${size(result.bytes)}, ${read}: ${
      problems.length === 0 ? 'all as signed.' : `${plural(problems.length, 'problem')}.`
    }`,
  );
  for (const { publicKey } of strangers) {
    terminal.warn(`The signatures hold, but you did not say that you trust their key: --trust ${publicKey}`);
  }
  if (result.unnamed.length > 0) {
    terminal.note(`${plural(result.unnamed.length, 'object')} without an entry, from an interrupted upload. Harmless.`);
  }
}

function shareOf(text: string | undefined): number {
  const percent = text === undefined ? 100 : Number(text.replace(/%$/, ''));
  if (percent > 0 && percent <= 100) return percent / 100;
  throw new CliError('REDKEEP_USAGE', '--share is not a percentage above 0 and up to 100.', 'For example --share 10%.');
}
