import path from 'node:path';
import { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { loadDeployment } from '../../deployment/state.js';
import { ExitCode } from '../../exit-codes.js';
import { countSealed } from '../../rotation/encryption-keys/count-sealed.js';
import { encryptionFileName, readEncryptionFile } from '../../rotation/encryption-keys/encryption-file.js';
import { readKeyFile } from '../../rotation/encryption-keys/key-file.js';
import {
  abortEncryptionKeys,
  deploymentsOf,
  type KeysOutcome,
  rotateEncryptionKeys,
} from '../../rotation/encryption-keys/rotate-encryption-keys.js';
import type { DirOption } from '../dir-option.js';
import { receiversOf } from './receivers.js';
import { requireUnfinished, requireYes, unfinishedOf } from './unfinished.js';

export const encryptionKeysJournal = 'rotate-encryption-keys';

export interface RotateEncryptionKeysFlags extends DirOption {
  readonly encryption?: string;
  readonly grace: number;
  readonly watch: number;
  readonly secrets?: string;
  readonly resume?: boolean;
  readonly abort?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export async function rotateEncryptionKeysCommand(context: Context, options: RotateEncryptionKeysFlags): Promise<void> {
  const { terminal, clock } = context;
  const loaded = await loadDeployment(context, options.dir);
  const file = await readEncryptionFile(encryptionFileOf(context, loaded, options.encryption));
  if (options.dryRun) {
    const keys = await readKeyFile(file.keyFile);
    const { looked, sealed } = await countSealed(context, await deploymentsOf(context, loaded, file), file, keys);
    terminal.line(
      `Would give the ring of ${keys.length} keys a new one, and seal ${sealed} values anew (${looked} keys of Redis looked at).`,
    );
    terminal.line(`${options.grace} s for applications, twice: to be able to open with it, and to seal with it.`);
    return;
  }
  await withFolderLock(loaded.folder, 'rotate', async () => {
    const unfinished = await unfinishedOf(loaded, encryptionKeysJournal);
    if (options.resume || options.abort) requireUnfinished(unfinished);
    if (unfinished) terminal.note(`Going on with ${unfinished.id}, which has not ended.`);
    else await requireYes(context, options.yes, 'Rotate the encryption keys?');
    const journal = unfinished ?? (await Journal.open(loaded.folder, encryptionKeysJournal, clock.now()));
    const receivers = await receiversOf(context, loaded, journal, options.secrets);
    const run = options.abort ? abortEncryptionKeys : rotateEncryptionKeys;
    const outcome = await run(context, loaded, file, journal, {
      graceMs: options.grace * 1000,
      watchMs: options.watch * 1000,
      receivers,
    });
    tell(context, outcome, options.abort === true);
    if (options.json) terminal.json(outcome);
  });
}

function tell(context: Context, { renewed, rewrapped, left }: KeysOutcome, aborted: boolean): void {
  const { terminal } = context;
  const moved = `${renewed} values sealed and ${rewrapped} keys wrapped anew`;
  if (left.sealed > 0) {
    context.exitCode = ExitCode.Findings;
    const places = Object.entries(left.places).map(([place, count]) => `${count} below ${place}`);
    terminal.warn(
      `Not ended, ${moved}: ${places.join(', ')} need a key that would leave, so it stays. Add what is missing to the file, or update the processes that still seal with it, then run it again.`,
    );
    return;
  }
  if (aborted) {
    terminal.done(`Taken back, ${moved}: the old keys seal again, and nothing needs the new one.`);
    return;
  }
  terminal.done(
    `Rotated: ${moved}; of ${left.looked} keys of Redis none needs an old key, and the ring has the new one only.`,
  );
  terminal.note('The old keys are in the folder of the journal: backups of before need them.');
}

/** The file that says what is sealed. */
export function encryptionFileOf(context: Context, loaded: LoadedDeployment, given: string | undefined): string {
  if (given !== undefined) return path.resolve(context.cwd, given);
  return loaded.locate(encryptionFileName);
}
