import { open } from 'node:fs/promises';
import path from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Context } from '../../context.js';
import { CliError, explainSystemError } from '../../errors.js';

/** `redkeep backup key new`: an age identity, as age-keygen makes them. Only its public half is printed. */
export async function backupKeyNew(context: Context, file: string, options: { json?: boolean }): Promise<void> {
  const target = path.resolve(context.cwd, file);
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const created = context.clock.now().toISOString();
  try {
    const handle = await open(target, 'wx', 0o600);
    try {
      await handle.writeFile(`# created: ${created}\n# public key: ${recipient}\n${identity}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new CliError('REDKEEP_USAGE', `${target} exists already.`, 'Choose another name: a key is never replaced.');
    }
    throw explainSystemError(error, target);
  }
  if (options.json) return context.terminal.json({ recipient, file: target });
  context.terminal.line(recipient);
  context.terminal.note(`Keep ${target} off the hosts that are backed up: whoever has it reads every backup.`);
}
