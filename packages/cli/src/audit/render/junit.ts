import { areas } from '../checks/check.js';
import type { AuditResult, CheckResult } from '../verdict/result.js';
import { severityLabel } from './text.js';

function xml(text: string): string {
  // XML 1.0 has no place for most control characters, escaped or not.
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, '?')
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function testCase(check: CheckResult): string {
  const name = `name="${xml(`${check.id} ${check.title}`)}" classname="redkeep.${xml(check.area)}"`;
  const remarks = check.remarks.map(({ subject, text }) => `${subject}: ${text}`).join('\n');
  if (check.status === 'pass') return `    <testcase ${name}/>`;
  if (check.status !== 'fail')
    return `    <testcase ${name}><skipped message="${xml(`${check.status}: ${remarks}`)}"/></testcase>`;
  const evidence = check.occurrences.map(({ subject, evidence: seen }) => `${subject}: ${seen}`).join('\n');
  return `    <testcase ${name}><failure type="${check.severity}" message="${xml(severityLabel(check))}">${xml(evidence)}</failure></testcase>`;
}

/** JUnit XML: one suite an area, one case a check; what could not be looked at is skipped, not passed. */
export function renderJunit(result: AuditResult): string {
  const suites = Object.values(areas).flatMap((area) => {
    const checks = result.checks.filter((check) => check.area === area);
    if (checks.length === 0) return [];
    const count = (status: CheckResult['status']): number => checks.filter((check) => check.status === status).length;
    const skipped = count('unknown') + count('not-applicable');
    return [
      `  <testsuite name="${xml(area)}" tests="${checks.length}" failures="${count('fail')}" skipped="${skipped}" errors="0" timestamp="${result.observedAt.slice(0, 19)}">\n${checks.map(testCase).join('\n')}\n  </testsuite>`,
    ];
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="redkeep audit" tests="${result.checks.length}" failures="${result.findings.length}">\n${suites.join('\n')}\n</testsuites>\n`;
}
