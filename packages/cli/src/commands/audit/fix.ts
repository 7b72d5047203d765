import path from 'node:path';
import { printFix } from '../../audit/checks/fix.js';
import type { Facts } from '../../audit/facts/facts.js';
import { openSession } from '../../audit/gather/session.js';
import { applyChange, persist } from '../../audit/remedy/apply.js';
import { Journal } from '../../audit/remedy/journal.js';
import { type Change, inverse, planChanges } from '../../audit/remedy/plan.js';
import { type Context, stopIfInterrupted } from '../../context.js';
import { CliError } from '../../errors.js';
import { resolveTarget, type Target, type TargetOptions } from './target.js';

const journalFile = path.join('.redkeep', 'audit-journal.json');

interface Work {
  readonly node: string;
  readonly change: Change;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** Makes changes node by node over one administrator's session each, then writes them to the servers' files. */
async function carryOut(context: Context, target: Target, work: readonly Work[]): Promise<void> {
  const endpoints = target.operators ?? target.endpoints;
  for (const node of new Set(work.map((one) => one.node))) {
    const endpoint = endpoints.find(({ host, port }) => `${host}:${port}` === node);
    if (!endpoint)
      throw new CliError(
        'REDKEEP_USAGE',
        `${node} is not among the servers named.`,
        'Name the same servers as before.',
      );
    const session = await openSession(endpoint);
    try {
      const mine = work.filter((one) => one.node === node);
      for (const { change, begin, end } of mine) {
        stopIfInterrupted(context.signal);
        await begin();
        await applyChange(session.ask, change);
        await end();
        context.terminal.done(`${node}: ${printFix(change).command}`);
      }
      await persist(session.ask, new Set(mine.map(({ change }) => change.kind)));
    } finally {
      await session.close();
    }
  }
}

/** Shows the plan, asks, writes each change to the journal, makes it. What cannot be undone is left to a person. */
export async function fix(context: Context, facts: Facts, target: Target, yes: boolean): Promise<void> {
  const { terminal, prompt, cwd, clock } = context;
  const plan = planChanges(facts);
  if (plan.length === 0) return terminal.note('Nothing that a command could mend and take back again.');
  terminal.note(`${plan.length} changes, each of which "redkeep audit undo" takes back:`);
  for (const { check, node, change } of plan) terminal.note(`${check} ${node}: ${printFix(change).command}`);
  if (!yes && !(await prompt.confirm('Make these changes?', false)))
    return terminal.note('Nothing was changed (--yes makes them without asking).');
  const journal = await Journal.open(path.join(cwd, journalFile));
  const work = plan.map((planned): Work => {
    let index = -1;
    return {
      ...planned,
      begin: async () => {
        index = await journal.begin(planned, clock.now().toISOString());
      },
      end: () => journal.mark(index, 'done'),
    };
  });
  await carryOut(context, target, work);
  terminal.note('Run the audit again to see what is left. "redkeep audit undo" takes the changes back.');
}

/** Takes back what the journal holds, newest first. */
export async function undo(context: Context, options: TargetOptions): Promise<void> {
  const journal = await Journal.open(path.join(context.cwd, journalFile));
  const open = journal.entries
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => entry.state !== 'undone')
    .reverse();
  if (open.length === 0) return context.terminal.note('The journal holds nothing to take back.');
  const target = await resolveTarget(context, [], options);
  await carryOut(
    context,
    target,
    open.map(({ entry, index }) => ({
      node: entry.node,
      change: inverse(entry.change),
      begin: async () => undefined,
      end: () => journal.mark(index, 'undone'),
    })),
  );
}
