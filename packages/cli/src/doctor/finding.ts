import type { Evidence } from './evidence.js';

/** How much a finding matters: what fails now, what is slow now, what will fail next, what is wasted. */
export const findingKinds = ['failing', 'slow', 'next', 'waste'] as const;
export type FindingKind = (typeof findingKinds)[number];

/** Something that is wrong, with the measurement that shows it. */
export interface Finding {
  /** Stable name, the rule's own: `big-key`. */
  readonly id: string;
  readonly kind: FindingKind;
  readonly title: string;
  /** What was measured, with its unit. */
  readonly measured: string;
  /** From where on it counts, and why there. */
  readonly threshold: string;
  /** Share of the damage, 0 to 1: of the server's time, of memory, of commands. Orders findings of one kind. */
  readonly share: number;
  /** What the share is of: `of the server's time`. */
  readonly shareOf: string;
  /** What to do; a command where there is one. */
  readonly fix: string;
  /** What the fix can break. */
  readonly risk: string;
  /** How to take the fix back. */
  readonly undo: string;
}

/** What a rule says; a fix that can break nothing has no `risk`, one that leaves nothing to take back no `undo`. */
export type Found = Omit<Finding, 'risk' | 'undo'> & Partial<Pick<Finding, 'risk' | 'undo'>>;

/** One question that the doctor asks of the evidence. */
export type Rule = (evidence: Evidence) => Found | undefined;

export function findingOf(found: Found): Finding {
  return { risk: 'None.', undo: 'Nothing to undo.', ...found };
}

/** Most damaging first: by kind, then by share. */
export function ranked(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      findingKinds.indexOf(a.kind) - findingKinds.indexOf(b.kind) || b.share - a.share || (a.id < b.id ? -1 : 1),
  );
}

export function percent(share: number): string {
  return `${share >= 0.1 || share === 0 ? Math.round(share * 100) : Math.round(share * 1000) / 10} %`;
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`;
}

export function microseconds(usec: number): string {
  if (usec >= 1e6) return `${Math.round(usec / 1e5) / 10} s`;
  if (usec >= 1000) return `${Math.round(usec / 100) / 10} ms`;
  return `${Math.round(usec)} µs`;
}

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount.toLocaleString('en')} ${amount === 1 ? one : many}`;
}
