import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from 'redkeep';
import { callsBetween, readCommandStats } from '../../acl/command-stats.js';
import { factsOf, keysAt, readCommandTable } from '../../acl/command-table.js';
import { observeCommands } from '../../acl/observe-commands.js';
import { Observation, rulesFor } from '../../acl/propose-rules.js';
import { parseRecordedCommands } from '../../acl/recorded-commands.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, type User, userOf } from '../../deployment/model.js';
import { targetOf } from '../../engine/connect-node.js';
import { endpointOf } from '../../engine/local-servers.js';
import { CliError, explainSystemError } from '../../errors.js';
import { knows } from '../../vocabulary/engines.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { asAdmin, requireUser } from './as-admin.js';

export const learningSources = ['monitor', 'commandstats', 'client'] as const;

interface LearnOptions extends DirOption {
  readonly from: (typeof learningSources)[number];
  readonly file?: string;
  readonly seconds: string;
  readonly consentToMonitor?: boolean;
}

/** Watches what a user runs and prints the rules that would be enough. Changes nothing. */
export async function aclLearn(context: Context, name: string, options: LearnOptions): Promise<void> {
  const milliseconds = durationOf(options);
  requireConsent(options);
  const { loaded } = await openDelivery(context, options.dir);
  const user = requireUser(loaded, name);
  const nodes = dataNodes(loaded.deployment);
  const observation =
    options.from === 'client'
      ? await learnFromClient(context, loaded, options.file)
      : await together(nodes, (node) =>
          options.from === 'monitor'
            ? learnFromMonitor(context, loaded, node, user, milliseconds)
            : learnFromStats(context, loaded, node, milliseconds),
        );
  print(context, loaded, user, observation, options.from);
}

function durationOf({ seconds }: LearnOptions): number {
  const count = Number(seconds);
  if (Number.isInteger(count) && count >= 1 && count <= 3600) return count * 1000;
  throw new CliError('REDKEEP_USAGE', `--seconds ${seconds} is not 1 to 3600.`, 'Give a whole number.');
}

function requireConsent({ from, consentToMonitor }: LearnOptions): void {
  if (from !== 'monitor' || consentToMonitor) return;
  throw new CliError(
    'REDKEEP_CONSENT_NEEDED',
    'MONITOR slows the server and passes every value of every client through this process.',
    'Do it on a test system, and say --consent-to-monitor; or learn --from commandstats or --from client.',
  );
}

async function together(
  nodes: readonly DeploymentNode[],
  learn: (node: DeploymentNode) => Promise<Observation>,
): Promise<Observation> {
  const all = new Observation();
  for (const each of await Promise.all(nodes.map(learn))) all.merge(each);
  return all;
}

/** The commands of one user among all that MONITOR shows, told apart by the addresses of its connections. */
function learnFromMonitor(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  user: User,
  milliseconds: number,
): Promise<Observation> {
  return asAdmin(context, loaded, node, async (client) => {
    const table = await readCommandTable(client);
    const admin = await targetOf(loaded, node, userOf(loaded.deployment, 'admin')!);
    const endpoint = await endpointOf(loaded, node);
    const byClient = new Map<string, Observation>();
    /** Commands whose keys only the server can tell, one of each shape. */
    const unclear = new Map<string, { readonly client: string; readonly args: readonly string[] }>();
    const mine = new Set<string>();
    const refresh = async () => {
      for (const address of await addressesOf(client, user.name)) mine.add(address);
    };
    await refresh();
    const timer = setInterval(() => refresh().catch(() => undefined), 250);
    try {
      await observeCommands(endpoint, admin, {
        milliseconds,
        signal: context.signal,
        onStart: () => context.terminal.note(`Watching ${user.name} on ${node.name} for ${milliseconds / 1000} s.`),
        onCommand: ({ client: address, args }) => {
          const facts = factsOf(table, args);
          const observation = byClient.get(address) ?? new Observation();
          byClient.set(address, observation);
          observation.add(args, { keys: facts.movable ? [] : keysAt(facts, args), readOnly: facts.readOnly });
          if (facts.movable && unclear.size < mostUnclear)
            unclear.set(shapeOf(address, args), { client: address, args });
        },
      });
      await refresh();
    } finally {
      clearInterval(timer);
    }
    for (const { client: address, args } of unclear.values()) {
      const { readOnly } = factsOf(table, args);
      if (mine.has(address)) addKeys(byClient.get(address)!, await keysByServer(client, args), readOnly);
    }
    const all = new Observation();
    for (const address of mine) all.merge(byClient.get(address) ?? new Observation());
    return all;
  });
}

