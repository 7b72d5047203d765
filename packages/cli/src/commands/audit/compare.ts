import { type Comparison, compareResults } from '../../audit/verdict/compare.js';
import type { Context } from '../../context.js';
import { ExitCode } from '../../exit-codes.js';
import { readReport } from './read-reports.js';

/** `redkeep audit compare A B`: fixed, new, still there. Exit code 1 when something new appeared. */
export async function compare(
  context: Context,
  before: string,
  after: string,
  options: { readonly json?: boolean },
): Promise<void> {
  const comparison = compareResults(await readReport(context, before), await readReport(context, after));
  if (comparison.appeared.length > 0) context.exitCode = ExitCode.Findings;
  if (options.json) return context.terminal.json(comparison);
  renderComparison(context.terminal, comparison);
}

function graded({ grade, score }: Comparison['before']): string {
  return grade === null ? 'no grade' : `Grade ${grade} (${score})`;
}

/** Grade, risk by aspect, and what is fixed, new and left. */
export function renderComparison(terminal: Context['terminal'], comparison: Comparison): void {
  terminal.line(`${graded(comparison.before)} -> ${graded(comparison.after)}`);
  terminal.table(
    ['risk', 'before', 'after'],
    Object.entries(comparison.risk).map(([aspect, risk]) => [aspect, risk.before.toFixed(1), risk.after.toFixed(1)]),
  );
  for (const [title, items] of [
    ['Fixed', comparison.fixed],
    ['New', comparison.appeared],
    ['Still there', comparison.remaining],
  ] as const) {
    terminal.line(`${title}: ${items.length}`);
    for (const item of items) terminal.line(`  ${item}`);
  }
}
