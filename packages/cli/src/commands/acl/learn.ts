import type { RedisClient } from 'redkeep';
import { observeCommands } from '../../acl/observe-commands.js';
import { type Proposal, proposeRules } from '../../acl/propose-rules.js';
import type { Context } from '../../context.js';
import { dataNodes, userOf } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { targetOf } from '../../engine/connect-node.js';
import { endpointOf } from '../../engine/local-servers.js';
import { CliError } from '../../errors.js';
import type { DirOption } from '../dir-option.js';
import { asAdmin, requireUser } from './as-admin.js';

interface LearnOptions extends DirOption {
  readonly seconds: string;
  readonly consentToMonitor?: boolean;
}

/** Watches a user's commands on the first node and prints the rules that would be enough. Changes nothing. */
export async function aclLearn(context: Context, name: string, options: LearnOptions): Promise<void> {
  const { terminal, signal } = context;
  const seconds = Number(options.seconds);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3600) {
    throw new CliError('REDKEEP_USAGE', `--seconds ${options.seconds} is not 1 to 3600.`, 'Give a whole number.');
  }
  if (!options.consentToMonitor) {
    throw new CliError(
      'REDKEEP_CONSENT_NEEDED',
      'Learning uses MONITOR: it slows the server and passes every value of every client through this process.',
      'Do it on a test system, and say --consent-to-monitor.',
    );
  }
  const loaded = await loadDeployment(context, options.dir);
  const user = requireUser(loaded, name);
  const node = dataNodes(loaded.deployment)[0]!;
  const admin = await targetOf(loaded, node, userOf(loaded.deployment, 'admin')!);
  const endpoint = await endpointOf(loaded, node);
  const seen: { client: string; args: readonly string[] }[] = [];
  await asAdmin(context, loaded, node, async (client) => {
    const mine = new Set<string>();
    const refresh = async () => {
      for (const address of await addressesOf(client, user.name)) mine.add(address);
    };
    await refresh();
    const timer = setInterval(() => refresh().catch(() => undefined), 250);
    try {
      await observeCommands(endpoint, admin, {
        milliseconds: seconds * 1000,
        signal,
        onStart: () => terminal.note(`Watching ${user.name} on ${node.name} for ${seconds} s.`),
        onCommand: (command) => seen.push({ client: command.client, args: command.args.slice(0, 2) }),
      });
      await refresh();
    } finally {
      clearInterval(timer);
    }
    const proposal = proposeRules(seen.filter(({ client: address }) => mine.has(address)).map(({ args }) => args));
    print(context, user.name, proposal);
  });
}

async function addressesOf(client: RedisClient, user: string): Promise<string[]> {
  const list = String(await client.sendCommand(['CLIENT', 'LIST'])).split('\n');
  return list
    .filter((line) => ` ${line} `.includes(` user=${user} `))
    .flatMap((line) => / addr=(\S+)/.exec(line)?.[1] ?? []);
}

function print({ terminal }: Context, user: string, { commands, keys, count }: Proposal): void {
  if (count === 0) {
    terminal.line(`${user} ran nothing while it was watched.`);
    return;
  }
  terminal.line(`${user} ran ${count} commands. The least that would have been enough:`);
  terminal.line(
    `  ${[...keys.map((key) => `~${key}`), '-@all', ...commands.map((command) => `+${command}`)].join(' ')}`,
  );
  terminal.line('What it runs rarely was perhaps not seen: watch a whole cycle of its work before you narrow it.');
}
