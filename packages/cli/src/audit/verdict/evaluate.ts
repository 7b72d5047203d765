import { createHash } from 'node:crypto';
import { versionAtLeast } from '../../vocabulary/engines.js';
import {
  type Area,
  areas,
  type Check,
  type NodeCheck,
  notApplicable,
  type Occurrence,
  unknown,
  type Verdict,
} from '../checks/check.js';
import { printFix } from '../checks/fix.js';
import { mappings } from '../checks/mappings.js';
import { DoesNotApply, maybe, NotObserved } from '../facts/fact.js';
import type { AuditProfile, Facts, NodeFacts } from '../facts/facts.js';
import type { Location } from '../facts/project-facts.js';
import { cvssScore, severityOf } from './cvss.js';
import type { CheckResult, OccurrenceResult, Status } from './result.js';

const profileOrder: readonly AuditProfile[] = ['development', 'production', 'regulated'];

export function areaOf(check: Pick<Check, 'id'>): Area {
  return check.id.split('-')[0] as Area;
}

/** Short digest that stays the same while the finding is the same, whatever its wording. */
export function fingerprintOf(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}

function judgeSafely(judge: () => Verdict): Verdict {
  try {
    return judge();
  } catch (error) {
    if (error instanceof NotObserved) return unknown(error.message);
    if (error instanceof DoesNotApply) return notApplicable(error.message);
    throw error;
  }
}

/** Whether the node's engine has what the check is about; asked only when the engine is known. */
function engineVerdict(check: NodeCheck, node: NodeFacts): Verdict | undefined {
  if (check.dataOnly && maybe(node.engine)?.mode === 'sentinel')
    return notApplicable('a Sentinel holds no data and has no such setting');
  const isVersioned = node.engine.observed && node.engine.value.build === 'vendor';
  if (node.fromFiles && areaOf(check) === 'VER' && !isVersioned)
    return unknown('a file does not say which version runs');
  if (check.engines === undefined) return undefined;
  if (!node.engine.observed) return unknown(`engine unknown: ${node.engine.reason}`);
  const { name, version } = node.engine.value;
  const since = check.engines[name];
  if (since === undefined) return notApplicable(`does not concern ${name}`);
  return versionAtLeast(version, since)
    ? undefined
    : notApplicable(`${name} ${version} does not have it (since ${since})`);
}

/** The check's verdict for every subject: each node, or the deployment as a whole. */
export function verdictsOf(check: Check, facts: Facts): { subject: string; verdict: Verdict }[] {
  const from = check.from ?? 'development';
  if (profileOrder.indexOf(facts.expectations.profile) < profileOrder.indexOf(from)) {
    return [{ subject: 'deployment', verdict: notApplicable(`asked for from the ${from} profile on`) }];
  }
  const live = facts.nodes.filter((node) => node.fromFiles !== true);
  // Files are not nodes of the deployment: comparing them with servers would find differences that mean nothing.
  if ('judgeAll' in check)
    return [{ subject: 'deployment', verdict: judgeSafely(() => check.judgeAll({ ...facts, nodes: live })) }];
  if (facts.nodes.length === 0)
    return [{ subject: 'deployment', verdict: unknown('no server was given to this audit') }];
  return facts.nodes.map((node) => {
    const verdict = engineVerdict(check, node) ?? judgeSafely(() => check.judge(node, facts));
    // Beside a running server, what a file cannot show is not a gap of the audit.
    const isGap = verdict.status === 'unknown' && (node.fromFiles !== true || live.length === 0);
    return {
      subject: node.address,
      verdict: verdict.status === 'unknown' && !isGap ? notApplicable(verdict.reason) : verdict,
    };
  });
}

/** A failure anywhere is a failure; a node that could not be judged is not covered by one that could. */
function combine(statuses: readonly Status[]): Status {
  for (const status of ['fail', 'unknown', 'pass'] as const) if (statuses.includes(status)) return status;
  return 'not-applicable';
}

