import type { Context } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { ExitCode } from '../../exit-codes.js';
import { deploymentState } from '../../monitor/deployment-states.js';
import { readStatuses } from '../../pki/certificate-status.js';
import { readStragglers } from '../../rotation/straggler-file.js';
import type { DirOption } from '../dir-option.js';
import { allJournal } from './all.js';
import { authorityJournal, certificatesJournal } from './certificates.js';
import { encryptionKeysJournal } from './encryption-keys.js';
import { unfinishedOf } from './unfinished.js';
import { usersJournal } from './users.js';

interface StatusOptions extends DirOption {
  readonly json?: boolean;
}

/** Ages of all secrets, rotations under way, and who still uses an old password. Exit code 1 when something is due. */
export async function rotateStatus(context: Context, options: StatusOptions): Promise<void> {
  const { terminal, clock } = context;
  const loaded = await loadDeployment(context, options.dir);
  const now = clock.now();
  const { secrets: all } = await deploymentState(loaded, now.getTime());
  const secrets = all.filter(({ kind }) => kind === 'password');
  const keys = all.filter(({ kind }) => kind === 'encryption-keys');
  const certificates = await readStatuses(loaded, now);
  const kinds = [allJournal, usersJournal, certificatesJournal, authorityJournal, encryptionKeysJournal];
  const open = await Promise.all(kinds.map((kind) => unfinishedOf(loaded, kind)));
  const unfinished = open.filter((journal) => journal !== undefined);
  const stragglers = await readStragglers(loaded);
  const due = all.some(({ overdue }) => overdue) || certificates.some(({ renewalDue }) => renewalDue);
  if (due || unfinished.length > 0 || stragglers.length > 0) context.exitCode = ExitCode.Findings;
  const days = (seconds: number) => Math.floor(seconds / 86_400);
  if (options.json) {
    return terminal.json({
      passwords: secrets.map(({ name, ageSeconds, overdue }) => ({ user: name, ageDays: days(ageSeconds), overdue })),
      encryptionKeys: keys.map(({ name, ageSeconds, overdue }) => ({ name, ageDays: days(ageSeconds), overdue })),
      certificates: certificates.map(({ name, daysLeft, renewalDue }) => ({ name, daysLeft, renewalDue })),
      unfinished: unfinished.map(({ id, steps }) => ({ id, steps })),
      stragglers,
    });
  }
  terminal.table(
    ['secret', 'age or days left', 'state'],
    [
      ...[...secrets, ...keys].map(({ kind, name, ageSeconds, overdue }) => [
        kind === 'password' ? `password of ${name}` : `encryption keys ${name}`,
        `${days(ageSeconds)} days old`,
        overdue ? 'due' : 'in time',
      ]),
      ...certificates.map(({ name, daysLeft, renewalDue }) => [
        `certificate ${name}`,
        `${daysLeft} days left`,
        renewalDue ? 'due' : 'in time',
      ]),
    ],
  );
  for (const { id } of unfinished) terminal.warn(`${id} has not ended: run the same rotation again, it goes on.`);
  for (const { user, address, node, at } of stragglers)
    terminal.warn(
      `${user} used its old password from ${address || 'a local socket'} on ${node} at ${at}; it is still accepted.`,
    );
}
