import { type Area, areas, type CheckId } from '../checks/check.js';
import type { Facts } from '../facts/facts.js';
import type { Severity } from './cvss.js';
import { atLeast } from './cvss.js';
import { areaOf } from './evaluate.js';
import type { Cap, CheckResult, Grade, ScoreLine } from './result.js';

/** Points a failed check costs. */
const points: Readonly<Record<Severity, number>> = { critical: 40, high: 8, medium: 4, low: 1, info: 0 };

/** The most an area can cost: one neglected area does not hide that the others are in order. */
const limits: Readonly<Record<Area, number>> = {
  AUTH: 40,
  NET: 15,
  ACL: 15,
  TLS: 15,
  VER: 15,
  CFG: 12,
  CTR: 15,
  HOST: 12,
  CLI: 12,
  BKP: 8,
  LOG: 6,
};

const grades: readonly Grade[] = ['A', 'B', 'C', 'D', 'F'];

/** Points alone never give an F: that stands for a server that is open or broken into, which the caps say. */
function gradeOf(score: number): Grade {
  if (score >= 90) return 'A';
  if (score >= 80) return 'B';
  return score >= 65 ? 'C' : 'D';
}

/** A rule that keeps the grade down whatever the score says, with its reason. */
interface CapRule {
  readonly to: Grade;
  readonly reason: string;
  readonly when: (result: CheckResult) => boolean;
}

const failed =
  (...ids: readonly CheckId[]) =>
  (result: CheckResult): boolean =>
    result.status === 'fail' && ids.includes(result.id);

const capRules: readonly CapRule[] = [
  {
    to: 'F',
    reason: 'unauthenticated clients are served',
    when: failed('AUTH-001', 'AUTH-002', 'AUTH-003', 'NET-004', 'NET-011'),
  },
  { to: 'F', reason: 'there are traces of a break-in', when: failed('CFG-006', 'CFG-007', 'CFG-008') },
  {
    to: 'D',
    reason: 'a critical check failed',
    when: (result) => result.status === 'fail' && result.severity === 'critical',
  },
  {
    to: 'C',
    reason: 'credentials and data can be read or changed on their way',
    when: failed('NET-005', 'TLS-001', 'TLS-008', 'TLS-009'),
  },
  {
    to: 'C',
    reason: 'a non-admin user can take over the server',
    when: failed('ACL-004', 'ACL-009', 'ACL-010', 'ACL-011'),
  },
  {
    to: 'B',
    reason: 'a high-severity check failed',
    when: (result) => result.status === 'fail' && atLeast(result.severity, 'high'),
  },
  {
    to: 'B',
    reason: 'a critical check has no result',
    when: (result) => result.status === 'unknown' && result.severity === 'critical',
  },
];

function scoreLines(results: readonly CheckResult[]): ScoreLine[] {
  return (Object.keys(areas) as Area[]).flatMap((area) => {
    const deductions = results
      .filter((result) => result.status === 'fail' && areaOf(result) === area && points[result.severity] > 0)
      .map((result) => ({ id: result.id, points: points[result.severity], title: result.title }));
    const sum = deductions.reduce((total, one) => total + one.points, 0);
    return sum === 0 ? [] : [{ area, points: Math.min(sum, limits[area]), limit: limits[area], deductions }];
  });
}

export interface GradeReport {
  readonly grade: Grade | null;
  readonly ungraded?: string;
  readonly score: number | null;
  readonly lines: readonly ScoreLine[];
  readonly caps: readonly Cap[];
}

/** Areas that a server itself answers for; the others are seen beside it, or not at all. */
const serverAreas: readonly Area[] = ['NET', 'AUTH', 'ACL', 'TLS', 'CFG'];
/** The least share of these checks that must have a verdict. */
const leastCoverage = 0.5;

/** A grade says what a server is worth: without one, or with too little seen of it, there is none. */
function reasonForNoGrade(results: readonly CheckResult[], { nodes }: Facts): string | undefined {
  const live = nodes.filter((node) => node.fromFiles !== true);
  if (live.length === 0) return 'no server was audited, only files';
  if (!live.some((node) => node.engine.observed)) return 'no server could be logged in to';
  const asked = results.filter((result) => serverAreas.includes(areaOf(result)) && result.status !== 'not-applicable');
  const seen = asked.filter(({ status }) => status !== 'unknown').length;
  return seen >= asked.length * leastCoverage
    ? undefined
    : `only ${seen} of ${asked.length} checks of the server itself could be made`;
}

/** The worse of what the points say and what the caps allow. */
export function grade(results: readonly CheckResult[], facts: Facts): GradeReport {
  const lines = scoreLines(results);
  const score = Math.max(0, 100 - lines.reduce((total, line) => total + line.points, 0));
  const caps = capRules.flatMap(({ to, reason, when }) => {
    const checks = results.filter(when).map((result) => result.id);
    return checks.length > 0 ? [{ to, reason, checks }] : [];
  });
  const worst = [gradeOf(score), ...caps.map((cap) => cap.to)].reduce((a, b) =>
    grades.indexOf(a) > grades.indexOf(b) ? a : b,
  );
  const ungraded =
    worst === 'F' && facts.nodes.some((node) => node.fromFiles !== true) ? undefined : reasonForNoGrade(results, facts);
  return ungraded === undefined
    ? { grade: worst, score, lines, caps }
    : { grade: null, ungraded, score: null, lines, caps };
}
