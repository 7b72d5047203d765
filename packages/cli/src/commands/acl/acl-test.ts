import { canBeAsked, dryRun } from '../../acl/dry-run.js';
import { expectationsFor } from '../../acl/expectations.js';
import type { Context } from '../../context.js';
import { ExitCode } from '../../exit-codes.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { askingOf, onEachNode } from './as-admin.js';

/** Exit code 1 when a user can do what it must not, or cannot do what it must. */
export async function aclTest(context: Context, options: DirOption & { json?: boolean }): Promise<void> {
  const { terminal } = context;
  const { loaded } = await openDelivery(context, options.dir);
  const { engine, users } = loaded.deployment;
  const results = await onEachNode(context, loaded, async (client, node) => {
    const verdicts = [];
    if (!canBeAsked(node, engine)) {
      terminal.note(`${node.name} was not tested: a sentinel of this version cannot be asked.`);
      return [];
    }
    const asking = await askingOf(context, loaded, node, client);
    for (const user of users) {
      const expectations = expectationsFor(user, node, engine);
      const tried = expectations.length > 0 ? await dryRun(asking, user.name, expectations) : [];
      verdicts.push(...tried.map((verdict) => ({ node: node.name, user: user.name, ...verdict })));
    }
    return verdicts;
  });
  const all = results.flat();
  const wrong = all.filter(({ allowed, actual }) => allowed !== actual);
  if (wrong.length > 0) context.exitCode = ExitCode.Findings;
  if (options.json) return terminal.json({ tried: all.length, wrong });
  for (const { node, user, command, actual, reason, harm } of wrong) {
    const text = actual
      ? `is allowed and must not be${harm === undefined ? '' : `: it ${harm}`}`
      : `is refused and must be allowed (${reason})`;
    terminal.line(`${terminal.style('red', '✗')} ${node} ${user}: ${command.join(' ')} ${text}`);
  }
  terminal.line(`${all.length} commands tried for ${users.length} users; ${wrong.length} not as they must be.`);
}
