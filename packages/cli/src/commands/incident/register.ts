import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withReadOptions } from '../backup/options.js';
import { withExpected, withIncidentFolder, withTarget } from './options.js';

/** `redkeep incident`: evidence, assessment, containment, recovery and report. */
export function register(program: Command, context: Context): void {
  const incident = program
    .command('incident')
    .description('collect evidence, assess, contain, recover and report after an intrusion or a loss of data')
    .addHelpText(
      'after',
      `
In this order:
  redkeep incident collect rediss://cache:6379 …   evidence first: the other steps destroy some
  redkeep incident assess  rediss://cache:6379 …   what was done, who could reach what
  redkeep incident contain rediss://cache:6379 …   stop it; "redkeep incident release" takes it back
  redkeep incident recover --store … --identity …  the moment before the first bad command
  redkeep incident report                          for people and for the regulator

Exit codes: 0 done, 1 indicators were found or a step failed, 2 wrong arguments, 3 not everything could be looked at,
4 this machine is in the way, 5 no connection`,
    );

  withTarget(incident.command('collect').argument('[target]', 'URL or folder of a deployment'))
    .description('read all evidence of servers and their machine; signed, chained, sealed; changes nothing')
    .option('--recipient <age-key...>', 'public keys (age1…) that the evidence is sealed to')
    .option('--with-data', 'also a copy of the data, sealed (forks the server once, as BGSAVE does)')
    .option('--timestamp <url>', 'time-stamping authority (RFC 3161); only a hash is sent to it')
    .option('--evidence-key <file>', 'Ed25519 key that signs (default: the one of "redkeep audit --evidence")')
    .option('--dry-run', 'print what would be asked and read; connect to nothing')
    .option('--json', 'print JSON')
    .action(async (target, options) => (await import('./collect.js')).collectEvidence(context, target, options));

  withIncidentFolder(incident.command('verify').argument('<folder>', 'folder of the evidence'))
    .description('verify evidence: signature, hashes, chain')
    .option('--public-key <file>', "key that is known to be the collector's")
    .option('--fingerprint <hex>', 'its fingerprint (SHA-256)')
    .option('--json', 'print JSON')
    .action(async (folder, options) => (await import('./verify.js')).verifyBundle(context, folder, options));

  incident
    .command('timestamp')
    .argument('<folder>', 'folder of the evidence')
    .description('have evidence timestamped (RFC 3161) that was collected without')
    .requiredOption('--authority <url>', 'time-stamping authority; only a hash is sent to it')
    .option('--json', 'print JSON')
    .action(async (folder, options) => (await import('./collect.js')).timestampBundle(context, folder, options));

  const assess = withExpected(
    withTarget(incident.command('assess').argument('[target]', 'URL or folder of a deployment')),
  )
    .description('look for traces on servers, in their files, their machine and their archive; who could reach what')
    .option('--keys <count>', 'look into the values of at most this many keys; 0 for none', '20000')
    .option('--watch-seconds <seconds>', 'watch for slowness and failures; 0 not to', '3')
    .option('--store <where>', 'also search the archive in this store')
    .option('--source <name>', "the archive's name")
    .option('--state <folder>', 'keys of the host that wrote the archive')
    .option('--identity <file...>', 'files with age identities that open the archive')
    .option('--trust <key...>', 'public keys of the writers to trust')
    .option('--json', 'print JSON');
  assess.action(async (target, options) => (await import('./assess.js')).assessServers(context, target, options));

  withTarget(incident.command('contain').argument('[target]', 'URL or folder of a deployment'))
    .description('stop it: keep files, pause writes, close the default user and named users, end connections')
    .option('--pause-minutes <minutes>', 'how long writes wait at most', '60')
    .option(
      '--firewall',
      "on the server's own machine: only this machine and named addresses reach the port (nft, root)",
    )
    .option('--allow-from <address...>', 'with --firewall: addresses and networks that stay allowed')
    .option('--user-off <name...>', 'users to switch off beside the default user')
    .option('--all-users', 'all users but the own one and those of servers and operators')
    .option('--stop-replication', 'follow no other server any more')
    .option('--kill-replicas', 'also end connections of replicas and archives')
    .option('--without-evidence', 'although nothing was collected')
    .option('--dry-run', 'print what would be done')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (target, options) => (await import('./contain.js')).containServers(context, target, options));

  withTarget(incident.command('release').argument('[target]', 'URL or folder of a deployment'))
    .description('take containment back, the newest step first')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (target, options) => (await import('./contain.js')).releaseServers(context, target, options));

  withIncidentFolder(withReadOptions(incident.command('recover')))
    .description(
      'find the first bad command in the archive, restore the state before it, replay later writes by choice',
    )
    .option('--bad <commands...>', 'commands that were bad, beside the known ones: FLUSHALL, "DEL customer:*"')
    .option('--first-bad <number>', 'restore the state before this one of the bad commands', '1')
    .option('--replay <keys...>', 'later writes to replay: all, none, or patterns that every key of a write must match')
    .option('--skip <numbers...>', 'numbers of later writes that are left out all the same')
    .option('--out <folder>', 'write a data folder for each shard')
    .option('--into <deployment>', 'bring it into the running deployment of this folder, after a safety copy')
    .option('--same-credentials', 'with --into: although its passwords are older than the first bad command')
    .option('--server <program>', 'the server program that loads the data on this machine')
    .option('--work <folder>', 'where data is written meanwhile (default: the temporary folder)')
    .option('--unverified-writer', 'use an archive whose writer is not known')
    .option('-y, --yes', 'ask nothing')
    .action(async (options) => (await import('./recover.js')).recoverData(context, options));

  withIncidentFolder(incident.command('report'))
    .description('write the report: timeline, traces, who could reach what, what was done; for people and regulators')
    .option('--format <format>', 'markdown or html', 'markdown')
    .option('--out <file>', 'write it to a new file (default: standard output)')
    .option('--regulator <name...>', 'also what this regulator asks for, and when: gdpr, ley-1581')
    .option('--json', 'print JSON')
    .action(async (options) => (await import('./report.js')).reportIncident(context, options));

  withIncidentFolder(incident.command('note').argument('<text>', 'what was decided'))
    .description('note a decision, or when you became aware, for the report')
    .option('--aware-at <time>', 'when you became aware: the deadlines of regulators begin then')
    .option('--json', 'print JSON')
    .action(async (text, options) => (await import('./report.js')).noteDecision(context, text, options));
}
