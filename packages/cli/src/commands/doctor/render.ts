import type { Stage } from '../../doctor/connection-test.js';
import type { Evidence } from '../../doctor/evidence.js';
import { count, type Finding, microseconds, percent } from '../../doctor/finding.js';
import { sampleError } from '../../doctor/rules/keys.js';
import { splitTime } from '../../doctor/time-split.js';
import type { Style, Terminal } from '../../terminal.js';

const marks: Readonly<Record<Stage['outcome'], readonly [string, Style]>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['-', 'dim'],
};

const kinds: Readonly<Record<Finding['kind'], readonly [string, Style]>> = {
  failing: ['failing now', 'red'],
  slow: ['slow now', 'yellow'],
  next: ['will fail next', 'yellow'],
  waste: ['waste', 'cyan'],
};

/** The steps of the connection, one a line. */
export function renderConnection(terminal: Terminal, address: string, stages: readonly Stage[]): void {
  terminal.line(terminal.style('bold', `Connection to ${address}`));
  for (const { name, outcome, detail, hint } of stages) {
    const [mark, style] = marks[outcome];
    terminal.line(`  ${terminal.style(style, mark)} ${name.padEnd(13)} ${detail}`);
    if (hint) terminal.line(`    ${terminal.style('cyan', 'next:')} ${hint}`);
  }
  terminal.line();
}

/** What is wrong, the most damaging first, then where the time goes, then what could not be seen. */
export function renderDiagnosis(terminal: Terminal, evidence: Evidence, findings: readonly Finding[]): void {
  const { address, engine, version, role, seconds } = evidence;
  terminal.line(
    terminal.style('bold', `Diagnosis of ${address}`) +
      ` (${engine} ${version}, ${role}, watched for ${Math.round(seconds)} s)`,
  );
  if (findings.length === 0) terminal.line('  Nothing wrong was found.');
  for (const [index, finding] of findings.entries()) {
    const [label, style] = kinds[finding.kind];
    terminal.line(`  ${index + 1}. ${terminal.style('bold', finding.title)}  ${terminal.style(style, label)}`);
    terminal.line(`     measured   ${finding.measured}`);
    terminal.line(`     threshold  ${finding.threshold}`);
    terminal.line(`     share      ${percent(finding.share)} ${finding.shareOf}`);
    terminal.line(`     fix        ${finding.fix}`);
    terminal.line(`     risk       ${finding.risk}`);
    terminal.line(`     undo       ${finding.undo}`);
  }
  const time = splitTime(evidence);
  terminal.line();
  terminal.line(
    `  Where a command's time goes: network ${microseconds(time.network)}, queue ${microseconds(time.queue)} (worst ${microseconds(time.queueWorst)}), command ${microseconds(time.command)}; ${Math.round(time.rate).toLocaleString('en')} commands a second`,
  );
  if (evidence.keys) terminal.line(`  Keys: ${sampleError(evidence)}`);
  terminal.line(
    `  Looking took ${count(evidence.cost.commands, 'command')} and about ${microseconds(evidence.cost.usec)} of the server's time (${percent(evidence.cost.usec / (seconds * 1e6))})`,
  );
  for (const { what, reason } of evidence.unknown) terminal.line(`  ${terminal.style('dim', `? ${what}: ${reason}`)}`);
  terminal.line();
}
