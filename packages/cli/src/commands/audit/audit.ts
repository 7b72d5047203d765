import { printAuditorAcl } from '../../audit/auditor-acl.js';
import { renderTerminal } from '../../audit/render/terminal.js';
import { compareResults, newSince } from '../../audit/verdict/compare.js';
import { atLeast, type Severity, severities } from '../../audit/verdict/cvss.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { renderComparison } from './compare.js';
import { writeEvidence } from './evidence.js';
import { fix } from './fix.js';
import { readReport, rememberRoles } from './read-reports.js';
import { writeReports } from './reports.js';
import { type AuditOptions, runAudit } from './run-audit.js';
import { declaredRoles } from './target.js';

/** Gathers facts, judges, reports, and fixes where that was asked for. */
export async function audit(context: Context, targets: readonly string[], options: AuditOptions): Promise<void> {
  if (options.printAcl) return context.terminal.line(printAuditorAcl());
  const threshold = severityOption(options.failOn);
  if (options.inventory !== undefined) {
    const { auditInventory } = await import('./inventory/audit-inventory.js');
    return auditInventory(context, targets, options, threshold);
  }
  const baseline = options.baseline === undefined ? undefined : await readReport(context, options.baseline);
  const first = await runAudit(context, targets, options);
  const declared = declaredRoles(options);
  if (options.waivers !== undefined && (await rememberRoles(context, options.waivers, declared)))
    context.terminal.note(`remembered the roles in ${options.waivers}`);
  if (options.fix === true && options.json !== true) renderTerminal(context.terminal, first.result);
  const changed =
    options.fix === true &&
    (await fix(context, first, {
      yes: options.yes === true,
      allowDisconnect: options.allowDisconnect === true,
    }));
  // Audits again after the fixes and reports that result.
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

function severityOption(text: string): Severity | 'never' {
  if (text === 'never' || (severities as readonly string[]).includes(text)) return text as Severity | 'never';
  throw new CliError(
    'REDKEEP_USAGE',
    `--fail-on ${text} is not a severity.`,
    `Use one of ${severities.join(', ')} or never.`,
  );
}

/** Findings weigh more than gaps: an audit that saw a hole says so even when it could not see everything. */
function exitCodeOf(result: AuditResult, threshold: Severity | 'never'): ExitCode {
  if (threshold !== 'never' && result.findings.some(({ severity }) => atLeast(severity, threshold)))
    return ExitCode.Findings;
  const blind = result.checks.some(({ status, severity }) => status === 'unknown' && severity === 'critical');
  return blind || result.nodes.some(({ reachable }) => !reachable) ? ExitCode.Incomplete : ExitCode.Ok;
}
