import type { AuditResult } from '../verdict/result.js';

/** A spreadsheet takes a cell that begins like a formula for one: such text gets an apostrophe before it. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** One row a check and subject, for spreadsheets. */
export function renderCsv(result: AuditResult): string {
  const heading = [
    'check',
    'title',
    'area',
    'status',
    'severity',
    'cvss',
    'vector',
    'subject',
    'evidence',
    'fix',
    'rollback',
    'effort',
  ];
  const rows = result.checks.flatMap((check) => {
    const common = [
      check.id,
      check.title,
      check.area,
      check.status,
      check.severity,
      check.cvss?.score.toFixed(1) ?? '',
      check.cvss?.vector ?? '',
    ];
    const failed = check.occurrences.map(({ subject, evidence, fix }) => [
      ...common,
      subject,
      evidence,
      fix.map(({ command }) => command).join(' ; '),
      fix.map(({ rollback }) => rollback ?? '').join(' ; '),
      check.effort,
    ]);
    return [...failed, ...check.remarks.map(({ subject, text }) => [...common, subject, text, '', '', check.effort])];
  });
  return `${[heading, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
