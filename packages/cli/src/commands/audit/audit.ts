import path from 'node:path';
import type { Command } from 'commander';
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
import { compare, renderComparison } from './compare.js';
import { type EvidenceOptions, type VerifyOptions, verifyEvidence, writeEvidence } from './evidence.js';
import { fix, undo } from './fix.js';
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

/** How a server is reached; the same flags wherever a command connects. */
function withAccess(command: Command): Command {
  return command
    .option('-d, --dir <folder>', "the deployment's folder (default: here, else ./redkeep)")
    .option('--user <name>', "the audit's user")
    .option('--password-file <file>', "file with the user's password (or the environment: REDKEEP_PASSWORD)")
    .option('--ca <file>', 'CA certificate the servers must verify against')
    .option('--cert <file>', 'client certificate')
    .option('--key <file>', "the client certificate's key")
    .option('--timeout <ms>', 'longest wait for any answer', '3000');
}

/** `redkeep audit`: looks at a deployment from every side that can be reached, and says what it is worth. */
export function register(program: Command, context: Context): void {
  const command = withAccess(
    program
      .command('audit')
      .description('look at a server, its files and its clients, and give one verdict with its reasons')
      .argument(
        '[target...]',
        'URL, folder (deployment or sources), redis.conf, Compose or Kubernetes YAML, .service, package-lock.json (default: the deployment here, else REDIS_URL)',
      ),
  )
    .option('--name <name...>', 'further names clients use to reach the server')
    .option(
      '--profile <profile>',
      'development, production or regulated (default: what the deployment says, else production)',
    )
    .option('--role <user=role...>', 'what a user is for, where its name does not say it')
    .option('--data <role>', 'what the data is: cache or store')
    .option('--sample-keys <count>', 'look at the names and expiry of this many keys', '0')
    .option('--no-follow', 'look only at the servers named, not at the cluster or Sentinel set they belong to')
    .option('--records <file>', 'what people and timers did: password changes, backups, monitoring (JSON or YAML)')
    .option('--cve-data <file>', 'newer CVE data')
    .option(
      '--fail-on <severity>',
      'exit with 1 from this severity on: critical, high, medium, low, info or never',
      'high',
    )
    .option('--json', 'print the report as JSON')
    .option('--html <file>', 'write the report as a page')
    .option('--markdown <file>', 'write the report as Markdown')
    .option('--sarif <file>', 'write findings for code scanning (SARIF 2.1.0)')
    .option('--junit <file>', 'write checks as test cases (JUnit XML)')
    .option('--csv <file>', 'write one row a check and subject')
    .option('--output <folder>', 'write report.html and report.json into a folder')
    .option('--evidence <folder>', 'write report and redacted facts into a new folder, hashed and signed')
    .option(
      '--evidence-key <file>',
      'Ed25519 key (PEM) that signs; made where there is none',
      path.join('.redkeep', 'evidence-key.pem'),
    )
    .option('--baseline <report>', 'an earlier report.json: only findings it does not have make the exit code 1')
    .option('--waivers <file>', 'accepted risks with owner, reason and expiry (JSON or YAML)')
    .option('--fix', 'show what can be mended by commands that can be undone, ask, and do it')
    .option('-y, --yes', 'do not ask (with --fix)')
    .option('--print-acl', 'print the least-privileged user an audit needs, and end')
    .action((targets: string[], options: AuditOptions) => audit(context, targets, options));
  withAccess(
    command
      .command('undo')
      .description('take back what --fix changed, newest change first')
      .argument('[target...]', 'the servers that were changed (default: the deployment here, else REDIS_URL)'),
  ).action((targets: string[], _: unknown, own: Command) => undo(context, targets, own.optsWithGlobals()));
  command
    .command('verify <folder>')
    .description('whether evidence is as it was signed')
    .option('--public-key <file>', "the signer's public key (PEM)")
    .option('--fingerprint <hex>', "SHA-256 of the signer's public key, as audit --evidence prints it")
    .action((folder: string, options: VerifyOptions) => verifyEvidence(context, folder, options));
  command
    .command('compare <before> <after>')
    .description('what changed between two report.json files')
    .option('--json', 'print JSON')
    .action((before: string, after: string, _: unknown, own: Command) =>
      compare(context, before, after, own.optsWithGlobals()),
    );
}

async function audit(context: Context, targets: readonly string[], options: AuditOptions): Promise<void> {
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
