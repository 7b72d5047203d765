import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '../apply/journal.js';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { isApplication, type User, userOf } from '../deployment/model.js';
import { withClient } from '../engine/connect-node.js';
import { CliError } from '../errors.js';
import { stopIfInterrupted } from '../interruption.js';
import { readClients } from '../monitor/gather/replies.js';
import { bringInLine } from './bring-in-line.js';
import {
  currentPassword,
  makeNext,
  nextPassword,
  passwordState,
  previousPassword,
  retirePrevious,
  switchBack,
  switchPassword,
  takeBack,
} from './password-files.js';
import { nodesOf, proveLogins } from './prove-logins.js';
import { recordRotations } from './records-file.js';
import type { SecretReceiver } from './secret-receivers.js';
import { writeStragglers } from './straggler-file.js';
import { removeAndWatch, type Straggler } from './stragglers.js';
import { beginTakingBack, isTakenBack, refuseWhileTakenBack } from './taking-back.js';

export interface RotateUsersOptions {
  /** How long applications have to take the new password before the old one goes. */
  readonly graceMs: number;
  /** How long failed logins are watched after the old one is gone. */
  readonly watchMs: number;
  /** The old password is known to others: no grace, no rescue, and every session that may have used it ends. */
  readonly emergency: boolean;
  readonly receivers: readonly SecretReceiver[];
}

const drainPollMs = 500;
/** While applications are waited for, a person sees at least this often how many are left. */
const drainSignMs = 10_000;

/**
 * Rotates users' passwords without refusing a working client: the new one is accepted beside the old on every node,
 * applications get it, the old one goes, and connections of our own prove each of these on the wire. Its progress
 * is in files and in the journal: run again after a kill, it goes on and ends in the same state. Returns who still uses
 * an old password; such a user keeps it, and the next run tries again.
 */
export async function rotateUsers(
  context: Context,
  loaded: LoadedDeployment,
  users: readonly User[],
  journal: Journal,
  options: RotateUsersOptions,
): Promise<readonly Straggler[]> {
  refuseWhileTakenBack(journal, 'users');
  const { terminal, signal, clock } = context;
  const step = async (name: string, work: () => Promise<unknown>) => {
    stopIfInterrupted(signal);
    terminal.detail(name);
    await journal.step(name, async () => {
      await work();
    });
  };
  const inLine = () => bringInLine(context, loaded, journal);
  await step('make the new passwords', () => each(users, (user) => makeNext(loaded, user)));
  await step('announce the new', () => handOut(loaded, users, options.receivers, 'pending'));
  await step('accept the new beside the old', inLine);
  await step('prove that the new is accepted', async () =>
    proveLogins(context, loaded, await passwordsOf(users, (user) => nextPassword(loaded, user)), 'accepted'),
  );
  await step('switch to the new', () => each(users, (user) => switchPassword(loaded, user)));
  await step('hand out the new', () => handOut(loaded, users, options.receivers, 'current'));
  await step('log in with the new', inLine);
  const now = clock.now().getTime();
  await step('wait for the applications', () =>
    options.emergency
      ? Promise.resolve()
      : drain(context, loaded, users, now, { graceMs: options.graceMs, toLogInWith: 'the new password' }),
  );

  const old = await passwordsOf(users, (user) => oldPassword(loaded, user, journal));
  stopIfInterrupted(signal);
  // Without a journal mark of its own: removing again what is gone changes nothing.
  const stragglers = await removeAndWatch(context, loaded, old, options.emergency ? 0 : options.watchMs);
  stopIfInterrupted(signal);
  const kept = new Set(stragglers.map(({ user }) => user));
  const clean = users.filter(({ name }) => !kept.has(name));
  await writeStragglers(loaded, stragglers);
  await each(clean, (user) => retirePrevious(loaded, user, path.join(journal.folder, 'previous')));
  await inLine();
  if (options.emergency) await endSessions(context, loaded, users);
  const refused = new Map([...old].filter(([user]) => !kept.has(user.name)));
  await proveLogins(context, loaded, refused, 'refused');
  await recordRotations(
    loaded,
    clean.map(({ name }) => name),
    clock.now(),
  );
  if (stragglers.length === 0) await journal.finish('done');
  return stragglers;
}

