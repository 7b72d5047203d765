import { areas, type Check } from '../checks/check.js';
import { checks as catalog } from '../checks/index.js';
import { maybe } from '../facts/fact.js';
import type { Facts } from '../facts/facts.js';
import { complianceView } from './compliance.js';
import { areaOf, evaluate } from './evaluate.js';
import { grade } from './grade.js';
import { effectivePermissions } from './permissions.js';
import { recommend } from './recommend.js';
import type { AuditResult, CheckResult, Coverage, NodeSummary, WaivedFinding } from './result.js';
import { riskByAspect } from './risk.js';
import { applyWaivers, isValid, type Waiver } from './waivers.js';

export interface JudgeOptions {
  readonly target: string;
  readonly version: string;
  readonly durationMs: number;
  readonly waivers?: readonly Waiver[];
  readonly notes?: readonly string[];
  readonly unreachable?: readonly { readonly address: string; readonly reason: string }[];
  readonly checks?: readonly Check[];
}

function coverageOf(results: readonly CheckResult[]): Coverage {
  const count = (some: readonly CheckResult[]) => ({
    observed: some.filter(({ status }) => status === 'pass' || status === 'fail').length,
    notApplicable: some.filter(({ status }) => status === 'not-applicable').length,
    unknown: some.filter(({ status }) => status === 'unknown').length,
  });
  const byArea = Object.entries(areas).map(([area, name]) => [
    name,
    count(results.filter((one) => areaOf(one) === area)),
  ]);
  return { ...count(results), total: results.length, byArea: Object.fromEntries(byArea) };
}

function worstFirst(left: CheckResult, right: CheckResult): number {
  return (right.cvss?.score ?? 0) - (left.cvss?.score ?? 0) || left.id.localeCompare(right.id);
}

function summaries(facts: Facts, unreachable: JudgeOptions['unreachable']): NodeSummary[] {
  const seen = facts.nodes.map((node) => {
    const engine = maybe(node.engine);
    return {
      address: node.address,
      engine: engine?.name ?? 'unknown',
      version: engine?.version ?? 'unknown',
      role: engine?.role ?? 'unknown',
      reachable: true,
      ...(!node.engine.observed && { note: node.engine.reason }),
    };
  });
  const missing = (unreachable ?? []).map(({ address, reason }) => ({
    address,
    engine: 'unknown',
    version: 'unknown',
    role: 'unknown',
    reachable: false,
    note: reason,
  }));
  return [...seen, ...missing];
}

const staleAfterDays = 30;

function notesOf(
  facts: Facts,
  waived: readonly WaivedFinding[],
  given: readonly string[],
  waivers: readonly Waiver[],
): string[] {
  const age = Math.floor((Date.parse(facts.observedAt) - Date.parse(facts.cves.date)) / 86_400_000);
  return [
    ...given,
    ...facts.project.unreadable.map(({ file, reason }) => `${file} could not be read: ${reason}.`),
    ...facts.project.remarks.map((remark) => `${remark}.`),
    ...(age > staleAfterDays
      ? [
          `The CVE data is ${age} days old (${facts.cves.date}): update it with "redkeep audit update-cves", --cve-data FILE or a newer redkeep.`,
        ]
      : []),
    ...(waived.length > 0 ? [`${waived.length} findings are waived and do not count.`] : []),
    ...waivers
      .filter((waiver) => !isValid(waiver, facts.observedAt))
      .map(
        ({ check, owner, expires }) => `The waiver of ${check} by ${owner} expired on ${expires} and does not count.`,
      ),
    'Clauses of standards are named as "maps to": an audit by a program does not make anything compliant.',
  ];
}

/** Judges facts: from here on nothing is looked at any more. The same facts always give the same result. */
export function judge(facts: Facts, options: JudgeOptions): AuditResult {
  const all = [...(options.checks ?? catalog)]
    .map((check) => evaluate(check, facts))
    .sort((a, b) => a.id.localeCompare(b.id));
  const { results, waived } = applyWaivers(all, options.waivers ?? [], facts.observedAt);
  const findings = results.filter(({ status }) => status === 'fail').sort(worstFirst);
  const graded = grade(results, facts);
  return {
    schema: 'urn:redkeep:schema:audit-report-1',
    tool: { name: 'redkeep', version: options.version },
    observedAt: facts.observedAt,
    durationMs: options.durationMs,
    target: options.target,
    profile: facts.expectations.profile,
    ...graded,
    coverage: coverageOf(results),
    risk: riskByAspect(results),
    findings,
    waived,
    recommendations: recommend(findings, graded.caps),
    checks: results,
    nodes: summaries(facts, options.unreachable),
    permissions: effectivePermissions(facts),
    compliance: complianceView(results),
    notes: notesOf(facts, waived, options.notes ?? [], options.waivers ?? []),
  };
}
