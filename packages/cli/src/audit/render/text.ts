import type { AuditResult, CheckResult } from '../verdict/result.js';

/** `Grade B`, or that there is none. */
export function gradeText({ grade }: Pick<AuditResult, 'grade'>): string {
  return grade === null ? 'No grade' : `Grade ${grade}`;
}

/** What a grade means, in one plain sentence: every output begins with it. */
export function verdictSentence(result: AuditResult): string {
  const { findings, caps, coverage } = result;
  const decisive = caps.find((cap) => cap.to === result.grade);
  if (result.grade === null) {
    const found =
      findings.length === 0 ? 'No findings' : findings.length === 1 ? '1 finding' : `${findings.length} findings`;
    return `${found}; no grade: ${result.ungraded ?? 'too little was seen'}.`;
  }
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  if (findings.length === 0) {
    const unseen = coverage.unknown === 0 ? '' : ` ${coverage.unknown} checks could not be made.`;
    return `No findings.${decisive && result.grade !== 'A' ? ` Held at ${result.grade}: ${decisive.reason}.` : ''}${unseen}`;
  }
  const worst = findings[0]!;
  return `${count}${decisive ? `: ${decisive.reason}` : `, the worst: ${worst.title} (${severityLabel(worst)})`}.`;
}

export function coverageSentence({ coverage }: AuditResult): string {
  const { observed, total, notApplicable, unknown } = coverage;
  return `${observed} of ${total - notApplicable} checks observed; ${unknown} could not be made, ${notApplicable} do not apply here`;
}

export function severityLabel(result: CheckResult): string {
  return result.cvss ? `${result.severity} ${result.cvss.score.toFixed(1)}` : result.severity;
}

/** The audited moment, to the minute, UTC. */
export function moment(result: AuditResult): string {
  return `${result.observedAt.slice(0, 16).replace('T', ' ')} UTC`;
}

export function byStatus(result: AuditResult, status: CheckResult['status']): CheckResult[] {
  return result.checks.filter((check) => check.status === status);
}

/** Reasons why checks could not be made, each once, with the checks it concerns. */
export function unknownByReason(result: AuditResult): { reason: string; checks: string[] }[] {
  const reasons = new Map<string, string[]>();
  for (const check of byStatus(result, 'unknown')) {
    const reason = [...new Set(check.remarks.map(({ text }) => text))].join('; ');
    reasons.set(reason, [...(reasons.get(reason) ?? []), check.id]);
  }
  return [...reasons].map(([reason, checks]) => ({ reason, checks }));
}
