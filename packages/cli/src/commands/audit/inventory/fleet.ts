import { maybe } from '../../../audit/facts/fact.js';
import type { Facts } from '../../../audit/facts/facts.js';
import { type Severity, severities } from '../../../audit/verdict/cvss.js';
import type { AuditResult, Grade } from '../../../audit/verdict/result.js';
import type { PastAudit } from './history.js';

/** Something with an end: a certificate, an accepted risk. */
export interface Expiry {
  readonly what: string;
  /** ISO 8601. */
  readonly at: string;
  readonly days: number;
}

/** One deployment of the fleet as the overview shows it. */
export interface FleetEntry {
  readonly name: string;
  readonly target: string;
  /** Why it could not be audited. */
  readonly error?: string;
  readonly grade: Grade | null;
  readonly score: number | null;
  readonly findings: Readonly<Record<Severity, number>>;
  /** Nodes that did not answer. */
  readonly unreachable: readonly string[];
  /** Against the last audit in the history; absent where there is none. */
  readonly since?: {
    readonly observedAt: string;
    readonly grade: Grade | null;
    readonly appeared: readonly string[];
    readonly fixed: readonly string[];
  };
  readonly expiries: readonly Expiry[];
}

export interface FleetReport {
  readonly schema: 'urn:redkeep:schema:fleet-report-1';
  readonly tool: { readonly name: 'redkeep'; readonly version: string };
  readonly observedAt: string;
  readonly inventory: string;
  /** Worst first. */
  readonly deployments: readonly FleetEntry[];
  /** What ends within 90 days, soonest first. */
  readonly expiries: readonly (Expiry & { readonly deployment: string })[];
  /** Deployments with new findings or a lower grade than the time before. */
  readonly worse: readonly string[];
}

const soonDays = 90;
const order = 'FDCBA';

function noFindings(): Record<Severity, number> {
  return Object.fromEntries(severities.map((severity) => [severity, 0])) as Record<Severity, number>;
}

/** Fingerprint and text of every occurrence. */
export function occurrencesOf({ findings }: AuditResult): Record<string, string> {
  return Object.fromEntries(
    findings.flatMap((finding) =>
      finding.occurrences.map((one) => [one.fingerprint, `${finding.id} ${finding.title}: ${one.subject}`]),
    ),
  );
}

function expiriesOf(facts: Facts, result: AuditResult): Expiry[] {
  const now = Date.parse(facts.observedAt);
  const certificates = facts.nodes.flatMap((node) =>
    (maybe(node.tls)?.chain ?? []).map(({ subject, notAfter }) => ({
      what: `certificate ${subject} of ${node.address}`,
      at: new Date(notAfter).toISOString(),
    })),
  );
  const waivers = result.waived.map(({ finding, owner, expires }) => ({
    what: `waiver of ${finding.id} by ${owner}`,
    at: new Date(expires).toISOString(),
  }));
  return [...certificates, ...waivers]
    .map((one) => ({ ...one, days: Math.floor((Date.parse(one.at) - now) / 86_400_000) }))
    .sort((a, b) => a.days - b.days);
}

export function entryOf(
  name: string,
  { result, facts }: { readonly result: AuditResult; readonly facts: Facts },
  past: PastAudit | undefined,
): FleetEntry {
  const counts = noFindings();
  for (const { severity } of result.findings) counts[severity]++;
  const found = occurrencesOf(result);
  return {
    name,
    target: result.target,
    grade: result.grade,
    score: result.score,
    findings: counts,
    unreachable: result.nodes.filter(({ reachable }) => !reachable).map(({ address }) => address),
    ...(past && {
      since: {
        observedAt: past.observedAt,
        grade: past.grade,
        appeared: Object.entries(found).flatMap(([print, text]) => (print in past.findings ? [] : [text])),
        fixed: Object.entries(past.findings).flatMap(([print, text]) => (print in found ? [] : [text])),
      },
    }),
    expiries: expiriesOf(facts, result),
  };
}

export function failedEntry(name: string, target: string, error: string, past: PastAudit | undefined): FleetEntry {
  return {
    name,
    target,
    error,
    grade: null,
    score: null,
    findings: noFindings(),
    unreachable: [],
    ...(past && { since: { observedAt: past.observedAt, grade: past.grade, appeared: [], fixed: [] } }),
    expiries: [],
  };
}

/** Not seen, then F to A, then without a grade; within these by what was found. */
function badness(entry: FleetEntry): number[] {
  const rank = entry.error !== undefined ? -1 : entry.grade === null ? order.length : order.indexOf(entry.grade);
  return [rank, ...[...severities].reverse().map((severity) => -entry.findings[severity])];
}

export function worstFirst(left: FleetEntry, right: FleetEntry): number {
  const [a, b] = [badness(left), badness(right)];
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? left.name.localeCompare(right.name) : a[at]! - b[at]!;
}

export function isWorse({ since, grade, error }: FleetEntry): boolean {
  if (since === undefined) return false;
  if (error !== undefined || since.appeared.length > 0) return true;
  return since.grade !== null && grade !== null && order.indexOf(grade) < order.indexOf(since.grade);
}

export function fleetReport(
  inventory: string,
  observedAt: string,
  version: string,
  entries: readonly FleetEntry[],
): FleetReport {
  const deployments = [...entries].sort(worstFirst);
  return {
    schema: 'urn:redkeep:schema:fleet-report-1',
    tool: { name: 'redkeep', version },
    observedAt,
    inventory,
    deployments,
    expiries: deployments
      .flatMap(({ name, expiries }) => expiries.map((one) => ({ ...one, deployment: name })))
      .filter(({ days }) => days <= soonDays)
      .sort((a, b) => a.days - b.days),
    worse: deployments.filter(isWorse).map(({ name }) => name),
  };
}
