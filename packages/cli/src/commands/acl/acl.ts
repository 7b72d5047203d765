import { type Command, Option } from 'commander';
import type { Context } from '../../context.js';
import { withDirOption } from '../dir-option.js';
import { aclTest } from './acl-test.js';
import { aclApply } from './apply.js';
import { aclDiff } from './diff.js';
import { aclExplain } from './explain.js';
import { type AclKeyspacesOptions, aclKeyspaces } from './keyspaces.js';
import { aclLearn, learningSources } from './learn.js';
import { aclList } from './list.js';

/** `redkeep acl`: who may do what, as written and as it is. */
export function register(program: Command, context: Context): void {
  const acl = program
    .command('acl')
    .description('list, explain, test, compare, learn, print and apply what users may do');
  withDirOption(acl.command('list'))
    .description('the users and their roles')
    .option('--json', 'print JSON')
    .action((options) => aclList(context, options));
  withDirOption(acl.command('explain'))
    .argument('<user>')
    .description('say in words what a user can do, and ask the server whether it is so')
    .action((user: string, options) => aclExplain(context, user, options));
  withDirOption(acl.command('test'))
    .description('try allowed and denied commands for every user on every running node (nothing is run)')
    .option('--json', 'print JSON')
    .action((options) => aclTest(context, options));
  withDirOption(acl.command('diff'))
    .description('compare the ACL files with what each node runs with')
    .option('--json', 'print JSON')
    .action((options) => aclDiff(context, options));
  withDirOption(acl.command('learn'))
    .argument('<user>')
    .description('watch what an application runs and propose the least it needs')
    .addOption(
      new Option('--from <source>', 'MONITOR, the counters of the server, or what a client recorded')
        .choices(learningSources)
        .default('monitor'),
    )
    .option('--file <file>', 'commands that a client recorded, a line each (--from client)')
    .option('--seconds <count>', 'how long to watch (1 to 3600)', '30')
    .option('--consent-to-monitor', 'MONITOR slows the server and shows every command with its values')
    .option('--accept-unattributed <percent>', 'propose although so much could not be attributed to a user (default 5)')
    .action((user: string, options) => aclLearn(context, user, options));
  acl
    .command('keyspaces')
    .argument('<module>')
    .description(
      "print ACL lines for an application's key spaces; runs the module, which exports what defineKeyspaces made",
    )
    .option('--cluster', 'also what clients of a cluster ask for')
    .option('--password-file <user=file...>', "files with the users' passwords; only their hashes are printed")
    .action((module: string, options: AclKeyspacesOptions) => aclKeyspaces(context, module, options));
  withDirOption(acl.command('apply'))
    .description('bring the running nodes in line with the ACL files, without a restart')
    .option('--undo <folder>', 'put back what an earlier apply replaced')
    .option('-y, --yes', 'ask nothing')
    .action((options) => aclApply(context, options));
}
