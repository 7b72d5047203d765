import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { chosenNodes, openDelivery } from '../open-delivery.js';

interface LogsOptions extends DirOption {
  readonly follow?: boolean;
  readonly lines: string;
  readonly json?: boolean;
}

/** `redkeep logs`: the ends of the servers' logs, each line under its node's name. */
export function register(program: Command, context: Context): void {
  const command = withDirOption(program.command('logs'))
    .argument('[nodes...]', 'these nodes only')
    .description("show the servers' logs")
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('-n, --lines <count>', 'lines of each log', '20');
  withHelp(command, {
    examples: [
      ['redkeep logs --follow', 'all logs, as they are written'],
      ['redkeep logs node-1 --lines 100', 'the last 100 lines of one node'],
    ],
  }).action((names: string[], options: LogsOptions) => logs(context, names, options));
}

async function logs(context: Context, names: readonly string[], options: LogsOptions): Promise<void> {
  const { terminal, signal } = context;
  const delivery = await openDelivery(context, options.dir);
  const lines = Number(options.lines);
  if (!Number.isInteger(lines) || lines < 0) {
    throw new CliError('REDKEEP_USAGE', `--lines ${options.lines} is not a number of lines.`, 'Give a whole number.');
  }
  const follow = options.follow === true;
  if (follow && options.json === true) {
    throw new CliError(
      'REDKEEP_USAGE',
      '--json prints one document, and --follow has no end.',
      'Leave out one of them.',
    );
  }
  const show = (node: string) => (line: string) =>
    // Control characters of a log line do not reach the terminal.
    terminal.line(`${terminal.style('cyan', node)} ${line.replace(/\p{Cc}/gu, '\ufffd')}`);
  const nodes = chosenNodes(delivery, names);
  const read = (node: (typeof nodes)[number]) =>
    delivery.logs(node, { lines, follow, signal, onLine: show(node.name) });
  if (follow) await Promise.all(nodes.map(read));
  else for (const node of nodes) await read(node);
}
