import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { version } from '../../version.js';
import { withHelp } from '../help.js';

/** `redkeep version`: the version of the tool and of the Node.js that runs it. */
export function register(program: Command, { terminal }: Context): void {
  withHelp(program.command('version').description('print the version'), {
    examples: [['redkeep version', 'the versions of redkeep and Node.js']],
  }).action((options: { json?: boolean }) => {
    if (options.json) return terminal.json({ redkeep: version, node: process.versions.node });
    terminal.line(`redkeep ${version} (Node.js ${process.versions.node})`);
  });
}
