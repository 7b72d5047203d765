import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { requireFreePorts, startNode, stopNode } from '../../engine/local-servers.js';
import { runningProcess } from '../../engine/process-record.js';
import { requireServerProgram } from '../../engine/server-program.js';
import { settleTopology } from '../../engine/settle-topology.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
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
  try {
    await watch(context, loaded);
  } finally {
    await stopAll(loaded, loaded.deployment.nodes);
  }
  terminal.done('Stopped; the data is kept.');
}

/** How often the foreground looks whether every server still runs. */
const watchMilliseconds = 1000;

/** Stays until Ctrl-C or TERM and reports what changes. Ends with an error when no server is left. */
async function watch({ terminal, signal }: Context, loaded: LoadedDeployment): Promise<void> {
  const running = new Set(loaded.deployment.nodes.map(({ name }) => name));
  while (!signal.aborted) {
    await delay(watchMilliseconds, undefined, { signal }).catch(() => undefined);
    for (const node of loaded.deployment.nodes) {
      const runs = (await runningProcess(loaded, node.name)) !== undefined;
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
