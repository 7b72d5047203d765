import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { withDirOption } from '../dir-option.js';
import { certsCheck } from './check.js';
import { certsImport } from './import-certificate.js';
import { certsRenew } from './renew.js';
import { certsShow } from './show.js';
import { certsTrust } from './trust.js';

/** `redkeep certs`: the private CA and what it issued. */
export function register(program: Command, context: Context): void {
  const certs = program.command('certs').description('show, check, issue, renew, import and trust certificates');
  withDirOption(certs.command('show'))
    .description('the CA and its certificates, as they are on disk')
    .option('--json', 'print JSON')
    .action((options) => certsShow(context, options));
  withDirOption(certs.command('check'))
    .description('expiry on disk and as served, and whether the two are the same')
    .option('--json', 'print JSON')
    .action((options) => certsCheck(context, options));
  withDirOption(certs.command('renew'))
    .description('issue again what is due (two thirds of the lifetime) and have running servers take it')
    .option('--all', 'every certificate, due or not')
    .action((options) => certsRenew(context, [], options));
  withDirOption(certs.command('issue'))
    .description('issue these certificates again, with new keys')
    .argument('<names...>')
    .action((names: string[], options) => certsRenew(context, names, options));
  withDirOption(certs.command('import'))
    .description("use a certificate of another CA, for example Let's Encrypt, for a node")
    .argument('<node>')
    .requiredOption('--cert <file>', 'certificate and chain, PEM')
    .requiredOption('--key <file>', 'private key, PEM')
    .requiredOption('--ca <file>', 'certificate of the CA that clients shall trust, PEM')
    .action((node: string, options) => certsImport(context, node, options));
  withDirOption(certs.command('trust'))
    .description('add a CA to those that servers and clients trust, for a change of CA; without a file: print the CA')
    .argument('[file]', 'certificate of a CA, PEM')
    .action((file: string | undefined, options) => certsTrust(context, file, options));
}
