import { readFile } from 'node:fs/promises';
import { findDrift } from '../../acl/drift.js';
import type { Context } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { ExitCode } from '../../exit-codes.js';
import type { DirOption } from '../dir-option.js';
import { onEachNode } from './as-admin.js';

/** Exit code 1 when a node's users differ from its file. */
export async function aclDiff(context: Context, options: DirOption & { json?: boolean }): Promise<void> {
  const { terminal } = context;
  const loaded = await loadDeployment(context, options.dir);
  const nodes = await onEachNode(context, loaded, async (client, node) => ({
    node: node.name,
    differences: await findDrift(client, await readFile(loaded.locate(node.aclFile), 'utf8')),
  }));
  const count = nodes.reduce((sum, { differences }) => sum + differences.length, 0);
  if (count > 0) context.exitCode = ExitCode.Findings;
  if (options.json) return terminal.json({ nodes });
  for (const { node, differences } of nodes) {
    for (const { user, kind, file, running } of differences) {
      terminal.line(`${node} ${user}: ${kind}`);
      if (file) terminal.line(terminal.style('green', `  file:    ${file}`));
      if (running) terminal.line(terminal.style('red', `  running: ${running}`));
    }
  }
  terminal.line(count === 0 ? 'Every node runs with the users of its file.' : `${count} differences.`);
}
