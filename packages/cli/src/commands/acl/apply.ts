import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findDrift } from '../../acl/drift.js';
import { runningUsers, setUsers } from '../../apply/set-users.js';
import type { Context } from '../../context.js';
import { timestamp } from '../../deployment/write-files.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { asAdmin, onEachNode } from './as-admin.js';

interface ApplyOptions extends DirOption {
  readonly undo?: string;
  readonly yes?: boolean;
}

/**
 * Gives every node the users of its file, or of an earlier state. What a node ran with is written down first. ACL
 * SETUSER takes all rules of a user at once or none; SETUSER is not replicated, so it runs on each node.
 */
export async function aclApply(context: Context, options: ApplyOptions): Promise<void> {
  const { terminal, signal, clock } = context;
  const delivery = await openDelivery(context, options.dir);
  const { loaded } = delivery;
  const wanted = new Map<string, string>();
  for (const node of loaded.deployment.nodes) {
    const file = options.undo
      ? path.resolve(context.cwd, options.undo, `${node.name}.acl`)
      : loaded.locate(node.aclFile);
    wanted.set(node.name, await readAclFile(file));
  }
  const drift = await onEachNode(context, loaded, async (client, node) => ({
    node,
    differences: await findDrift(client, wanted.get(node.name)!),
  }));
  const differing = drift.filter(({ differences }) => differences.length > 0);
  if (differing.length === 0) return terminal.done('Every node runs with these users already.');
  for (const { node, differences } of differing) {
    for (const { user, kind } of differences) {
      terminal.line(
        `${node.name}: ${kind === 'unexpected' ? 'removes' : kind === 'missing' ? 'adds' : 'changes'} ${user}`,
      );
    }
  }
  if (!options.yes && !(await context.prompt.confirm('Apply?', false))) {
    throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was applied.', 'Confirm with --yes.');
  }
  const undo = loaded.locate(path.join('backups', `acl-${timestamp(clock.now())}`));
  await mkdir(undo, { recursive: true, mode: 0o700 });
  for (const { node } of differing) {
    stopIfInterrupted(signal);
    await asAdmin(context, loaded, node, async (client) => {
      await writeFile(path.join(undo, `${node.name}.acl`), await runningUsers(client), { mode: 0o600, flag: 'wx' });
      await setUsers(client, wanted.get(node.name)!);
    });
    // A restart must find the same users.
    if (!options.undo) await delivery.deliver(node, await delivery.filesOf(node));
    terminal.done(`${node.name} is up to date.`);
  }
  terminal.note(`Undo with: redkeep acl apply --undo ${undo}`);
}

async function readAclFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError('REDKEEP_USAGE', `${file} cannot be read.`, 'Name a folder that an earlier apply printed.', {
      cause: error,
    });
  }
}
