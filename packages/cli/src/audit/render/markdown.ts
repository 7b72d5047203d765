import type { AuditResult } from '../verdict/result.js';
import { coverageSentence, gradeText, moment, severityLabel, unknownByReason, verdictSentence } from './text.js';

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The report as a page for a wiki or a pull request. */
export function renderMarkdown(result: AuditResult): string {
  const findings = result.findings.map((finding) => {
    const occurrences = finding.occurrences.map(({ subject, evidence, fix }) => {
      const commands = fix
        .map(({ command, rollback }) => `${command}${rollback ? `\n# undo: ${rollback}` : ''}`)
        .join('\n');
      return `- ${subject}: ${evidence}${commands ? `\n\n  \`\`\`sh\n${commands.replace(/^/gm, '  ')}\n  \`\`\`` : ''}`;
    });
    return `### ${finding.id} ${finding.title} (${severityLabel(finding)})\n\n${finding.why}\n\n${occurrences.join('\n')}\n`;
  });
  const risk = Object.entries(result.risk).map(([aspect, { now, afterFixes }]) => [
    aspect,
    now.toFixed(1),
    afterFixes.toFixed(1),
  ]);
  return `${[
    `# Security audit: ${gradeText(result)
      .toLowerCase()
      .replace(/ ([a-f])$/, (_, letter: string) => ` ${letter.toUpperCase()}`)}`,
    verdictSentence(result),
    `${result.target}, ${result.profile} profile, ${moment(result)}. ${coverageSentence(result)}.`,
    '## Why this grade',
    [
      result.score === null
        ? `- No grade: ${result.ungraded ?? 'too little was seen'}`
        : `- 100 points, ${100 - result.score} lost: ${result.score}`,
      ...result.lines.map(
        (line) => `- ${line.points} lost in ${line.area}: ${line.deductions.map(({ id }) => id).join(', ')}`,
      ),
      ...result.caps.map((cap) => `- at most ${cap.to}: ${cap.reason} (${cap.checks.join(', ')})`),
    ].join('\n'),
    '## Risk (highest CVSS 3.1 base score)',
    table(['Aspect', 'Now', 'After the fixes'], risk),
    '## What to do first',
    result.recommendations.length === 0
      ? 'Nothing.'
      : table(
          ['Priority', 'Check', 'What', 'Effort', 'First step'],
          result.recommendations.map((one) => [
            String(one.priority),
            one.check,
            one.title,
            one.effort,
            `\`${one.first.replaceAll('`', "'")}\``,
          ]),
        ),
    '## Findings',
    findings.join('\n') || 'None.',
    '## Not observed',
    unknownByReason(result)
      .map(({ reason, checks }) => `- ${checks.join(', ')}: ${reason}`)
      .join('\n') || 'Nothing.',
    '## Clauses of standards',
    'Findings and passes map to these clauses; no program can check what is listed under "by hand".',
    ...result.compliance.flatMap(({ title, clauses, manual }) => [
      `### ${title}`,
      table(
        ['Clause', 'Against it', 'For it', 'Not seen'],
        clauses.map(({ clause, failed, passed, unknown }) => [
          clause,
          failed.join(' '),
          passed.join(' '),
          unknown.join(' '),
        ]),
      ),
      `By hand: ${manual.join('; ')}.`,
    ]),
    '## Notes',
    result.notes.map((note) => `- ${note}`).join('\n'),
  ].join('\n\n')}\n`;
}
