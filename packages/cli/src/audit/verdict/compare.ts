import type { AuditResult, CheckResult, OccurrenceResult } from './result.js';

export interface Comparison {
  readonly before: { readonly grade: string | null; readonly score: number | null; readonly observedAt: string };
  readonly after: { readonly grade: string | null; readonly score: number | null; readonly observedAt: string };
  readonly fixed: readonly string[];
  readonly appeared: readonly string[];
  readonly remaining: readonly string[];
  readonly risk: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
}

function occurrences(result: Pick<AuditResult, 'findings'>): Map<string, string> {
  return new Map(
    result.findings.flatMap((finding) =>
      finding.occurrences.map((one) => [one.fingerprint, `${finding.id} ${finding.title}: ${one.subject}`] as const),
    ),
  );
}

/** What changed between two audits, by fingerprint: fixed, new, still there; risk before and after. */
export function compareResults(before: AuditResult, after: AuditResult): Comparison {
  const [then, now] = [occurrences(before), occurrences(after)];
  const summary = ({ grade, score, observedAt }: AuditResult) => ({ grade, score, observedAt });
  const aspects = [...new Set([...Object.keys(before.risk), ...Object.keys(after.risk)])];
  return {
    before: summary(before),
    after: summary(after),
    fixed: [...then].filter(([print]) => !now.has(print)).map(([, text]) => text),
    appeared: [...now].filter(([print]) => !then.has(print)).map(([, text]) => text),
    remaining: [...now].filter(([print]) => then.has(print)).map(([, text]) => text),
    risk: Object.fromEntries(
      aspects.map((aspect) => [aspect, { before: before.risk[aspect]?.now ?? 0, after: after.risk[aspect]?.now ?? 0 }]),
    ),
  };
}

/** Findings that a baseline does not have: what `--baseline` lets fail a build. */
export function newSince(
  baseline: Pick<AuditResult, 'findings'>,
  result: Pick<AuditResult, 'findings'>,
): CheckResult[] {
  const known = occurrences(baseline);
  return result.findings.flatMap((finding) => {
    const fresh: OccurrenceResult[] = finding.occurrences.filter((one) => !known.has(one.fingerprint));
    return fresh.length === 0 ? [] : [{ ...finding, occurrences: fresh }];
  });
}
