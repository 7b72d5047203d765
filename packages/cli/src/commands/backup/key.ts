import path from 'node:path';
import { text } from 'node:stream/consumers';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { identityOfWords } from '../../backup/keys/identity-words.js';
import { renderRecoveryKit } from '../../backup/keys/recovery-kit.js';
import { loadEntries } from '../../backup/restore/load-entries.js';
import type { Context } from '../../context.js';
import { CliError, explainSystemError } from '../../errors.js';
import { createFile } from '../../files/create-file.js';
import { BackupEnvironment, type ReadOptions, readIdentities } from './options.js';

/** `redkeep backup key new`: an age identity, as age-keygen makes them. Only its public half is printed. */
export async function backupKeyNew(context: Context, file: string, options: { json?: boolean }): Promise<void> {
  await keep(context, file, await generateX25519Identity(), options);
}

/** `redkeep backup key from-words`: the identity of a recovery kit, from its 24 words on standard input. */
export async function backupKeyFromWords(context: Context, file: string, options: { json?: boolean }): Promise<void> {
  const words = context.prompt.available ? await context.prompt.ask('24 words', '') : await text(process.stdin);
  await keep(context, file, identityOfWords(words), options);
}

async function keep(context: Context, file: string, identity: string, { json }: { json?: boolean }): Promise<void> {
  const target = path.resolve(context.cwd, file);
  const recipient = await identityToRecipient(identity);
  const created = context.clock.now().toISOString();
  await createSecretFile(target, `# created: ${created}\n# public key: ${recipient}\n${identity}\n`);
  if (json) return context.terminal.json({ recipient, file: target });
  context.terminal.line(recipient);
  context.terminal.note(`Keep ${target} off the hosts that are backed up: anyone who has it can read every backup.`);
}

/** `redkeep backup key kit`: a page to print, with the key as QR code and words, the store, the writers, the steps. */
export async function backupKeyKit(context: Context, file: string, options: ReadOptions): Promise<void> {
  const [identity] = await readIdentities(context, options.identity);
  const environment = await BackupEnvironment.open(context, options);
  const { source } = environment;
  if (source === undefined) throw new CliError('REDKEEP_USAGE', 'No backup is named.', 'Name it with --source.');
  const { writers } = await loadEntries(environment.store, { source });
  const kit = renderRecoveryKit({
    ...{ source, store: environment.store.description, identity: identity!, made: context.clock.now().toISOString() },
    recipient: await identityToRecipient(identity!),
    writers: writers.map(({ publicKey }) => publicKey),
  });
  const target = path.resolve(context.cwd, file);
  await createSecretFile(target, kit);
  if (options.json) return context.terminal.json({ file: target });
  context.terminal.done(`Wrote ${target}. Print it, lock the paper away, and delete the file.`);
}

async function createSecretFile(target: string, content: string): Promise<void> {
  try {
    await createFile(target, content);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw new CliError('REDKEEP_USAGE', `${target} exists already.`, 'Choose another name: a key is never replaced.');
    }
    throw explainSystemError(error, target);
  }
}
