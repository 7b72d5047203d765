import { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { User } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { ExitCode } from '../../exit-codes.js';
import { deploymentState } from '../../monitor/deployment-states.js';
import { requireInLine } from '../../rotation/bring-in-line.js';
import { abortUsers, rotateUsers } from '../../rotation/rotate-users.js';
import { requireUser } from '../acl/as-admin.js';
import type { DirOption } from '../dir-option.js';
import { receiversOf } from './receivers.js';
import { begunOf, requireUnfinished, requireYes } from './unfinished.js';

/** What journals of this rotation are called. */
export const usersJournal = 'rotate-users';

export interface RotateUsersFlags extends DirOption {
  readonly all?: boolean;
  readonly grace: number;
  readonly watch: number;
  readonly secrets?: string;
  readonly emergency?: boolean;
  readonly resume?: boolean;
  readonly abort?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export async function rotateUsersCommand(
  context: Context,
  names: readonly string[],
  options: RotateUsersFlags,
): Promise<void> {
  const loaded = await loadDeployment(context, options.dir);
  if (options.dryRun) {
    showDryRun(context, loaded, await chosenUsers(context, loaded, names, options));
    return;
  }
  await withFolderLock(loaded.folder, 'rotate', () => rotateLocked(context, loaded, names, options));
}

async function rotateLocked(
  context: Context,
  loaded: LoadedDeployment,
  names: readonly string[],
  options: RotateUsersFlags,
): Promise<void> {
  const { terminal, clock } = context;
  const unfinished = await begunOf(loaded, usersJournal, 'users');
  if (options.resume || options.abort) requireUnfinished(unfinished);
  if (unfinished && options.abort) {
    await abortUsers(context, loaded, usersOf(loaded, unfinished), unfinished, {
      graceMs: options.emergency ? 0 : options.grace * 1000,
      receivers: await receiversOf(context, loaded, unfinished, options.secrets),
    });
    return terminal.done(`${unfinished.id} is taken back; the old passwords stay.`);
  }
  const users = unfinished ? usersOf(loaded, unfinished) : await chosenUsers(context, loaded, names, options);
  if (users.length === 0) return terminal.done('No password is due.');
  const list = users.map(({ name }) => name).join(', ');
  if (unfinished) terminal.note(`Going on with ${unfinished.id}, which has not ended: ${list}.`);
  else await requireYes(context, options.yes, `Rotate the passwords of ${list}?`);
  if (!unfinished) await requireInLine(context, loaded);
  const journal = await Journal.open(loaded.folder, usersJournal, clock.now());
  await journal.step(
    'users',
    async () => undefined,
    users.map(({ name }) => name),
  );
  const receivers = await receiversOf(context, loaded, journal, options.secrets);
  const stragglers = await rotateUsers(context, loaded, users, journal, {
    graceMs: options.grace * 1000,
    watchMs: options.watch * 1000,
    emergency: options.emergency === true,
    receivers,
  });
  const kept = new Set(stragglers.map(({ user }) => user));
  const done = users.filter(({ name }) => !kept.has(name)).map(({ name }) => name);
  if (options.json) terminal.json({ rotated: done, stragglers });
  if (done.length > 0) terminal.done(`Rotated: ${done.join(', ')}. The old passwords are refused on every node.`);
  if (kept.size > 0) {
    context.exitCode = ExitCode.Findings;
    terminal.warn(
      `Not ended for ${[...kept].join(', ')}: the old password is still in use. Move these applications, then run it again.`,
    );
  }
}

function usersOf(loaded: LoadedDeployment, journal: Journal): User[] {
  const names = (journal.dataOf('users') ?? []) as readonly string[];
  return loaded.deployment.users.filter(({ name }) => names.includes(name));
}

async function chosenUsers(
  context: Context,
  loaded: LoadedDeployment,
  names: readonly string[],
  { all, emergency }: RotateUsersFlags,
): Promise<User[]> {
  if (names.length > 0) return names.map((name) => requireUser(loaded, name));
  if (all || emergency) return [...loaded.deployment.users];
  return dueUsers(context, loaded);
}

/** Users whose password is older than the profile allows. */
export async function dueUsers(context: Context, loaded: LoadedDeployment): Promise<User[]> {
  const { secrets } = await deploymentState(loaded, context.clock.now().getTime());
  const due = new Set(secrets.filter(({ kind, overdue }) => kind === 'password' && overdue).map(({ name }) => name));
  return loaded.deployment.users.filter(({ name }) => due.has(name));
}

function showDryRun({ terminal }: Context, loaded: LoadedDeployment, users: readonly User[]): void {
  if (users.length === 0) {
    terminal.done('No password is due.');
    return;
  }
  terminal.line(`Would rotate: ${users.map(({ name }) => name).join(', ')}.`);
  terminal.line(`On ${loaded.deployment.nodes.map(({ name }) => name).join(', ')}, nothing restarts:`);
  const steps = [
    'make new passwords, in files of the folder',
    'accept them beside the old ones on every node',
    'prove by logins of our own that every node accepts them',
    'put them in place, hand them out, log in with them for replication and as sentinel',
    'wait until applications have reconnected, or for the grace time',
    'remove the old ones, and put one back where somebody still uses it',
    'prove by logins of our own that every node refuses the old ones',
  ];
  for (const [index, step] of steps.entries()) terminal.line(`  ${index + 1}. ${step}`);
}
