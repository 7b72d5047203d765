import type { Severity } from '../verdict/cvss.js';
import type { AuditResult, CheckResult, Grade } from '../verdict/result.js';
import { coverageSentence, gradeText, moment, severityLabel, unknownByReason, verdictSentence } from './text.js';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** What the rendering needs of a terminal. */
export interface Voice {
  line(text?: string): void;
  style(style: Style, text: string): string;
}

const gradeStyle: Readonly<Record<Grade, Style>> = { A: 'green', B: 'green', C: 'yellow', D: 'yellow', F: 'red' };
const severityStyle: Readonly<Record<Severity, Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
};

function printFinding(terminal: Voice, finding: CheckResult): void {
  const label = terminal.style(severityStyle[finding.severity], severityLabel(finding));
  terminal.line(`${terminal.style('bold', `${finding.id}  ${finding.title}`)}  ${label}`);
  terminal.line(`  ${terminal.style('dim', finding.why)}`);
  for (const { subject, evidence, fix } of finding.occurrences) {
    terminal.line(`  ${subject}: ${evidence}`);
    for (const { command, rollback } of fix) {
      terminal.line(`    ${terminal.style('cyan', command.startsWith('#') ? command : `$ ${command}`)}`);
      if (rollback) terminal.line(`    ${terminal.style('dim', `undo: ${rollback.replace(/^# /, '')}`)}`);
    }
  }
  terminal.line();
}

/** The verdict first, then its reasons, then what to do, then what was not seen. */
export function renderTerminal(terminal: Voice, result: AuditResult): void {
  terminal.line();
  const serious = result.findings.some(({ severity }) => severity === 'critical' || severity === 'high');
  const style =
    result.grade === null || (serious && gradeStyle[result.grade] === 'green') ? 'yellow' : gradeStyle[result.grade];
  terminal.line(`  ${terminal.style(style, gradeText(result))}  ${verdictSentence(result)}`);
  terminal.line(
    `  ${terminal.style('dim', `${result.target} · ${result.profile} · ${moment(result)} · ${Math.round(result.durationMs)} ms`)}`,
  );
  terminal.line();
  for (const node of result.nodes) {
    const version = node.engine === 'unknown' ? 'not identified' : `${node.engine} ${node.version}, ${node.role}`;
    terminal.line(`  ${node.address}: ${version}${node.note ? ` (${node.note})` : ''}`);
  }
  if (result.score !== null) terminal.line(`  Score ${result.score} of 100`);
  for (const line of result.lines) {
    const limited = line.points === line.limit ? ` (the most ${line.area} can cost)` : '';
    terminal.line(`    -${line.points} ${line.area}: ${line.deductions.map(({ id }) => id).join(', ')}${limited}`);
  }
  for (const cap of result.caps) terminal.line(`    at most ${cap.to}: ${cap.reason} (${cap.checks.join(', ')})`);
  terminal.line();
  for (const finding of result.findings) printFinding(terminal, finding);
  for (const { finding, owner, expires, reason } of result.waived) {
    terminal.line(`  waived ${finding.id} by ${owner} until ${expires}: ${reason}`);
  }
  terminal.line(`  ${coverageSentence(result)}.`);
  for (const { reason, checks } of unknownByReason(result)) {
    terminal.line(`  ${terminal.style('dim', `? ${checks.join(' ')}: ${reason}`)}`);
  }
  for (const note of result.notes) terminal.line(`  ${terminal.style('dim', note)}`);
}
