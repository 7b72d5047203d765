import type { Area, CheckId, Effort } from '../checks/check.js';
import type { PrintedFix } from '../checks/fix.js';
import type { Standard } from '../checks/mappings.js';
import type { AuditProfile } from '../facts/facts.js';
import type { Location } from '../facts/project-facts.js';
import type { Severity } from './cvss.js';

/** The one result of an audit; every output is a rendering of it. Its JSON schema is published with the package. */
export interface AuditResult {
  readonly schema: 'urn:redkeep:schema:audit-report-1';
  readonly tool: { readonly name: 'redkeep'; readonly version: string };
  readonly observedAt: string;
  readonly durationMs: number;
  readonly target: string;
  readonly profile: AuditProfile;
  /** Absent where no live server was seen well enough to judge it: findings of files are not a grade. */
  readonly grade: Grade | null;
  /** Why there is no grade. */
  readonly ungraded?: string;
  /** 0 to 100, before caps; absent without a grade. */
  readonly score: number | null;
  readonly lines: readonly ScoreLine[];
  readonly caps: readonly Cap[];
  readonly coverage: Coverage;
  readonly risk: Readonly<Record<string, AspectRisk>>;
  /** Failed checks, worst first. Waived ones are listed under `waived` instead. */
  readonly findings: readonly CheckResult[];
  readonly waived: readonly WaivedFinding[];
  /** What to do, in order. */
  readonly recommendations: readonly Recommendation[];
  /** All checks, findings included, in the order of their ids. */
  readonly checks: readonly CheckResult[];
  readonly nodes: readonly NodeSummary[];
  readonly permissions: readonly UserPermissions[];
  readonly compliance: readonly StandardView[];
  readonly notes: readonly string[];
}

export interface Recommendation {
  /** 1: now, it holds the grade down or is critical; 2: this week; 3: planned; 4: when there is time. */
  readonly priority: 1 | 2 | 3 | 4;
  readonly check: CheckId;
  readonly title: string;
  readonly effort: Effort;
  /** The first step. */
  readonly first: string;
}

export type Grade = 'A' | 'B' | 'C' | 'D' | 'F';

export interface ScoreLine {
  readonly area: Area;
  /** Points lost, already limited by what the area can lose at most. */
  readonly points: number;
  readonly limit: number;
  readonly deductions: readonly { readonly id: CheckId; readonly points: number; readonly title: string }[];
}

export interface Cap {
  readonly to: Grade;
  readonly reason: string;
  readonly checks: readonly CheckId[];
}

export interface Coverage {
  /** Checks with a verdict, pass or fail. */
  readonly observed: number;
  readonly notApplicable: number;
  readonly unknown: number;
  readonly total: number;
  readonly byArea: Readonly<
    Record<string, { readonly observed: number; readonly notApplicable: number; readonly unknown: number }>
  >;
}

/** The highest CVSS base score among an aspect's findings, now and once the printed commands were run; advice to a person counts as nothing. */
export interface AspectRisk {
  readonly now: number;
  readonly afterFixes: number;
  /** Checks of the aspect that could not be made: unknown does not count as safe. */
  readonly unknown: number;
}

export type Status = 'pass' | 'fail' | 'unknown' | 'not-applicable';

export interface CheckResult {
  readonly id: CheckId;
  readonly title: string;
  readonly area: string;
  readonly status: Status;
  readonly severity: Severity;
  readonly cvss: { readonly score: number; readonly vector: string } | null;
  readonly why: string;
  readonly passes: string;
  readonly effort: Effort;
  readonly sources: readonly string[];
  readonly maps: Readonly<Record<Standard, readonly string[]>>;
  readonly occurrences: readonly OccurrenceResult[];
  /** Evidence of a pass, reason of an unknown or not-applicable, by subject. */
  readonly remarks: readonly { readonly subject: string; readonly text: string }[];
  /** Stable over runs: the check, the subject and the place, not the wording. */
  readonly fingerprint: string;
}

export interface OccurrenceResult {
  readonly subject: string;
  readonly evidence: string;
  readonly fix: readonly PrintedFix[];
  readonly at?: Location;
  readonly fingerprint: string;
}

export interface WaivedFinding {
  readonly finding: CheckResult;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
}

export interface NodeSummary {
  readonly address: string;
  readonly engine: string;
  readonly version: string;
  readonly role: string;
  readonly reachable: boolean;
  readonly note?: string;
}

export interface UserPermissions {
  readonly node: string;
  readonly user: string;
  readonly role: string;
  readonly enabled: boolean;
  readonly keys: readonly string[];
  readonly channels: readonly string[];
  /** Commands that give power over more than the user's own keys. */
  readonly dangerous: readonly string[];
  /** What these commands are good for, in words. */
  readonly powers: readonly string[];
  /** The shortest call of each power that the user's role does not exist for, with what it does. */
  readonly escalations: readonly string[];
}

export interface StandardView {
  readonly standard: Standard;
  readonly title: string;
  readonly clauses: readonly {
    readonly clause: string;
    readonly failed: readonly CheckId[];
    readonly passed: readonly CheckId[];
    readonly unknown: readonly CheckId[];
  }[];
  /** Duties that no program can look at. */
  readonly manual: readonly string[];
}