/** Where the file says what the finding is about: the setting that the remedy changes, that is named, or the user's line. */
function settingPlace(node: NodeFacts | undefined, { fix, evidence, about }: Occurrence): Location | undefined {
  const files = node && maybe(node.files);
  const config = files && maybe(files.config);
  const acl = files && maybe(files.acl);
  const user = acl?.users.find((one) => one.name === about);
  if (node?.fromFiles && user?.line !== undefined && acl?.file) return { file: acl.file.path, line: user.line };
  const line = node?.fromFiles && config?.directives.findLast(({ name, args }) => name === 'user' && args[0] === about);
  if (line) return { file: line.file, line: line.line };
  const changed = fix.find((step) => step.kind === 'config')?.name;
  const named = node?.fromFiles ? evidence.split(/[^\w-]+/) : [];
  const found =
    config?.directives.findLast(({ name }) => name === changed) ??
    config?.directives.findLast(({ name }) => name !== 'user' && named.includes(name)) ??
    (node?.fromFiles && about === 'default'
      ? config?.directives.findLast(
          ({ name, args }) => name === 'requirepass' || (name === 'user' && args[0] === 'default'),
        )
      : undefined);
  if (found) return { file: found.file, line: found.line };
  // A file that was audited as a file: what it leaves out is at its beginning.
  return node?.at;
}

/** Changes are an administrator's: where one is declared, commands are printed for it and not for the audit's user. */
function operatorOptions(node: NodeFacts, roles: Facts['expectations']['roles']): readonly string[] {
  const options = node.cliOptions ?? [];
  const admin = Object.keys(roles).find((name) => roles[name] === 'admin');
  if (admin === undefined || options.length === 0) return options;
  const at = options.indexOf('--user');
  return [...(at === -1 ? options : options.slice(0, at)), '--user', admin];
}

function occurrenceResult(
  check: Check,
  subject: string,
  occurrence: Occurrence,
  node: NodeFacts | undefined,
  roles: Facts['expectations']['roles'],
): OccurrenceResult {
  const at = occurrence.at ?? settingPlace(node, occurrence);
  const place = [occurrence.at?.file ?? subject, occurrence.about ?? (occurrence.at ? occurrence.evidence : '')];
  return {
    subject: occurrence.at ? `${occurrence.at.file}:${occurrence.at.line}` : subject,
    evidence: occurrence.evidence,
    fix: occurrence.fix.map((step) => printFix(step, node === undefined ? [] : operatorOptions(node, roles))),
    ...(at && { at }),
    fingerprint: fingerprintOf(check.id, ...place),
  };
}

/** Judges one check against the facts. Pure: the same facts give the same result. */
export function evaluate(check: Check, facts: Facts): CheckResult {
  const verdicts = verdictsOf(check, facts);
  const score = check.cvss === null ? 0 : cvssScore(check.cvss);
  const occurrences = verdicts.flatMap(({ subject, verdict }) =>
    verdict.status === 'fail'
      ? verdict.occurrences.map((one) =>
          occurrenceResult(
            check,
            subject,
            one,
            facts.nodes.find(({ address }) => address === subject),
            facts.expectations.roles,
          ),
        )
      : [],
  );
  return {
    id: check.id,
    title: check.title,
    area: areas[areaOf(check)],
    status: combine(verdicts.map(({ verdict }) => verdict.status)),
    severity: severityOf(score),
    cvss: check.cvss === null ? null : { score, vector: `CVSS:3.1/${check.cvss}` },
    why: check.why,
    passes: check.passes,
    effort: check.effort ?? 'minutes',
    sources: check.sources ?? [],
    maps: mappings[check.maps],
    occurrences,
    remarks: verdicts.flatMap(({ subject, verdict }) =>
      verdict.status === 'fail'
        ? []
        : [{ subject, text: verdict.status === 'pass' ? verdict.evidence : verdict.reason }],
    ),
    fingerprint: fingerprintOf(check.id, ...new Set(occurrences.map((one) => one.fingerprint))),
  };
}
