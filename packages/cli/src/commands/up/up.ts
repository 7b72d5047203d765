import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Delivery } from '../../apply/delivery.js';
import { Journal } from '../../apply/journal.js';
import { planApply } from '../../apply/plan.js';
import { runApply } from '../../apply/run.js';
import { stopNode } from '../../apply/stop-node.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { settleTopology } from '../../engine/settle-topology.js';
import { CliError } from '../../errors.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { openDelivery } from '../open-delivery.js';

interface UpOptions extends DirOption {
  readonly detach?: boolean;
  readonly server?: string;
  readonly primary?: string;
  readonly without?: readonly string[];
  readonly json?: boolean;
}

/** `redkeep up`: starts the servers and waits until each answers over verified TLS and all serve together. */
export function register(program: Command, context: Context): void {
  const command = withDirOption(program.command('up'))
    .description('start the servers and wait until they are ready')
    .option('--detach', 'leave them running in the background; always so where something else runs them')
    .option('--server <program>', 'the server program to use (target local)')
    .option('--without <node...>', 'leave out nodes that are known to be away')
    .option('--primary <node>', 'start with this node as primary, and lose the writes that only another one has');
  withHelp(command, {
    examples: [
      ['redkeep up', 'start, show what happens, stop with Ctrl-C'],
      ['redkeep up --detach', 'start and leave running'],
    ],
  }).action((options: UpOptions) => up(context, options));
}

async function up(context: Context, options: UpOptions): Promise<void> {
  const { terminal, clock } = context;
  const delivery = await openDelivery(context, options.dir, options.server ? { server: options.server } : {});
  const { deployment, folder } = delivery.loaded;
  const stays = !options.detach && deployment.target === 'local';
  if (stays && options.json) {
    const problem = '--json prints one document, and in the foreground redkeep up has no end.';
    throw new CliError('REDKEEP_USAGE', problem, 'Add --detach.');
  }
  await terminal.during('see whether the target can be reached', () => delivery.check());
  await withFolderLock(folder, 'up', async () => {
    const plan = await terminal.during('ask the nodes', () =>
      planApply(context, delivery, options.without ? { without: options.without } : {}),
    );
    const starts = plan.nodes.filter(({ action }) => action === 'start');
    if (starts.length === 0) terminal.done('Everything is running already.');
    try {
      if (starts.length > 0) {
        const journal = await Journal.open(folder, 'up', clock.now());
        const primary = options.primary === undefined ? {} : { primary: options.primary };
        await runApply(context, delivery, { ...plan, nodes: starts }, journal, primary);
        await journal.finish('done');
      } else await settleTopology(context, delivery.loaded);
    } catch (error) {
      await stopAll(
        context,
        delivery,
        starts.map(({ node }) => node),
      );
      throw error;
    }
    const pending = plan.nodes.filter(({ action }) => action !== 'none' && action !== 'start');
    if (pending.length > 0) {
      const names = pending.map(({ node }) => node.name).join(', ');
      terminal.note(`${names} ran already, with what was there before a change. Next: redkeep apply --dir ${folder}`);
    }
  });
  if (!stays) {
    terminal.note(`Running in the background. Stop it with: redkeep down --dir ${folder}`);
    return;
  }
  terminal.note('Press Ctrl-C to stop.');
  try {
    await watch(context, delivery);
  } finally {
    await stopAll(context, delivery, deployment.nodes);
  }
  terminal.done('Stopped; the data is kept.');
}

/** How often the foreground looks whether every server still runs. */
const watchMilliseconds = 1000;

/** Stays until Ctrl-C or TERM and reports what changes. Ends with an error when no server is left. */
async function watch({ terminal, signal }: Context, delivery: Delivery): Promise<void> {
  const { loaded } = delivery;
  const running = new Set(loaded.deployment.nodes.map(({ name }) => name));
  while (!signal.aborted) {
    await delay(watchMilliseconds, undefined, { signal }).catch(() => undefined);
    for (const node of loaded.deployment.nodes) {
      const runs = (await delivery.state(node)) === 'running';
      if (runs === running.has(node.name)) continue;
      if (runs) {
        running.add(node.name);
        terminal.done(`${node.name} runs again.`);
      } else {
        running.delete(node.name);
        terminal.warn(`${node.name} has ended; its log: ${loaded.locate(node.logFile)}`);
      }
    }
    if (running.size === 0 && !signal.aborted) {
      throw new CliError('REDKEEP_SERVER_FAILED', 'Every server has ended.', 'redkeep logs shows why.');
    }
  }
}

/** Sentinels first, so that none promotes anybody; then replicas, then what was started first. */
export async function stopAll(context: Context, delivery: Delivery, nodes: readonly DeploymentNode[]): Promise<number> {
  let stopped = 0;
  for (const node of [...nodes].reverse()) {
    if (await stopNode(context, delivery, node)) stopped += 1;
  }
  return stopped;
}
