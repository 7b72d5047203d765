import { diffLines } from '../../deployment/diff-lines.js';
import type { InitPlan } from '../../deployment/plan-init.js';
import type { Change, ChangeKind } from '../../deployment/write-files.js';
import type { Style, Terminal } from '../../terminal.js';

const marks: Readonly<Record<ChangeKind, readonly [string, Style]>> = {
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  'overwrite-edited': ['!', 'red'],
  remove: ['-', 'red'],
  'keep-edited': ['=', 'cyan'],
  same: [' ', 'dim'],
};

const legend = '+ new   ~ changed   ! changed, and edited by hand since   - removed   = edited by hand, left alone';

/** Prints the tree of files and each one's differences. Contents of secret files are never shown. */
export function showPlan(terminal: Terminal, plan: InitPlan): void {
  terminal.line(plan.folder);
  for (const change of [...plan.changes].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const [mark, style] = marks[change.kind];
    terminal.line(terminal.style(style, `${mark} ${change.path}`));
    for (const line of visibleDifference(change)) terminal.line(terminal.style('dim', `    ${line}`));
  }
  terminal.line(legend);
}

function visibleDifference({ kind, before, after }: Change): string[] {
  if (kind === 'same' || kind === 'keep-edited') return [];
  if (after?.made) return ['(made by redkeep, not shown)'];
  return diffLines(redact(before ?? ''), redact(after?.content ?? ''));
}

/** Password hashes and the replication password stand in derived files; a plan may be pasted into a review. */
function redact(text: string): string {
  return text
    .replace(/#[0-9a-f]{64}/g, '#(hash)')
    .replace(/^((?:masterauth|sentinel .*-pass(?: \S+)?) ).*$/gm, '$1(hidden)');
}
