/** Reports as a table. */
import type { Report } from './run.js';

const COLUMNS: readonly [title: string, cell: (report: Report) => string | number][] = [
  ['scenario', (r) => r.name],
  ['commands', (r) => r.operations],
  ['maybe', (r) => r.uncertain],
  ['refused', (r) => r.refused],
  ['faults', (r) => r.faults],
  ['recovery ms (median, worst)', (r) => recovery(r.recoveries)],
  ['swapped', (r) => r.swapped],
  ['doubled', (r) => r.doubled],
  ['lost', (r) => r.lost],
  ['unsettled', (r) => r.unsettled],
  ['verdict', (r) => (r.violations.length === 0 ? 'holds' : 'VIOLATED')],
];

function recovery(times: readonly number[]): string {
  if (times.length === 0) return 'never';
  const sorted = [...times].sort((a, b) => a - b);
  return `${Math.round(sorted[sorted.length >> 1]!)}, ${Math.round(sorted.at(-1)!)}`;
}

export function renderTable(reports: readonly Report[]): string {
  const rows = [
    COLUMNS.map(([title]) => title),
    ...reports.map((report) => COLUMNS.map(([, cell]) => String(cell(report)))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  const details = reports.flatMap((report) => [
    ...report.notes.map((note) => `${report.name}: ${note}`),
    ...report.violations.map((violation) => `VIOLATED ${report.name}: ${violation}`),
  ]);
  return [...lines, ...(details.length > 0 ? ['', ...details] : [])].join('\n');
}