/** Takes a rotation back as long as every server still accepts the old passwords. */
export async function abortUsers(
  context: Context,
  loaded: LoadedDeployment,
  users: readonly User[],
  journal: Journal,
  { graceMs, receivers }: Pick<RotateUsersOptions, 'graceMs' | 'receivers'>,
): Promise<void> {
  const gone: string[] = [];
  for (const user of isTakenBack(journal) ? [] : users)
    if (journal.isDone('switch to the new') && (await passwordState(loaded, user)) === 'stable') gone.push(user.name);
  if (gone.length > 0) {
    throw new CliError(
      'REDKEEP_USAGE',
      `The old password is gone already: ${gone.join(', ')}.`,
      'Let the rotation end: redkeep rotate users. A new rotation gives new passwords.',
    );
  }
  await beginTakingBack(journal);
  // First every server accepts both again, so that nobody is refused while the files change.
  await bringInLine(context, loaded, journal);
  if (journal.steps.some(({ step }) => step === 'switch to the new')) {
    const now = context.clock.now().getTime();
    await each(users, (user) => switchBack(loaded, user));
    await handOut(loaded, users, receivers, 'current');
    await bringInLine(context, loaded, journal);
    // Applications may have read the new one meanwhile.
    await drain(context, loaded, users, now, { graceMs, toLogInWith: 'the old password, as some may have the new' });
    stopIfInterrupted(context.signal);
  } else if (journal.steps.some(({ step }) => step === 'announce the new'))
    await handOut(loaded, users, receivers, 'current');
  await each(users, (user) => takeBack(loaded, user));
  await bringInLine(context, loaded, journal);
  await journal.finish('undone');
}

async function each(users: readonly User[], work: (user: User) => Promise<void>): Promise<void> {
  for (const user of users) await work(user);
}

/** The password that goes; after it has gone, from the journal, so that a run after a kill proves it as well. */
async function oldPassword(loaded: LoadedDeployment, user: User, journal: Journal): Promise<string | undefined> {
  const retired = journal.kept(path.join('previous', `${user.name}.password`));
  return (await previousPassword(loaded, user)) ?? (await retired)?.trim();
}

async function passwordsOf(
  users: readonly User[],
  read: (user: User) => Promise<string | undefined>,
): Promise<Map<User, string>> {
  const passwords = new Map<User, string>();
  for (const user of users) {
    const password = await read(user);
    if (password !== undefined) passwords.set(user, password);
  }
  return passwords;
}

async function handOut(
  loaded: LoadedDeployment,
  users: readonly User[],
  receivers: readonly SecretReceiver[],
  stage: 'pending' | 'current',
): Promise<void> {
  for (const user of users) {
    const password = stage === 'pending' ? await nextPassword(loaded, user) : await currentPassword(loaded, user);
    if (password === undefined) continue;
    for (const receiver of receivers) await receiver.put({ loaded, user: user.name, password, stage });
  }
}

/**
 * Ends when every connection of the applications is younger than the switch, at the latest after the grace time: a
 * client that logs in again on a live connection cannot be told from one that did not.
 */
async function drain(
  context: Context,
  loaded: LoadedDeployment,
  users: readonly User[],
  switchedAt: number,
  { graceMs, toLogInWith }: { readonly graceMs: number; readonly toLogInWith: string },
): Promise<void> {
  const { terminal, signal } = context;
  const names = new Set(users.filter(isApplication).map(({ name }) => name));
  const end = performance.now() + graceMs;
  let nextSign = 0;
  while (performance.now() < end && !signal.aborted) {
    const older = await olderConnections(context, loaded, names, switchedAt);
    if (older === 0) return;
    const left = end - performance.now();
    if (performance.now() >= nextSign && left > 0) {
      nextSign = performance.now() + drainSignMs;
      terminal.note(
        `Applications have time to log in with ${toLogInWith}: connections older than the change: ${older}; at most ${Math.ceil(left / 1000)} s more (--grace).`,
      );
    }
    await delay(Math.min(drainPollMs, graceMs));
  }
}

async function olderConnections(
  context: Context,
  loaded: LoadedDeployment,
  names: ReadonlySet<string>,
  switchedAt: number,
): Promise<number> {
  const monitoring = userOf(loaded.deployment, 'monitoring')!;
  const counts = await Promise.all(
    loaded.deployment.nodes.map((node) =>
      withClient(context.connect, loaded, node, monitoring, async (client) => {
        const seconds = (context.clock.now().getTime() - switchedAt) / 1000;
        const clients = readClients(await client.sendCommand(['CLIENT', 'LIST']));
        return clients.filter(({ user, ageSeconds }) => names.has(user) && ageSeconds > seconds).length;
      }),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Ends every session that may have been opened with the old password; clients log in again with the new one. */
async function endSessions(context: Context, loaded: LoadedDeployment, users: readonly User[]): Promise<void> {
  const admin = userOf(loaded.deployment, 'admin')!;
  for (const user of users) {
    for (const node of await nodesOf(loaded, user)) {
      await withClient(context.connect, loaded, node, admin, (client) =>
        client.sendCommand(['CLIENT', 'KILL', 'USER', user.name, 'SKIPME', 'yes']),
      );
    }
  }
}