/** Beyond that many different commands of this kind the picture no longer changes. */
const mostUnclear = 10_000;

/** Commands that differ only in what follows a colon touch the same key spaces. */
function shapeOf(address: string, args: readonly string[]): string {
  return JSON.stringify([address, ...args.slice(0, 8).map((arg) => arg.slice(0, 64).replace(/:.*/s, ':'))]);
}

async function keysByServer(client: RedisClient, args: readonly string[]): Promise<string[]> {
  const reply = client.sendCommand(['COMMAND', 'GETKEYS', ...args]);
  // A script without keys, for example, has none to tell.
  return reply.then(
    (keys) => (keys as unknown as string[]).map(String),
    () => [],
  );
}

function addKeys(observation: Observation, keys: readonly string[], readOnly: boolean): void {
  observation.add(['', ''], { keys, readOnly }, 0);
  observation.commands.delete('');
}

async function addressesOf(client: RedisClient, user: string): Promise<string[]> {
  const list = String(await client.sendCommand(['CLIENT', 'LIST'])).split('\n');
  return list
    .filter((line) => ` ${line} `.includes(` user=${user} `))
    .flatMap((line) => / addr=(\S+)/.exec(line)?.[1] ?? []);
}

/** Counters of the whole server: commands of everybody, and no keys. */
function learnFromStats(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  milliseconds: number,
): Promise<Observation> {
  return asAdmin(context, loaded, node, async (client) => {
    const before = await readCommandStats(client);
    context.terminal.note(`Counting on ${node.name} for ${milliseconds / 1000} s, whoever runs commands.`);
    await delay(milliseconds, undefined, { signal: context.signal }).catch(() => undefined);
    const observation = new Observation();
    for (const [name, count] of callsBetween(before, await readCommandStats(client))) {
      if (name !== 'info') observation.add(name.split('|'), { keys: [], readOnly: true }, count);
    }
    return observation;
  });
}

async function learnFromClient(
  context: Context,
  loaded: LoadedDeployment,
  file: string | undefined,
): Promise<Observation> {
  if (file === undefined) {
    throw new CliError('REDKEEP_USAGE', '--from client needs a file.', 'Name what the client recorded with --file.');
  }
  const given = path.resolve(context.cwd, file);
  const text = await readFile(given, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, given);
  });
  const commands = parseRecordedCommands(text, given);
  const table = await asAdmin(context, loaded, dataNodes(loaded.deployment)[0]!, readCommandTable);
  const observation = new Observation();
  for (const { args, times } of commands) {
    const facts = factsOf(table, args);
    observation.add(args, { keys: facts.movable ? [] : keysAt(facts, args), readOnly: facts.readOnly }, times);
  }
  return observation;
}

function print(
  { terminal }: Context,
  { deployment }: LoadedDeployment,
  user: User,
  observation: Observation,
  from: LearnOptions['from'],
): void {
  if (observation.count === 0) {
    terminal.line(`${user.name} ran nothing while it was watched.`);
    return;
  }
  const rules = rulesFor(observation, knows(deployment.engine, { redis: '7.0', valkey: '7.2', dragonfly: '1.22' }));
  const who = from === 'commandstats' ? 'Everybody together' : user.name;
  terminal.line(`${who} ran ${observation.count} commands. The least that would have been enough:`);
  terminal.line(`  ${rules.join(' ')}`);
  const keys = observation.spaces.size > 0 ? [...observation.spaces.keys()].sort() : user.keys;
  const readsOnly =
    observation.spaces.size > 0 && [...observation.spaces.values()].every((access) => access === 'read');
  const role = readsOnly ? 'read-only' : 'application';
  const channels = [...observation.channels].sort();
  const answer = { name: user.name, role, keys, channels, only: [...observation.commands].sort() };
  terminal.line('As an application in redkeep.config.json, for "redkeep init --force" and "redkeep acl apply":');
  terminal.line(`  ${JSON.stringify(answer)}`);
  if (observation.spaces.size === 0) terminal.line('No keys were seen: those the user has are kept.');
  terminal.line('What it runs rarely was perhaps not seen: watch a whole cycle of its work before you narrow it.');
}
