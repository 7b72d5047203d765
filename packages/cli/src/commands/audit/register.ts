import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withHelp } from '../help.js';
import { audit } from './audit.js';
import { compare } from './compare.js';
import { type VerifyOptions, verifyEvidence } from './evidence.js';
import { undo } from './fix.js';
import type { AuditOptions } from './run-audit.js';

/** How a server is reached; the same flags wherever a command connects. */
function withAccess(command: Command): Command {
  return command
    .option('-d, --dir <folder>', "the deployment's folder (default: here, else ./redkeep)")
    .option('--user <name>', "the audit's user")
    .option('--password-file <file>', "file with the user's password (or the environment: REDKEEP_PASSWORD)")
    .option('--ca <file>', 'CA certificate the servers must verify against')
    .option('--cert <file>', 'client certificate')
    .option('--key <file>', "the client certificate's key")
    .option('--roles <user=role...>', 'what users are for; audit --waivers FILE remembers them there')
    .option('--timeout <ms>', 'longest wait for any answer', '10000');
}

/** `redkeep audit`: looks at a deployment from every side that can be reached, and says what it is worth. */
export function register(program: Command, context: Context): void {
  const command = withAccess(
    program
      .command('audit')
      .description('audit a server, its files and its clients, and give one grade with its reasons')
      .argument(
        '[target...]',
        'URL, Unix socket, folder (deployment or sources), redis.conf, Compose or Kubernetes YAML, .service, package-lock.json (default: the deployment here, else REDIS_URL)',
      ),
  )
    .option('--name <name...>', 'further names clients use to reach the server')
    .option(
      '--profile <profile>',
      'development, production or regulated (default: what the deployment says, else production)',
    )
    .option('--data <role>', 'what the data is: cache or store')
    .option('--sample-keys <count>', 'look at the names and expiry of this many keys', '0')
    .option('--no-follow', 'audit only the servers named, not the rest of their cluster or Sentinel set')
    .option('--records <file>', 'records of password changes, backups and monitoring (JSON or YAML)')
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
      'Ed25519 key (PEM) that signs; made where there is none (default: ~/.config/redkeep/evidence-key.pem)',
    )
    .option('--baseline <report>', 'an earlier report.json: only findings it does not have make the exit code 1')
    .option('--waivers <file>', 'accepted risks with owner, reason and expiry, and roles of users (JSON or YAML)')
    .option('--fix', 'apply the fixes that can be undone, after asking')
    .option('-y, --yes', 'do not ask (with --fix)')
    .option('--allow-disconnect', 'with --fix: also make changes that cut off clients connected now')
    .option('--inventory <file>', 'audit every deployment of this file (YAML or JSON) into one overview')
    .option('--concurrency <count>', 'with --inventory: deployments audited at a time', '4')
    .option('--history <file>', 'with --inventory: what earlier audits found (default: INVENTORY.history.jsonl)')
    .option('--print-acl', 'print the least-privileged user an audit needs')
    .action((targets: string[], options: AuditOptions) => audit(context, targets, options));
  withHelp(command, {
    examples: [
      ['redkeep audit', 'audit the deployment in this folder'],
      [
        'redkeep audit rediss://cache.internal:6379 --ca ca.crt --user auditor --password-file auditor.password',
        'audit a server, and the rest of its cluster or Sentinel set',
      ],
      ['redkeep audit --inventory fleet.yaml --output audits', 'audit many deployments into one overview'],
    ],
    findings: 'findings at or above --fail-on',
    incomplete: 'a critical check could not be made, or a server or deployment could not be audited',
  });
  withAccess(
    command
      .command('undo')
      .description('undo what --fix changed, newest change first')
      .argument('[target...]', 'the servers that were changed (default: the deployment here, else REDIS_URL)'),
  ).action((targets: string[], _: unknown, own: Command) => undo(context, targets, own.optsWithGlobals()));
  command
    .command('update-cves')
    .description('fetch newer data about vulnerabilities of servers, for later audits of this user')
    .option('--from <url>', 'a mirror that answers as https://api.osv.dev/v1/query does')
    .action(async (options: { readonly from?: string }) =>
      (await import('./update-cves.js')).updateCves(context, options),
    );
  command
    .command('verify <folder>')
    .description('check that evidence is as it was signed')
    .option('--public-key <file>', "the signer's public key (PEM)")
    .option('--fingerprint <hex>', "SHA-256 of the signer's public key, as audit --evidence prints it")
    .action((folder: string, options: VerifyOptions) => verifyEvidence(context, folder, options));
  command
    .command('compare <before> <after>')
    .description('compare two report.json files')
    .option('--json', 'print JSON')
    .action((before: string, after: string, _: unknown, own: Command) =>
      compare(context, before, after, own.optsWithGlobals()),
    );
}
