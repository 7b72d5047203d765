import { printAuditorAcl } from '../../audit/auditor-acl.js';
import type { Facts } from '../../audit/facts/facts.js';
import { gather } from '../../audit/gather/gather.js';
import { openSession } from '../../audit/gather/session.js';
import { renderTerminal } from '../../audit/render/terminal.js';
import { compareResults, newSince } from '../../audit/verdict/compare.js';
import { atLeast, type Severity, severities } from '../../audit/verdict/cvss.js';
import { judge } from '../../audit/verdict/judge.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { version } from '../../version.js';
import { renderComparison } from './compare.js';
import { type EvidenceOptions, writeEvidence } from './evidence.js';
import { fix } from './fix.js';
import { readCveData, readOperations, readReport, readWaivers } from './read-reports.js';
import { type ReportOptions, writeReports } from './reports.js';
import { resolveTarget, type Target, type TargetOptions } from './target.js';

export interface AuditOptions extends TargetOptions, ReportOptions, EvidenceOptions {
  readonly json?: boolean;
  readonly baseline?: string;
  readonly waivers?: string;
  readonly printAcl?: boolean;
  readonly fix?: boolean;
  readonly yes?: boolean;
  readonly failOn: string;
  readonly sampleKeys: string;
  readonly cveData?: string;
  readonly records?: string;
  readonly follow: boolean;
}

/** Looks, judges, tells, and mends where that was asked for. */
export async function audit(context: Context, targets: readonly string[], options: AuditOptions): Promise<void> {
  if (options.printAcl) return context.terminal.line(printAuditorAcl());
  const threshold = severityOption(options.failOn);
  const baseline = options.baseline === undefined ? undefined : await readReport(context, options.baseline);
  const first = await runAudit(context, targets, options);
  if (options.fix === true && options.json !== true) renderTerminal(context.terminal, first.result);
  const changed = options.fix === true && (await fix(context, first, options.yes === true));
  // What the fixes did is not believed but looked at: the reports are of the second audit.
  const audited = changed ? await runAudit(context, targets, options) : first;
  const { result } = audited;
  await writeReports(context, result, options);
  await writeEvidence(context, audited, options);
  if (options.json) context.terminal.json(result);
  else if (changed) renderComparison(context.terminal, compareResults(first.result, result));
  else if (!options.fix) renderTerminal(context.terminal, result);
  const counted = baseline ? newSince(baseline, result) : result.findings;
  if (baseline) context.terminal.note(`${counted.length} findings are new since ${baseline.observedAt}`);
  context.exitCode = exitCodeOf({ ...result, findings: counted }, threshold);
}

export interface Audited {
  readonly result: AuditResult;
  readonly facts: Facts;
  readonly target: Target;
}

/** Gathers and judges; touches nothing. */
export async function runAudit(context: Context, targets: readonly string[], options: AuditOptions): Promise<Audited> {
  const target = await resolveTarget(context, targets, options);
  const started = performance.now();
  const { facts, unreachable } = await gather({
    endpoints: target.endpoints,
    expectations: target.expectations,
    openSession,
    now: context.clock.now(),
    sampleKeys: wholeNumber(options.sampleKeys, '--sample-keys'),
    follow: options.follow,
    ...(options.records !== undefined && { operations: await readOperations(context, options.records) }),
    ...(target.configFile !== undefined && { configFile: target.configFile }),
    ...(target.project !== undefined && { project: target.project }),
    ...(options.cveData !== undefined && { cves: await readCveData(context, options.cveData) }),
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
    ...(options.waivers !== undefined && { waivers: await readWaivers(context, options.waivers) }),
  });
  return { result, facts, target };
}

function severityOption(text: string): Severity | 'never' {
  if (text === 'never' || (severities as readonly string[]).includes(text)) return text as Severity | 'never';
  throw new CliError(
    'REDKEEP_USAGE',
    `--fail-on ${text} is no severity.`,
    `Use one of ${severities.join(', ')} or never.`,
  );
}

export function wholeNumber(text: string, option: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new CliError(
    'REDKEEP_USAGE',
    `${option} ${text} is no whole number.`,
    `Give a number, for example ${option} 100.`,
  );
}

/** Findings weigh more than gaps: an audit that saw a hole says so even when it could not see everything. */
function exitCodeOf(result: AuditResult, threshold: Severity | 'never'): ExitCode {
  if (threshold !== 'never' && result.findings.some(({ severity }) => atLeast(severity, threshold)))
    return ExitCode.Findings;
  const blind = result.checks.some(({ status, severity }) => status === 'unknown' && severity === 'critical');
  return blind || result.nodes.some(({ reachable }) => !reachable) ? ExitCode.Incomplete : ExitCode.Ok;
}
