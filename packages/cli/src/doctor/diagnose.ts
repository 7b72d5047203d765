import type { Evidence } from './evidence.js';
import { type Finding, findingOf, ranked } from './finding.js';
import { rules } from './rules/rules.js';

/** Judges the evidence: everything that is wrong, the most damaging first. Touches no server. */
export function diagnose(evidence: Evidence): Finding[] {
  return ranked(rules.flatMap((rule) => rule(evidence) ?? []).map(findingOf));
}
