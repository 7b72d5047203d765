import { dryRun, hasDryRun } from '../../acl/dry-run.js';
import { type EffectiveKind, effectiveCommands } from '../../acl/effective-commands.js';
import { expectationsFor } from '../../acl/expectations.js';
import type { Context } from '../../context.js';
import { dataNodes, type User } from '../../deployment/model.js';
import { commandRules, roles } from '../../deployment/roles.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { asAdmin, askingOf, requireUser } from './as-admin.js';

export async function aclExplain(context: Context, name: string, options: DirOption): Promise<void> {
  const { terminal } = context;
  const { loaded } = await openDelivery(context, options.dir);
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
  const answers = await asAdmin(context, loaded, node, async (admin) => {
    const expectations = expectationsFor(user, node, deployment.engine);
    const verdicts = await dryRun(await askingOf(context, loaded, node, admin), user.name, expectations);
    const kinds = hasDryRun(deployment.engine) ? await effectiveCommands(admin, user.name, exampleKey(user)) : [];
    return { verdicts, kinds };
  }).catch((error: unknown) => {
    terminal.warn(`Not asked of a running server: ${error instanceof Error ? error.message : error}`);
    return undefined;
  });
  if (!answers) return;
  const { verdicts, kinds } = answers;
  for (const line of describeKinds(kinds)) terminal.line(line);
  const commands = (allowed: boolean) =>
    verdicts.filter(({ actual }) => actual === allowed).map(({ command }) => command.join(' '));
  terminal.line(`The server (${node.name}) allows: ${commands(true).join(', ') || 'nothing that was tried'}`);
  terminal.line(`The server refuses: ${commands(false).join(', ') || 'nothing that was tried'}`);
}

/** What the server lets the user do, by kinds of commands, on keys that are its own. */
function describeKinds(kinds: readonly EffectiveKind[]): string[] {
  const names = (fitting: (kind: EffectiveKind) => boolean) => kinds.filter(fitting).map(({ kind }) => kind);
  const part = kinds.filter(({ allowed, all }) => allowed > 0 && allowed < all);
  const lines: [string, readonly string[]][] = [
    ['It can run every command for', names(({ allowed, all }) => allowed === all)],
    ['It can run some for', part.map(({ kind, allowed, all }) => `${kind} (${allowed} of ${all})`)],
    ['It can run none for', names(({ allowed }) => allowed === 0)],
  ];
  return lines.filter(([, list]) => list.length > 0).map(([text, list]) => `${text}: ${list.join(', ')}`);
}

/** A key of the user's own; where it has none, any, which the server then refuses. */
function exampleKey({ keys }: User): string {
  return (keys[0] ?? 'redkeep-foreign-key').replace(/[*?]/g, 'x');
}

function describeKeys(user: User): string {
  const access = { none: 'none', read: 'reads', 'read-write': 'reads and writes', all: 'reads and writes all' };
  const { keyAccess } = roles[user.role];
  return user.keys.length > 0 ? `${access[keyAccess]} ${user.keys.join(', ')}` : access[keyAccess];
}
