import path from 'node:path';
import type { Command } from 'commander';
import type { Delivery } from '../../apply/delivery.js';
import { deliveryOf } from '../../apply/delivery-of.js';
import { settleHandovers } from '../../apply/handover.js';
import { Journal } from '../../apply/journal.js';
import { type ApplyPlan, type PlanOptions, planApply } from '../../apply/plan.js';
import { type RunOptions, runApply } from '../../apply/run.js';
import { backupsSince, restoreBackups } from '../../apply/undo.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';

interface ApplyOptions extends DirOption {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly undo?: string | boolean;
  readonly without?: readonly string[];
  readonly json?: boolean;
}

/** `redkeep apply`: what should be is delivered to the servers, in an order that keeps the service up. */
export function register(program: Command, context: Context): void {
  const command = withDirOption(program.command('apply'))
    .description('bring running servers in line with the folder: files, settings, users, certificates; node by node')
    .option('-n, --dry-run', 'show the plan, change nothing')
    .option('--without <node...>', 'leave out nodes that are known to be away')
    .option('--undo [id]', 'take back the last apply, or the one named')
    .option('-y, --yes', 'ask nothing');
  withHelp(command, {
    examples: [
      ['redkeep apply --dry-run', 'what would be delivered, reloaded and restarted, and why'],
      ['redkeep init --memory 2048 && redkeep apply', 'change an answer, then bring the servers in line with it'],
      ['redkeep apply --undo', 'take back what the last apply did'],
    ],
  }).action((options: ApplyOptions) => apply(context, options));
}

async function apply(context: Context, options: ApplyOptions): Promise<void> {
  const loaded = await loadDeployment(context, options.dir);
  const delivery = await deliveryOf(context, loaded);
  await delivery.check();
  if (options.dryRun) {
    const plan = await planApply(context, delivery, planOptions(options));
    if (options.json) context.terminal.json(planJson(plan));
    else showPlan(context, plan);
    return;
  }
  await withFolderLock(loaded.folder, 'apply', async () => {
    if (options.undo !== undefined) return undo(context, delivery, options);
    await applyNow(context, delivery, { yes: options.yes === true, ...planOptions(options) });
  });
}

function planOptions({ without }: ApplyOptions): PlanOptions {
  return without === undefined ? {} : { without };
}

export interface ApplyNowOptions extends PlanOptions, RunOptions {
  readonly yes: boolean;
  /** What the journal is called; default `apply`. */
  readonly kind?: string;
}

/**
 * Plans, asks, and carries out. The caller holds the folder's lock. Returns the journal; undefined when there was
 * nothing to do. Every command that changes running servers ends here.
 */
export async function applyNow(
  context: Context,
  delivery: Delivery,
  options: ApplyNowOptions,
): Promise<Journal | undefined> {
  const { terminal, clock, prompt } = context;
  const { folder } = delivery.loaded;
  const kind = options.kind ?? 'apply';
  await settleHandovers(context, delivery);
  const plan = await planApply(context, delivery, options);
  const changed = plan.nodes.filter(({ action }) => action !== 'none');
  const unfinished = (await Journal.list(folder, kind)).findLast(({ outcome }) => outcome === 'running');
  if (changed.length === 0) {
    await unfinished?.finish('done');
    terminal.done('Every node runs with what the folder says.');
    return undefined;
  }
  showPlan(context, plan);
  if (!options.yes && !(await prompt.confirm('Apply?', false))) {
    throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was applied.', 'Confirm with --yes.');
  }
  const journal = await Journal.open(folder, kind, clock.now());
  if (journal.resumed) terminal.note(`Going on with ${journal.id}, which was cut off.`);
  const earlier = (await Journal.list(folder, kind)).filter(({ id, outcome }) => id < journal.id && outcome === 'done');
  await journal.step('backups', async () => undefined, await backupsSince(folder, earlier.at(-1)?.startedAt));
  try {
    await runApply(context, delivery, plan, journal, options);
    await journal.finish('done');
    return journal;
  } catch (error) {
    // An interruption leaves it open: the next run goes on. A failure does, too, until it is undone.
    if (journal.steps.length > 0) terminal.note(`Take back what was done: redkeep apply --undo ${journal.id}`);
    throw error;
  }
}

async function undo(context: Context, delivery: Delivery, options: ApplyOptions): Promise<void> {
  const { terminal, prompt } = context;
  const { folder } = delivery.loaded;
  const journals = (await Journal.list(folder, 'apply')).filter(({ outcome }) => outcome !== 'undone');
  const named = typeof options.undo === 'string' ? path.basename(options.undo) : undefined;
  const journal = named === undefined ? journals.at(-1) : journals.find(({ id }) => id === named);
  if (!journal) {
    const known = journals.map(({ id }) => id).join(', ') || 'none';
    throw new CliError('REDKEEP_USAGE', `There is no apply ${named ?? ''} to take back.`, `There is: ${known}.`);
  }
  const later = journals.filter(({ id }) => id > journal.id);
  if (later.length > 0) {
    throw new CliError(
      'REDKEEP_USAGE',
      `${journal.id} has ${later.length} later changes on top of it.`,
      `Take back the newest first: redkeep apply --undo ${later.at(-1)!.id}.`,
    );
  }
  const backups = (journal.dataOf('backups') ?? []) as readonly string[];
  if (backups.length === 0) {
    throw new CliError(
      'REDKEEP_USAGE',
      `${journal.id} changed no file of this folder, so that there is nothing to put back.`,
      'Users that it replaced are in its folder: redkeep acl apply --undo <folder>.',
    );
  }
  if (!options.yes && !(await prompt.confirm(`Put back the files of before ${journal.id}?`, false))) {
    throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was taken back.', 'Confirm with --yes.');
  }
  await journal.step('undo', () => restoreBackups(folder, backups));
  const restored = await deliveryOf(context, await loadDeployment(context, folder));
  await applyNow(context, restored, { yes: true, kind: 'undo', ...planOptions(options) });
  await journal.finish('undone');
  terminal.done(`${journal.id} is taken back.`);
}

const verbs = {
  none: 'nothing to do',
  deliver: 'gets files; nothing restarts',
  reload: 'takes the change while it runs',
  restart: 'is restarted',
  start: 'is started',
} as const;

export function showPlan({ terminal }: Context, plan: ApplyPlan): void {
  for (const { node, role, action, reasons, changedFiles } of plan.nodes) {
    if (action === 'none') continue;
    const handover = action === 'restart' && role === 'primary' && plan.live.data.length > 1 ? ' after a handover' : '';
    terminal.line(`${node.name} (${role}) ${verbs[action]}${handover}`);
    for (const reason of reasons) terminal.line(terminal.style('dim', `    ${reason}`));
    for (const file of changedFiles) terminal.line(terminal.style('dim', `    delivers ${file}`));
  }
}

function planJson({ nodes, live }: ApplyPlan): unknown {
  return {
    nodes: nodes.map(({ node, role, action, reasons, changedFiles }) => ({
      node: node.name,
      role,
      action,
      reasons,
      files: changedFiles,
    })),
    away: live.away.map(({ node, reason }) => ({ node: node.name, reason })),
  };
}
