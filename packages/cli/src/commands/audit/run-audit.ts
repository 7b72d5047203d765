import { gather } from '../../audit/gather/gather.js';
import { openSession } from '../../audit/gather/session.js';
import { judge } from '../../audit/verdict/judge.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { version } from '../../version.js';
import type { Audited } from './audited.js';
import type { EvidenceOptions } from './evidence.js';
import { readCveData, readOperations, readWaivers } from './read-reports.js';
import type { ReportOptions } from './reports.js';
import { declaredRoles, resolveTarget, type TargetOptions } from './target.js';
import { newestCveData } from './update-cves.js';

export interface AuditOptions extends TargetOptions, ReportOptions, EvidenceOptions {
  readonly json?: boolean;
  readonly baseline?: string;
  readonly waivers?: string;
  readonly printAcl?: boolean;
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly allowDisconnect?: boolean;
  readonly failOn: string;
  readonly sampleKeys: string;
  readonly cveData?: string;
  readonly records?: string;
  readonly follow: boolean;
  /** A file of many deployments, audited into one overview. */
  readonly inventory?: string;
  readonly history?: string;
  readonly concurrency?: string;
}

/** Gathers and judges; touches nothing. */
export async function runAudit(context: Context, targets: readonly string[], options: AuditOptions): Promise<Audited> {
  const accepted = options.waivers === undefined ? undefined : await readWaivers(context, options.waivers);
  const target = await resolveTarget(context, targets, options);
  const started = performance.now();
  const { facts, unreachable } = await gather({
    endpoints: target.endpoints,
    expectations: {
      ...target.expectations,
      roles: { ...target.expectations.roles, ...accepted?.roles, ...declaredRoles(options) },
    },
    openSession,
    now: context.clock.now(),
    sampleKeys: wholeNumber(options.sampleKeys, '--sample-keys'),
    follow: options.follow,
    ...(await recorded(context, options.records, target.records)),
    ...(target.serverFiles !== undefined && { serverFiles: target.serverFiles }),
    ...(target.project !== undefined && { project: target.project }),
    ...(target.folders !== undefined && { folders: target.folders }),
    cves: await (options.cveData === undefined ? newestCveData(context) : readCveData(context, options.cveData)),
  });
  if (facts.nodes.length === 0 && unreachable[0]) {
    throw new CliError(
      'REDKEEP_CONNECTION_FAILED',
      `No server answers: ${unreachable.map(({ address, reason }) => `${address}: ${reason}`).join('; ')}.`,
      'Start it ("redkeep up"), or name another: redkeep audit rediss://HOST:PORT --ca FILE.',
    );
  }
  const result = judge(facts, {
    target: target.label,
    version,
    durationMs: Math.round(performance.now() - started),
    unreachable,
    notes: target.notes,
    ...(accepted && { waivers: accepted.waivers }),
  });
  return { result, facts, target };
}

/** The records that were named, else those that the deployment keeps of its rotations, backups and restore tests. */
async function recorded(context: Context, named: string | undefined, own: string | undefined) {
  const file = named ?? (own !== undefined && (await readIfPresent(own)) !== undefined ? own : undefined);
  return file === undefined ? {} : { operations: await readOperations(context, file) };
}

export function wholeNumber(text: string, option: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new CliError(
    'REDKEEP_USAGE',
    `${option} ${text} is not a whole number.`,
    `Give a number, for example ${option} 100.`,
  );
}
