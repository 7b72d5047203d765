import { type Command, Option } from 'commander';
import type { Context } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { checkHealth, type HealthLevel, healthLevels } from '../../monitor/health.js';
import { monitoringEndpoint } from '../../monitor/watched-deployment.js';
import { type DirOption, withDirOption } from '../dir-option.js';

interface HealthOptions extends DirOption {
  readonly node?: string;
  readonly level: HealthLevel;
  readonly json?: boolean;
}

/** `redkeep health`: for probes of load balancers, containers and people. */
export function register(program: Command, context: Context): void {
  withDirOption(program.command('health'))
    .description('say whether servers are alive, ready to serve, and safe; for probes')
    .option('--node <name>', 'one node (default: all)')
    .addOption(new Option('--level <level>', 'how much is asked').choices(healthLevels).default('ready'))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Levels:
  alive  the process answers; a probe that fails means: restart it
  ready  and it serves clients: data loaded, link to its primary up, disk writable; failing means: send clients elsewhere
  safe   and only those who may: certificate trusted and not about to end, no login without a password, no plaintext

The password comes from the deployment's file and is in no argument. Exit codes: 0 yes, 1 no, 2 wrong use.`,
    )
    .action((options: HealthOptions) => health(context, options));
}

async function health(context: Context, options: HealthOptions): Promise<void> {
  const { terminal, clock } = context;
  const loaded = await loadDeployment(context, options.dir);
  const { nodes } = loaded.deployment;
  const chosen = options.node === undefined ? nodes : nodes.filter(({ name }) => name === options.node);
  if (chosen.length === 0)
    throw new CliError(
      'REDKEEP_NODE_UNKNOWN',
      `There is no node "${options.node}".`,
      `The nodes are: ${nodes.map(({ name }) => name).join(', ')}.`,
    );
  const results = await Promise.all(
    chosen.map(async (node) =>
      checkHealth(node, await monitoringEndpoint(loaded, node.host, node.port), options.level, clock.now().getTime()),
    ),
  );
  if (results.some(({ ok }) => !ok)) context.exitCode = ExitCode.Findings;
  if (options.json) return terminal.json({ level: options.level, nodes: results });
  for (const { node, ok, problems } of results)
    terminal.line(ok ? `${node}: ${options.level}` : `${node}: not ${options.level}: ${problems.join('; ')}`);
}
