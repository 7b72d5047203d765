import type { Check } from '../checks/check.js';
import type { FixStep } from '../checks/fix.js';
import { checks as catalog } from '../checks/index.js';
import type { Facts } from '../facts/facts.js';
import { verdictsOf } from '../verdict/evaluate.js';
import type { Change } from './change.js';
import { cutsOff } from './cut-off.js';

export interface PlannedChange {
  readonly check: string;
  readonly node: string;
  readonly change: Change;
  /** Connected clients that it would cut off, in words; such a change is made only where that was allowed. */
  readonly cutsOff?: string;
}

// These can cut off clients, or the operator: they are shown, and left to a person.
const byHand = new Set([
  'port',
  'bind',
  'tls-auth-clients',
  'tls-protocols',
  'tls-cert-file',
  'tls-cluster',
  'maxclients',
]);

function isUndoable(step: FixStep, own: string | undefined): step is Change {
  if (step.kind === 'config') return step.was !== undefined && !byHand.has(step.name);
  if (step.kind === 'acl') return step.undo !== undefined && step.user !== 'default' && step.user !== own;
  return step.kind === 'chmod';
}

/**
 * The undoable part of all remedies, each once, in the order of the checks. What was found by comparing nodes is not
 * among them: which of them is right only a person knows.
 */
export function planChanges(facts: Facts, checks: readonly Check[] = catalog): PlannedChange[] {
  const nodes = facts.nodes.filter((node) => node.fromFiles !== true).map(({ address }) => address);
  const own = (address: string) => facts.nodes.find((node) => node.address === address)?.auditedAs;
  const planned = checks.flatMap((check) =>
    verdictsOf(check, facts).flatMap(({ subject, verdict }) =>
      verdict.status === 'fail' && nodes.includes(subject)
        ? verdict.occurrences.flatMap(({ fix }) =>
            fix
              .filter((step): step is Change => isUndoable(step, own(subject)))
              .map((change) => {
                const node = facts.nodes.find(({ address }) => address === subject);
                const clients = node && cutsOff(change, node);
                return { check: check.id, node: subject, change, ...(clients !== undefined && { cutsOff: clients }) };
              }),
          )
        : [],
    ),
  );
  // Where the file already says what is meant, that goes before any proposal of a check.
  planned.sort((a, b) => Number(b.check === 'CFG-017') - Number(a.check === 'CFG-017'));
  const seen = new Set<string>();
  return planned.filter((one) => {
    const key = changeKey(one);
    return !seen.has(key) && seen.add(key);
  });
}

/** What a change concerns: of two changes with one key, only one can be meant. */
export function changeKey({ node, change }: Pick<PlannedChange, 'node' | 'change'>): string {
  return JSON.stringify([node, change.kind === 'config' ? change.name : change]);
}

/** The change that takes a change back. */
export function inverse(change: Change): Change {
  if (change.kind === 'config') return { ...change, value: change.was ?? '', was: change.value };
  if (change.kind === 'acl') return { ...change, rules: change.undo ?? [], undo: change.rules };
  return { ...change, mode: change.was, was: change.mode };
}
