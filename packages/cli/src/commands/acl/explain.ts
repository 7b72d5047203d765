import { dryRun } from '../../acl/dry-run.js';
import { expectationsFor } from '../../acl/expectations.js';
import type { Context } from '../../context.js';
import { dataNodes, type User } from '../../deployment/model.js';
import { commandRules, roles } from '../../deployment/roles.js';
import { loadDeployment } from '../../deployment/state.js';
import type { DirOption } from '../dir-option.js';
import { asAdmin, askingOf, requireUser } from './as-admin.js';

export async function aclExplain(context: Context, name: string, options: DirOption): Promise<void> {
  const { terminal } = context;
  const loaded = await loadDeployment(context, options.dir);
  const { deployment } = loaded;
  const user = requireUser(loaded, name);
  terminal.line(terminal.style('bold', `${user.name} (${user.role})`));
  terminal.line(roles[user.role].purpose);
  terminal.line(`Keys: ${describeKeys(user)}`);
  terminal.line(`Channels: ${user.role === 'admin' ? 'all' : user.channels.join(', ') || 'none'}`);
  terminal.line(
    `Commands, the last rule that fits decides: ${commandRules(user, deployment.engine, deployment.topology).join(' ')}`,
  );
  const node = dataNodes(deployment)[0]!;
  const verdicts = await asAdmin(context, loaded, node, async (admin) =>
    dryRun(await askingOf(context, loaded, node, admin), user.name, expectationsFor(user, node, deployment.engine)),
  ).catch((error: unknown) => {
    terminal.warn(`Not asked of a running server: ${error instanceof Error ? error.message : error}`);
    return undefined;
  });
  if (!verdicts) return;
  const commands = (allowed: boolean) =>
    verdicts.filter(({ actual }) => actual === allowed).map(({ command }) => command.join(' '));
  terminal.line(`The server (${node.name}) allows: ${commands(true).join(', ') || 'nothing that was tried'}`);
  terminal.line(`The server refuses: ${commands(false).join(', ') || 'nothing that was tried'}`);
}

function describeKeys(user: User): string {
  const access = { none: 'none', read: 'reads', 'read-write': 'reads and writes', all: 'reads and writes all' };
  const { keyAccess } = roles[user.role];
  return user.keys.length > 0 ? `${access[keyAccess]} ${user.keys.join(', ')}` : access[keyAccess];
}
