import type { Effort } from '../checks/check.js';
import type { Cap, CheckResult, Recommendation } from './result.js';

const efforts: readonly Effort[] = ['minutes', 'hours', 'days'];

function priorityOf(finding: CheckResult, holding: ReadonlySet<string>): Recommendation['priority'] {
  if (finding.severity === 'critical' || holding.has(finding.id)) return 1;
  return finding.severity === 'high' ? 2 : finding.severity === 'medium' ? 3 : 4;
}

/** What to do, in which order: first what holds the grade down, then by severity, the quicker of two equals first. */
export function recommend(findings: readonly CheckResult[], caps: readonly Cap[]): Recommendation[] {
  const [lowest] = caps
    .map(({ to }) => to)
    .sort()
    .reverse();
  const holding = new Set<string>(caps.filter(({ to }) => to === lowest).flatMap(({ checks }) => checks));
  return findings
    .map((finding) => ({
      priority: priorityOf(finding, holding),
      check: finding.id,
      title: finding.title,
      effort: finding.effort,
      first: finding.occurrences[0]?.fix[0]?.command.replace(/^# /, '') ?? finding.passes,
    }))
    .sort((a, b) => a.priority - b.priority || efforts.indexOf(a.effort) - efforts.indexOf(b.effort));
}
