import type { CheckResult, OccurrenceResult, WaivedFinding } from './result.js';

/** An accepted risk: who accepts it, why, and until when. Without all three it is not accepted. */
export interface Waiver {
  readonly check: string;
  /** A fingerprint of one occurrence, or a subject; absent: every occurrence of the check. */
  readonly subject?: string | undefined;
  readonly owner: string;
  readonly reason: string;
  /** Last day it holds, ISO 8601. */
  readonly expires: string;
}

function covers(waiver: Waiver, check: CheckResult, occurrence: OccurrenceResult): boolean {
  if (waiver.check !== check.id) return false;
  return waiver.subject === undefined || [occurrence.subject, occurrence.fingerprint].includes(waiver.subject);
}

/** Whether it still holds at the moment of the audit: to the end of its last day, UTC. */
export function isValid(waiver: Waiver, observedAt: string): boolean {
  return Date.parse(waiver.expires) + 86_400_000 > Date.parse(observedAt);
}

/** Takes waived occurrences out of the findings. An expired waiver is ignored. */
export function applyWaivers(
  results: readonly CheckResult[],
  waivers: readonly Waiver[],
  observedAt: string,
): { results: CheckResult[]; waived: WaivedFinding[] } {
  const valid = waivers.filter((waiver) => isValid(waiver, observedAt));
  const waived: WaivedFinding[] = [];
  const judged = results.map((result) => {
    if (result.status !== 'fail') return result;
    const left = result.occurrences.filter((occurrence) => !valid.some((waiver) => covers(waiver, result, occurrence)));
    if (left.length === result.occurrences.length) return result;
    for (const waiver of valid) {
      const accepted = result.occurrences.filter((occurrence) => covers(waiver, result, occurrence));
      if (accepted.length > 0) {
        const { owner, reason, expires } = waiver;
        waived.push({ finding: { ...result, occurrences: accepted }, owner, reason, expires });
      }
    }
    if (left.length > 0) return { ...result, occurrences: left };
    const remark = { subject: 'deployment', text: 'every occurrence is waived' };
    return { ...result, status: 'not-applicable' as const, occurrences: [], remarks: [...result.remarks, remark] };
  });
  return { results: judged, waived };
}
