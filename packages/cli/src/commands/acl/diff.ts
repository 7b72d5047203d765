import { readFile } from 'node:fs/promises';
import { findDrift, readAclLines, unlikeUsers } from '../../acl/drift.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, sentinelNodes } from '../../deployment/model.js';
import { ExitCode } from '../../exit-codes.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { asAdmin, onEachNode } from './as-admin.js';

/** Exit code 1 when a node's users differ from its file. */
export async function aclDiff(context: Context, options: DirOption & { json?: boolean }): Promise<void> {
  const { terminal } = context;
  const { loaded } = await openDelivery(context, options.dir);
  const nodes = await onEachNode(context, loaded, async (client, node) => ({
    node: node.name,
    differences: await findDrift(client, await readFile(loaded.locate(node.aclFile), 'utf8')),
  }));
  const between = await differencesBetweenFiles(context, loaded);
  const count = nodes.reduce((sum, { differences }) => sum + differences.length, between.length);
  if (count > 0) context.exitCode = ExitCode.Findings;
  if (options.json) return terminal.json({ nodes, between });
  for (const { node, differences } of nodes) {
    for (const { user, kind, file, running } of differences) {
      terminal.line(`${node} ${user}: ${kind}`);
      if (file) terminal.line(terminal.style('green', `  file:    ${file}`));
      if (running) terminal.line(terminal.style('red', `  running: ${running}`));
    }
  }
  for (const { user, node, other } of between) {
    terminal.line(`${user}: the file of ${node} has other rules than that of ${other}`);
  }
  terminal.line(count === 0 ? 'Every node runs with the users of its file.' : `${count} differences.`);
}

interface NodeDifference {
  readonly user: string;
  readonly node: string;
  readonly other: string;
}

/**
 * Users that the files of data nodes, or of sentinels, do not agree on. Servers write a file in a notation and an order
 * of their own, so where the texts differ the first server is asked to read both.
 */
async function differencesBetweenFiles(context: Context, loaded: LoadedDeployment): Promise<NodeDifference[]> {
  const differences: NodeDifference[] = [];
  const read = async (node: DeploymentNode) => readAclLines(await readFile(loaded.locate(node.aclFile), 'utf8'));
  for (const [first, ...others] of [dataNodes(loaded.deployment), sentinelNodes(loaded.deployment)]) {
    if (!first || others.length === 0) continue;
    await asAdmin(context, loaded, first, async (admin) => {
      const expected = await read(first);
      for (const node of others) {
        const users = await unlikeUsers(admin, expected, await read(node));
        differences.push(...users.map((user) => ({ user, node: node.name, other: first.name })));
      }
    });
  }
  return differences;
}
