import { access } from 'node:fs/promises';
import path from 'node:path';
import { loadSigner } from '../../backup/archive/state-folder.js';
import { expiryFolder } from '../../backup/format/names.js';
import { publicKeyText, signLine } from '../../backup/format/signed.js';
import { instant } from '../../backup/restore/plan-restore.js';
import { planExpiry } from '../../backup/retention/plan-expiry.js';
import type { Context } from '../../context.js';
import { timestamp } from '../../deployment/write-files.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import type { ReadOptions } from './options.js';
import { type Reading, readBackup, refuseProblems, requireTrust } from './reading.js';
import { plural, size } from './sizes.js';

export interface ExpireOptions extends ReadOptions {
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepSecondsDays?: string;
  readonly confirm?: boolean;
  readonly onWriterHost?: boolean;
}

/** `redkeep backup expire`: removes what no kept moment needs. Without `--confirm` it only says what that is. */
export async function backupExpire(context: Context, options: ExpireOptions): Promise<void> {
  const { terminal, clock, signal } = context;
  const retention = {
    secondsDays: countOf('--keep-seconds-days', options.keepSecondsDays, 7),
    daily: countOf('--keep-daily', options.keepDaily, 7),
    weekly: countOf('--keep-weekly', options.keepWeekly, 4),
    monthly: countOf('--keep-monthly', options.keepMonthly, 12),
  };
  const reading = requireTrust(context, await readBackup(context, options), false);
  const { environment, loaded, source, gone } = reading;
  refuseProblems(loaded.problems);
  if (!options.onWriterHost) await refuseWriter(reading);
  const now = clock.now();
  const plan = planExpiry(loaded.entries, source, retention, Math.floor(now.getTime() / 1000), gone);
  // What an expiry that was interrupted has announced and not removed.
  const stored = new Set((await environment.store.list(`data/${source}/`)).map(({ name }) => name));
  const left = [...gone].filter((name) => stored.has(name));
  const removing = [...left, ...plan.removed];
  if (options.confirm && plan.removed.length > 0) {
    const signer = await loadSigner(environment.stateOf('expire'));
    const record = { format: 1, source, at: now.toISOString(), removed: plan.removed };
    const name = `${expiryFolder(source)}${timestamp(now)}.json`;
    // Said before it is done: an object that is missing is either here or a loss.
    await environment.store.put(name, { data: signLine(JSON.stringify(record), signer) });
    if (!options.json) terminal.note(`Signed by ${publicKeyText(signer)}; readers elsewhere name it with --trust.`);
  }
  if (options.confirm) {
    for (const name of removing) {
      stopIfInterrupted(signal);
      await environment.store.remove(name);
    }
  }
  if (options.json) return terminal.json({ source, ...plan, removed: removing, confirmed: options.confirm ?? false });
  for (const { shard, second, reason } of plan.keptBases)
    terminal.line(`keeps ${shard} ${instant(second)} (${reason})`);
  const what = `${plural(removing.length, 'object')} (${size(plan.removedBytes)})`;
  if (options.confirm) terminal.done(`Removed ${what}; ${plural(plan.keptObjects, 'object')} kept.`);
  else terminal.line(`Would remove ${what} and keep ${plan.keptObjects}. Do it with --confirm.`);
}

/** The host that writes must not be able to remove its past: an attacker on it could. */
async function refuseWriter({ environment, loaded, source }: Reading): Promise<void> {
  for (const command of ['run', 'archive'] as const) {
    const folder = environment.stateOf(command);
    const isHere = await access(path.join(folder, 'signer.key')).then(
      () => true,
      () => false,
    );
    if (!isHere) continue;
    const key = publicKeyText(await loadSigner(folder));
    if (!loaded.writers.some((writer) => writer.source === source && writer.publicKey === key)) continue;
    throw new CliError(
      'REDKEEP_BACKUP_SOURCE_UNSAFE',
      'This host writes the backup; if it may also remove objects, an attacker on it can destroy every backup.',
      'Run expiry on another host with a login of its own (--state, --trust), or accept it with --on-writer-host.',
    );
  }
}

function countOf(flag: string, text: string | undefined, fallback: number): number {
  const count = text === undefined ? fallback : Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= 10_000) return count;
  throw new CliError('REDKEEP_USAGE', `${flag} is not a whole number from 0 to 10,000.`, `The default is ${fallback}.`);
}
