import { readFile } from 'node:fs/promises';
import type { Delivery } from '../apply/delivery.js';
import { deliveryOf } from '../apply/delivery-of.js';
import type { Journal } from '../apply/journal.js';
import { planApply } from '../apply/plan.js';
import { runApply } from '../apply/run.js';
import type { Context } from '../context.js';
import type { AnswersInput } from '../deployment/answers.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { sentinelNodes, userOf } from '../deployment/model.js';
import { planInit } from '../deployment/plan-init.js';
import { answersFile, loadDeployment } from '../deployment/state.js';
import { applyChanges, type Change, isWrite } from '../deployment/write-files.js';
import { withClient } from '../engine/connect-node.js';
import { fieldsOf } from '../engine/live-topology.js';
import { until } from '../engine/until.js';
import { CliError } from '../errors.js';
import { currentPassword } from './password-files.js';

/** What rendering the folder again would change: nothing, where it follows from its answers and secrets. */
export async function renderedChanges(context: Context, loaded: LoadedDeployment): Promise<readonly Change[]> {
  const answers = JSON.parse(await readFile(loaded.locate(answersFile), 'utf8')) as AnswersInput;
  const { changes } = await planInit(context, loaded.folder, answers, { force: false });
  return changes.filter(isWrite);
}

/** Refuses to rotate on top of other changes: a rotation changes secrets and nothing else. */
export async function requireInLine(context: Context, loaded: LoadedDeployment): Promise<void> {
  const changes = await renderedChanges(context, loaded);
  const plan = await planApply(context, await deliveryOf(context, loaded));
  const waiting = plan.nodes
    .filter(({ action }) => action !== 'none' && action !== 'deliver')
    .map(({ node }) => node.name);
  if (changes.length === 0 && waiting.length === 0) return;
  throw new CliError(
    'REDKEEP_FILES_CHANGED',
    changes.length > 0
      ? `The folder does not follow from its answers: ${changes
          .map(({ path }) => path)
          .slice(0, 5)
          .join(', ')}.`
      : `Not every server runs with what the folder says: ${waiting.join(', ')}.`,
    'Run redkeep init and redkeep apply first; a rotation changes secrets and nothing else.',
  );
}

/**
 * Writes what follows from the passwords that are there now, and brings every server in line with it: users, the
 * replication login, the login of the sentinels. Nothing restarts. Safe to repeat.
 */
export async function bringInLine(
  context: Context,
  loaded: LoadedDeployment,
  journal: Journal,
): Promise<LoadedDeployment> {
  const changes = await renderedChanges(context, loaded);
  const edited = changes.filter(({ kind }) => kind === 'overwrite-edited').map(({ path }) => path);
  if (edited.length > 0) {
    throw new CliError(
      'REDKEEP_FILES_CHANGED',
      `Edited by hand since redkeep wrote them: ${edited.join(', ')}.`,
      'Put them back, or run redkeep init --force, then run the rotation again: it goes on.',
    );
  }
  if (changes.length > 0)
    await applyChanges(loaded.folder, changes, { signal: context.signal, now: context.clock.now() });
  const current = await loadDeployment(context, loaded.folder);
  const delivery = await deliveryOf(context, current);
  await setSentinelPasswords(context, current, delivery);
  for (const node of sentinelNodes(current.deployment)) {
    if ((await delivery.state(node)) !== 'running') continue;
    // The sentinel has taken its part live: a restart for the same text would only cost its clients a reconnect.
    await delivery.deliver(node, await delivery.filesOf(node));
    await delivery.markTaken(node);
  }
  await runApply(context, delivery, await planApply(context, delivery), journal);
  return current;
}

/**
 * Gives each sentinel the password under which it logs in to the servers and to the other sentinels, one sentinel
 * after the other: one that cannot log in thinks its primary gone, and a quorum of those would start a failover.
 */
async function setSentinelPasswords(context: Context, loaded: LoadedDeployment, delivery: Delivery): Promise<void> {
  const { sentinel } = loaded.deployment;
  const user = userOf(loaded.deployment, 'sentinel');
  const admin = userOf(loaded.deployment, 'admin');
  if (!sentinel || !user || !admin) return;
  const password = await currentPassword(loaded, user);
  for (const node of sentinelNodes(loaded.deployment)) {
    // It writes what it was given into its file; given again, it would drop its connections for nothing.
    if ((await delivery.serverConfig(node))?.includes(` ${password}`)) continue;
    await withClient(context.connect, loaded, node, admin, async (client) => {
      await client.sendCommand(['SENTINEL', 'SET', sentinel.primaryName, 'auth-pass', password]);
      await client.sendCommand(['SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', password]);
      await until(context, `${node.name} to see its primary`, async () => {
        const fields = fieldsOf(await client.sendCommand(['SENTINEL', 'MASTER', sentinel.primaryName]));
        return fields.get('flags') === 'master';
      });
    });
  }
}
