import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { nodeStatus } from '../../engine/local-servers.js';
import { ExitCode } from '../../exit-codes.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { loadLocal } from '../up/up.js';

interface StatusOptions extends DirOption {
  readonly json?: boolean;
}

/** `redkeep status`: what runs and whether it answers. Exit code 1 when a server is not ready. */
export function register(program: Command, context: Context): void {
  withDirOption(program.command('status'))
    .description('show what runs and whether it answers over verified TLS')
    .option('--json', 'print JSON')
    .action((options: StatusOptions) => status(context, options));
}

async function status(context: Context, options: StatusOptions): Promise<void> {
  const loaded = await loadLocal(context, options.dir);
  const nodes = await Promise.all(loaded.deployment.nodes.map((node) => nodeStatus(loaded, node)));
  if (nodes.some(({ state }) => state !== 'ready')) context.exitCode = ExitCode.Findings;
  if (options.json) return context.terminal.json({ folder: loaded.folder, nodes });
  context.terminal.table(
    ['node', 'role', 'address', 'state', 'pid', 'TLS', 'certificate until'],
    nodes.map((node) => [
      node.node,
      node.role,
      node.address,
      node.state,
      String(node.pid ?? '-'),
      node.tls ?? '-',
      node.certificateExpires?.slice(0, 10) ?? '-',
    ]),
  );
}
