import { type Command, InvalidArgumentError } from 'commander';
import type { Context } from '../../context.js';
import { withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { rotateAllCommand } from './all.js';
import { rotateAuthorityCommand, rotateCertificatesCommand } from './certificates.js';
import { rotateEncryptionKeysCommand } from './encryption-keys.js';
import { rotateStatus } from './status.js';
import { rotateUsersCommand } from './users.js';

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 86_400)
    throw new InvalidArgumentError('A whole number of seconds from 0 to 86400 is needed.');
  return value;
}

const resumeText = 'go on with a rotation that has not ended, and begin none';

/** `redkeep rotate`: new secrets for servers and applications that go on working meanwhile. */
export function register(program: Command, context: Context): void {
  const rotate = program
    .command('rotate')
    .description('rotate passwords, certificates, the private CA and encryption keys while applications work');
  const users = withDirOption(rotate.command('users'))
    .description('give users new passwords on every node: new beside old, handed out, old removed, proved on the wire')
    .argument('[names...]', 'users (default: those that are due)')
    .option('--all', 'every user, due or not')
    .option('--grace <seconds>', 'how long applications have to take the new password', seconds, 60)
    .option('--watch <seconds>', 'how long failed logins are watched after the old one is gone', seconds, 30)
    .option('--secrets <file>', 'where new passwords are put: files, a command, Vault (YAML or JSON)')
    .option('--emergency', 'the old password is known to others: no grace, no rescue, sessions end')
    .option('--resume', resumeText)
    .option(
      '--abort',
      'take an unfinished rotation back, as long as the old passwords are accepted; waits for --grace, too',
    )
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
    .option('--resume', resumeText)
    .option('--abort', 'take an unfinished rotation back: the certificates of before are served again')
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  withHelp(certificates, {
    examples: [['redkeep rotate certificates --all --yes', 'every certificate of the private CA']],
  }).action((names: string[], options) => rotateCertificatesCommand(context, names, options));
  const ca = withDirOption(rotate.command('ca'))
    .description('replace the private CA: trust both, issue everything again, trust the new one only')
    .option('--grace <seconds>', 'how long clients have, after each of the first two', seconds, 600)
    .option('--resume', resumeText)
    .option('--abort', 'take an unfinished rotation back, as long as the old CA is trusted')
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
  const keys = withDirOption(rotate.command('encryption-keys'))
    .description(
      "give guard's key ring a new key, seal everything anew, and remove the old keys when nothing needs them",
    )
    .option('--encryption <file>', 'what is sealed, and with which key file (default: encryption.yaml in the folder)')
    .option('--grace <seconds>', 'how long applications have to read the ring, each time it changes', seconds, 600)
    .option('--watch <seconds>', 'how long values under old keys are looked for after they are gone', seconds, 30)
    .option('--secrets <file>', 'where the ring is put, too: files, a command, Vault, AWS (YAML or JSON)')
    .option('--resume', resumeText)
    .option('--abort', 'take an unfinished rotation back, as long as the old keys are in the ring')
    .option('-n, --dry-run', 'count what is sealed and show what would be done')
    .option('-y, --yes', 'ask nothing');
  withHelp(keys, {
    examples: [
      ['redkeep rotate encryption-keys --dry-run', 'how many values are sealed'],
      ['redkeep rotate encryption-keys --yes', 'ten minutes to be able to open, ten to seal, then the old keys go'],
    ],
    findings: 'something still needs an old key, which therefore stays',
  }).action((options) => rotateEncryptionKeysCommand(context, options));
  const all = withDirOption(rotate.command('all'))
    .description('rotate every password, the CA with every certificate, and encryption keys, one after the other')
    .option('--due', 'only what is past its age: passwords, certificates, the CA, encryption keys; for schedules')
    .option('--grace <seconds>', 'how long applications have, each time', seconds, 600)
    .option('--watch <seconds>', 'how long old secrets are watched for after they are gone', seconds, 30)
    .option('--secrets <file>', 'where new passwords and key rings are put, too (YAML or JSON)')
    .option('--encryption <file>', 'what is sealed (default: encryption.yaml in the folder, where it is there)')
    .option('--emergency', 'secrets are known to others: no grace for passwords and certificates, sessions end')
    .option('--resume', resumeText)
    .option('--abort', 'take the part back that has not ended; what has ended stays')
    .option('-n, --dry-run', 'show what would be done')
    .option('-y, --yes', 'ask nothing');
  withHelp(all, {
    examples: [
      ['redkeep rotate all --yes', 'everything; run again after an interruption, it goes on'],
      ['redkeep rotate all --due --yes', 'what a timer runs: nothing, as long as nothing is due'],
      ['redkeep rotate all --emergency --yes', 'after a break-in'],
    ],
    findings: 'a part has not ended: an old password or key is still in use',
  }).action((options) => rotateAllCommand(context, options));
  const status = withDirOption(rotate.command('status')).description(
    'show the age of every password and certificate, and rotations that have not ended',
  );
  withHelp(status, {
    examples: [['redkeep rotate status --json', 'for scripts']],
    findings: 'something is overdue or has not ended',
  }).action((options) => rotateStatus(context, options));
}
