import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../../context.js';
import { withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { rotateAuthorityCommand, rotateCertificatesCommand } from './certificates.js';
import { rotateStatus } from './status.js';
import { rotateUsersCommand } from './users.js';

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 86_400)
    throw new InvalidArgumentError('A whole number of seconds from 0 to 86400 is needed.');
  return value;
}

/** `redkeep rotate`: new secrets for servers and applications that go on working meanwhile. */
export function register(program: Command, context: Context): void {
  const rotate = program
    .command('rotate')
    .description('rotate passwords, certificates and the private CA while applications work');
  const users = withDirOption(rotate.command('users'))
    .description('give users new passwords on every node: new beside old, handed out, old removed, proved on the wire')
    .argument('[names...]', 'users (default: those that are due)')
    .option('--all', 'every user, due or not')
    .option('--grace <seconds>', 'how long applications have to take the new password', seconds, 60)
    .option('--watch <seconds>', 'how long failed logins are watched after the old one is gone', seconds, 30)
    .option('--secrets <file>', 'where new passwords are put: files, a command, Vault, AWS (YAML or JSON)')
    .option('--emergency', 'the old password is known to others: no grace, no rescue, sessions end')
    .option('--abort', 'take an unfinished rotation back, as long as the old passwords are accepted')
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  withHelp(users, {
    examples: [
      ['redkeep rotate users --dry-run', 'which users are due, and the steps'],
      ['redkeep rotate users shop --yes', 'one user; run again after an interruption, it goes on'],
      ['redkeep rotate users --all --emergency --yes', 'everything at once, when passwords have leaked'],
    ],
    findings: 'somebody still uses an old password, which is therefore still accepted',
  }).action((names: string[], options) => rotateUsersCommand(context, names, options));
  const certificates = withDirOption(rotate.command('certificates'))
    .description('issue certificates again, with new keys, and have servers take theirs')
    .argument('[names...]', 'certificates (default: those past two thirds of their life)')
    .option('--all', 'every certificate, due or not')
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  withHelp(certificates, {
    examples: [['redkeep rotate certificates --all --yes', 'every certificate of the private CA']],
  }).action((names: string[], options) => rotateCertificatesCommand(context, names, options));
  const ca = withDirOption(rotate.command('ca'))
    .description('replace the private CA: trust both, issue everything again, trust the new one only')
    .option('--grace <seconds>', 'how long clients have, after each of the first two', seconds, 600)
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  withHelp(ca, {
    examples: [
      [
        'redkeep rotate ca --grace 3600 --yes',
        'an hour for clients to read the new CA, and another for new certificates',
      ],
    ],
  }).action((options) => rotateAuthorityCommand(context, options));
  const status = withDirOption(rotate.command('status')).description(
    'show the age of every password and certificate, and rotations that have not ended',
  );
  withHelp(status, {
    examples: [['redkeep rotate status --json', 'for scripts']],
    findings: 'something is overdue or has not ended',
  }).action((options) => rotateStatus(context, options));
}
