import { open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { CliError } from '../../errors.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { loadLocal } from '../up/up.js';

interface LogsOptions extends DirOption {
  readonly follow?: boolean;
  readonly lines: string;
}

const pollMilliseconds = 250;
/** The most that is read of a log's end: enough for any number of lines a person asks for. */
const tailBytes = 1024 * 1024;

/** `redkeep logs`: the ends of the servers' logs, each line under its node's name. */
export function register(program: Command, context: Context): void {
  withDirOption(program.command('logs'))
    .argument('[nodes...]', 'these nodes only')
    .description("show the servers' logs")
    .option('-f, --follow', 'go on until Ctrl-C')
    .option('-n, --lines <count>', 'lines of each log', '20')
    .action((names: string[], options: LogsOptions) => logs(context, names, options));
}

async function logs(context: Context, names: readonly string[], options: LogsOptions): Promise<void> {
  const loaded = await loadLocal(context, options.dir);
  const lines = Number(options.lines);
  if (!Number.isInteger(lines) || lines < 0) {
    throw new CliError('REDKEEP_USAGE', `--lines ${options.lines} is no number of lines.`, 'Give a whole number.');
  }
  const nodes = chosen(loaded, names);
  const ends = new Map<string, number>();
  for (const node of nodes) {
    const { text, end } = await readFrom(loaded.locate(node.logFile), -tailBytes);
    ends.set(node.name, end);
    print(context, node, lines === 0 ? [] : text.trimEnd().split('\n').slice(-lines));
  }
  while (options.follow && !context.signal.aborted) {
    await delay(pollMilliseconds);
    for (const node of nodes) {
      const { text, end } = await readFrom(loaded.locate(node.logFile), ends.get(node.name) ?? 0);
      ends.set(node.name, end);
      if (text !== '') print(context, node, text.trimEnd().split('\n'));
    }
  }
}

function chosen({ deployment }: LoadedDeployment, names: readonly string[]): readonly DeploymentNode[] {
  const unknown = names.find((name) => !deployment.nodes.some((node) => node.name === name));
  if (unknown !== undefined) {
    const known = deployment.nodes.map(({ name }) => name).join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `There is no node "${unknown}".`, `The nodes are: ${known}.`);
  }
  return names.length === 0 ? deployment.nodes : deployment.nodes.filter(({ name }) => names.includes(name));
}

/** Control characters of a log line do not reach the terminal. */
function print({ terminal }: Context, node: DeploymentNode, lines: readonly string[]): void {
  for (const line of lines) {
    if (line !== '') terminal.line(`${terminal.style('cyan', node.name)} ${line.replace(/\p{Cc}/gu, '�')}`);
  }
}

/** Reads from an offset, or a negative one from the end, to the end of the file; nothing where there is no file. */
async function readFrom(file: string, offset: number): Promise<{ text: string; end: number }> {
  const size = await stat(file)
    .then((found) => found.size)
    .catch(() => 0);
  const start = offset < 0 ? Math.max(0, size + offset) : offset > size ? 0 : offset;
  if (size === start) return { text: '', end: size };
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return { text: buffer.toString('utf8', 0, bytesRead), end: start + bytesRead };
  } finally {
    await handle.close();
  }
}
