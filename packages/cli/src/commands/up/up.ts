import { once } from 'node:events';
import type { Command } from 'commander';
import { type Context, stopIfInterrupted } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { requireFreePorts, startNode, stopNode } from '../../engine/local-servers.js';
import { runningProcess } from '../../engine/process-record.js';
import { requireServerProgram } from '../../engine/server-program.js';
import { settleTopology } from '../../engine/settle-topology.js';
import { CliError } from '../../errors.js';
import { type DirOption, withDirOption } from '../dir-option.js';

interface UpOptions extends DirOption {
  readonly detach?: boolean;
  readonly server?: string;
}

/** `redkeep up`: starts the servers of a local deployment and waits until each answers over verified TLS. */
export function register(program: Command, context: Context): void {
  withDirOption(program.command('up'))
    .description('start the servers and wait until they are ready')
    .option('--detach', 'leave them running in the background')
    .option('--server <program>', 'the server program to use')
    .action((options: UpOptions) => up(context, options));
}

async function up(context: Context, options: UpOptions): Promise<void> {
  const { terminal, signal } = context;
  const loaded = await loadLocal(context, options.dir);
  const { deployment, folder } = loaded;
  const program = await requireServerProgram(context, deployment.engine, options.server ?? deployment.serverProgram);
  const stopped = await notRunning(loaded);
  await requireFreePorts(stopped);
  const started: DeploymentNode[] = [];
  try {
    for (const node of stopped) {
      stopIfInterrupted(signal);
      await startNode(context, loaded, node, program);
      started.push(node);
      terminal.done(`${node.name} (${node.role}) is ready on ${node.host}:${node.port}, TLS.`);
    }
    await settleTopology(context, loaded);
  } catch (error) {
    await stopAll(loaded, started);
    throw error;
  }
  if (started.length === 0) terminal.done('Everything is running already.');
  if (options.detach) {
    terminal.note(`Running in the background. Stop it with: redkeep down --dir ${folder}`);
    return;
  }
  terminal.note('Press Ctrl-C to stop.');
  if (!signal.aborted) await once(signal, 'abort');
  await stopAll(loaded, started);
  terminal.done('Stopped; the data is kept.');
}

/** A deployment that this command can run here. */
export async function loadLocal(context: Context, dir: string | undefined): Promise<LoadedDeployment> {
  const loaded = await loadDeployment(context, dir);
  const { target } = loaded.deployment;
  if (target === 'local') return loaded;
  throw new CliError(
    'REDKEEP_TARGET_NOT_LOCAL',
    `This deployment is run by ${target}, not by redkeep.`,
    'RUNBOOK.md in its folder says how to start and stop it.',
  );
}

async function notRunning(loaded: LoadedDeployment): Promise<DeploymentNode[]> {
  const nodes: DeploymentNode[] = [];
  for (const node of loaded.deployment.nodes) {
    if (!(await runningProcess(loaded, node.name))) nodes.push(node);
  }
  return nodes;
}

/** In the opposite order of the start: whoever watches or copies goes first. */
export async function stopAll(loaded: LoadedDeployment, nodes: readonly DeploymentNode[]): Promise<number> {
  let stopped = 0;
  for (const node of [...nodes].reverse()) {
    if (await stopNode(loaded, node)) stopped += 1;
  }
  return stopped;
}
