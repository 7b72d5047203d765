import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { targetOf } from '../../engine/connect-node.js';
import { currentPrimary, readTopology } from '../../engine/live-topology.js';
import { reach } from '../../engine/reach.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { requireUser } from '../acl/as-admin.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { runPrompt } from './prompt.js';

interface CliCommandOptions extends DirOption {
  readonly user: string;
  readonly node?: string;
  readonly json?: boolean;
}

/**
 * `redkeep cli`: redis-cli, or where there is none a prompt of its own, with the right certificate and user. The
 * password is in the environment of redis-cli, never in argv.
 */
export function register(program: Command, context: Context): void {
  withDirOption(program.command('cli'))
    .description('open redis-cli as a user; after -- one command to run')
    .argument('[command...]')
    .option('-u, --user <name>', 'as which user', 'admin')
    .option('--node <name>', 'on which node (default: the primary, in a Cluster the first)')
    .passThroughOptions()
    .action((args: string[], options: CliCommandOptions) => openCli(context, args, options));
}

async function openCli(context: Context, args: readonly string[], options: CliCommandOptions): Promise<void> {
  if (options.json && args.length === 0) {
    const problem = '--json prints one document; it needs a command.';
    throw new CliError('REDKEEP_USAGE', problem, 'redkeep cli --json -- COMMAND');
  }
  const { loaded } = await openDelivery(context, options.dir);
  const { nodes, topology } = loaded.deployment;
  const node = options.node === undefined ? await firstChoice(context, loaded) : byName(nodes, options.node);
  if (!node) {
    const known = nodes.map(({ name }) => name).join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `There is no node "${options.node}".`, `The nodes are: ${known}.`);
  }
  const user = requireUser(loaded, options.user);
  const target = await targetOf(loaded, node, user);
  const program = await findCli(context, loaded);
  // redis-cli follows a redirect to the name of a node, which may lead nowhere on this machine, and prints text.
  if (!program || options.json || (topology === 'cluster' && !(await isReachedByName(loaded)))) {
    return runPrompt(context, target, args, async (host, port) => {
      const to = nodes.find(
        (each) => each.port === port && (host === '' ? each.host === node.host : each.host === host),
      );
      return to && targetOf(loaded, to, user);
    });
  }
  const cluster = topology === 'cluster' ? ['-c'] : [];
  const tls = ['--tls', '--cacert', target.caFile, '--cert', target.certFile!, '--key', target.keyFile!];
  const where = ['-h', target.host, '-p', String(target.port), '--user', target.username, '--no-auth-warning'];
  const child = spawn(program, [...where, ...tls, ...cluster, ...args], {
    stdio: 'inherit',
    env: { ...context.env, REDISCLI_AUTH: target.password, VALKEYCLI_AUTH: target.password },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) context.exitCode = ExitCode.Connection;
}

const byName = (nodes: readonly DeploymentNode[], wanted: string) => nodes.find(({ name }) => name === wanted);

/** Where most commands succeed: a replica refuses writes, and which node is one the sentinels decide. */
async function firstChoice(context: Context, loaded: LoadedDeployment): Promise<DeploymentNode> {
  const [first] = loaded.deployment.nodes;
  if (loaded.deployment.topology !== 'sentinel') return first!;
  return currentPrimary(loaded, await readTopology(context, loaded))?.node ?? first!;
}

async function isReachedByName(loaded: LoadedDeployment): Promise<boolean> {
  const ways = await Promise.all(
    loaded.deployment.nodes.map(async (node) => ({ node, way: await reach(loaded, node) })),
  );
  return ways.every(({ node, way }) => way.host === node.host && way.port === node.port);
}

/** The tool on the PATH, else the one beside the server program that the deployment was made with. */
async function findCli({ env }: Context, { deployment }: LoadedDeployment): Promise<string | undefined> {
  const onPath = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const { serverProgram } = deployment;
  const folders = serverProgram === undefined ? onPath : [...onPath, path.dirname(serverProgram)];
  for (const name of ['redis-cli', 'valkey-cli']) {
    for (const folder of folders) {
      const file = path.join(folder, name);
      const usable = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (usable) return file;
    }
  }
  return undefined;
}
