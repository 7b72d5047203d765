import path from 'node:path';
import { printFix } from '../../audit/checks/fix.js';
import { addressText, mayFollow } from '../../audit/gather/discover.js';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import { openSession } from '../../audit/gather/session.js';
import { applyChange, persist } from '../../audit/remedy/apply.js';
import type { Change } from '../../audit/remedy/change.js';
import { Journal } from '../../audit/remedy/journal.js';
import { changeKey, inverse, planChanges } from '../../audit/remedy/plan.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import type { Audited } from './audited.js';
import { resolveTarget, type Target, type TargetOptions } from './target.js';

const journalFile = path.join('.redkeep', 'audit-journal.json');

interface Work {
  readonly node: string;
  readonly change: Change;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** How to reach a node as somebody who may change it: as it was named, or like the node that led to it. */
function operatorOf(target: Target, node: string): Endpoint {
  const endpoints = target.operators ?? target.endpoints;
  const [, host = '', port] = node.match(/^(.*):(\d+)$/) ?? [];
  const address = { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  const named = endpoints.find((one) => addressText(one) === node);
  const seed = endpoints.find((one) => mayFollow(one, address));
  if (named) return named;
  if (seed) return { ...seed, ...address };
  throw new CliError(
    'REDKEEP_USAGE',
    `${node} is not among the servers named.`,
    `Name it: redkeep audit undo rediss://${node} --user NAME --password-file FILE --ca FILE.`,
  );
}

/**
 * Makes changes node by node over one administrator's session each. Every change is kept in the server's files before
 * the next is begun: whenever this ends, at most the one change that the journal calls "begun" is half-made.
 */
async function carryOut(context: Context, target: Target, work: readonly Work[]): Promise<void> {
  for (const node of new Set(work.map((one) => one.node))) {
    const session = await openSession(operatorOf(target, node));
    try {
      for (const { change, begin, end } of work.filter((one) => one.node === node)) {
        stopIfInterrupted(context.signal);
        await begin();
        await applyChange(session.ask, change);
        await persist(session.ask, new Set([change.kind]));
        await end();
        context.terminal.done(`${node}: ${printFix(change).command}`);
      }
    } finally {
      await session.close();
    }
  }
}

/** Findings that no change of the plan fixes, each with the reason. */
function leftToPeople(result: AuditResult, planned: ReadonlySet<string>): string[] {
  return result.findings
    .filter(({ id }) => !planned.has(id))
    .map(({ id, title, occurrences }) => {
      const steps = occurrences.flatMap(({ fix }) => fix);
      if (steps.some(({ automatic }) => automatic)) return `${id} ${title}: could cut off clients, or you`;
      const command = steps.some((step) => !step.command.startsWith('#'));
      return `${id} ${title}: ${command ? 'its command acts outside of the server' : 'no command does it'}`;
    });
}

export interface FixOptions {
  readonly yes: boolean;
  /** Also makes changes that cut off clients which are connected now. */
  readonly allowDisconnect: boolean;
}

/** Shows the plan, asks, writes each change to the journal, makes it. Whether anything was changed. */
export async function fix(
  context: Context,
  { facts, result, target }: Audited,
  { yes, allowDisconnect }: FixOptions,
): Promise<boolean> {
  const { terminal, prompt, cwd, clock } = context;
  const journal = await Journal.open(path.join(cwd, journalFile));
  const unfinished = journal.inState('begun');
  const claimed = new Set(unfinished.map(({ entry }) => changeKey(entry)));
  const possible = planChanges(facts).filter((one) => !claimed.has(changeKey(one)));
  const plan = possible.filter((one) => allowDisconnect || one.cutsOff === undefined);
  for (const { check, node, change, cutsOff } of possible.filter((one) => !plan.includes(one)))
    terminal.note(
      `${check} ${node}: ${printFix(change).command} is left out: it would cut off ${cutsOff}. "redkeep migrate" closes a server without that; --allow-disconnect makes the change.`,
    );
  const rest = leftToPeople(
    result,
    new Set([...plan, ...unfinished.map(({ entry }) => entry)].map((one) => one.check)),
  );
  const all = [...unfinished.map(({ entry }) => entry), ...plan];
  if (all.length === 0) terminal.note('There is no finding that a command can fix and another command can undo.');
  else terminal.note(`${all.length} changes, each of which "redkeep audit undo" takes back:`);
  for (const [index, { check, node, change }] of all.entries()) {
    const { command, rollback } = printFix(change);
    terminal.note(`${check} ${node}: ${command}${index < unfinished.length ? ' (begun before, to be finished)' : ''}`);
    if (rollback) terminal.note(`    undo: ${rollback}`);
    const clients = all[index]?.cutsOff;
    if (clients !== undefined) terminal.note(`    cuts off ${clients}`);
  }
  if (rest.length > 0) terminal.note(`${rest.length} findings need a person:`);
  for (const line of rest) terminal.note(line);
  if (all.length === 0) return false;
  if (!yes && !(await prompt.confirm('Make these changes?', false))) {
    terminal.note('Nothing was changed (--yes makes the changes without asking).');
    return false;
  }
  await carryOut(context, target, [
    ...unfinished.map(
      ({ entry, index }): Work => ({
        ...entry,
        begin: async () => undefined,
        end: () => journal.mark(index, 'done'),
      }),
    ),
    ...plan.map((planned): Work => {
      let index = -1;
      return {
        ...planned,
        begin: async () => {
          index = await journal.begin(planned, clock.now().toISOString());
        },
        end: () => journal.mark(index, 'done'),
      };
    }),
  ]);
  terminal.note('Undo the changes with "redkeep audit undo".');
  return true;
}

/** Takes back what the journal holds, newest first; changes that were only begun too, since that is harmless. */
export async function undo(context: Context, targets: readonly string[], options: TargetOptions): Promise<void> {
  const journal = await Journal.open(path.join(context.cwd, journalFile));
  const open = journal.inState('begun', 'done').reverse();
  if (open.length === 0) return context.terminal.note('The journal holds nothing to take back.');
  const target = await resolveTarget(context, targets, options);
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
