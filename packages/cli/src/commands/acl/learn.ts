import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from 'redkeep';
import { Attribution, attributionOf, leastAttributedPercent } from '../../acl/attribution.js';
import { callsBetween, readCommandStats } from '../../acl/command-stats.js';
import { factsOf, keysAt, readCommandTable } from '../../acl/command-table.js';
import { observeCommands } from '../../acl/observe-commands.js';
import { commandName, Observation, rulesFor } from '../../acl/propose-rules.js';
import { parseRecordedCommands } from '../../acl/recorded-commands.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { type DeploymentNode, dataNodes, type User, userOf } from '../../deployment/model.js';
import { clientList } from '../../engine/client-list.js';
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
  readonly acceptUnattributed?: string;
  readonly json?: boolean;
}

/** What was seen, and how complete it is; a record of a client and the counters of everybody attribute nothing. */
interface Learned {
  readonly observation: Observation;
  readonly attribution: Attribution | undefined;
}

/** Watches what a user runs and prints the rules that would be enough. Changes nothing. */
export async function aclLearn(context: Context, name: string, options: LearnOptions): Promise<void> {
  const milliseconds = durationOf(options);
  const least = leastOf(options);
  requireConsent(options);
  const { loaded } = await openDelivery(context, options.dir);
  const user = requireUser(loaded, name);
  const nodes = dataNodes(loaded.deployment);
  const learned =
    options.from === 'client'
      ? { observation: await learnFromClient(context, loaded, options.file), attribution: undefined }
      : await together(nodes, (node) =>
          options.from === 'monitor'
            ? learnFromMonitor(context, loaded, node, user, milliseconds)
            : learnFromStats(context, loaded, node, milliseconds),
        );
  if (learned.attribution && options.json !== true) printAttribution(context, user, learned.attribution);
  requireAttribution(user, learned, least);
  print(context, loaded, user, learned, options);
}

/** The share that has to be attributed, in percent. */
function leastOf({ acceptUnattributed, from }: LearnOptions): number {
  if (acceptUnattributed === undefined) return leastAttributedPercent;
  const percent = Number(acceptUnattributed);
  if (from === 'monitor' && acceptUnattributed.trim() !== '' && percent >= 0 && percent <= 100) return 100 - percent;
  throw new CliError(
    'REDKEEP_USAGE',
    `--accept-unattributed ${acceptUnattributed} does not fit.`,
    'Give a percentage from 0 to 100, with --from monitor.',
  );
}

function printAttribution({ terminal }: Context, user: User, attribution: Attribution): void {
  const { attributed, possible, percent } = attribution;
  terminal.line(
    `Attributed to ${user.name}: ${attributed} of ${possible} commands that it may have run (${percent} %), as the servers counted.`,
  );
  if (attribution.unattributed.size === 0) return;
  const names = [...attribution.unattributed].sort(([a], [b]) => (a < b ? -1 : 1));
  terminal.line(`Not attributed to anybody: ${names.map(([name, count]) => `${name} ${count}`).join(', ')}`);
}

function requireAttribution(user: User, { attribution }: Learned, least: number): void {
  if (!attribution || attribution.percent >= least) return;
  const { attributed, possible, percent } = attribution;
  throw new CliError(
    'REDKEEP_ATTRIBUTION_INCOMPLETE',
    `Only ${attributed} of ${possible} commands (${percent} %) could be attributed to ${user.name}, and rules need ${least} %: ` +
      'the others ran on connections too short to be seen in CLIENT LIST, and rules without them would break what ran them.',
    'Take a record of the client instead (--from client --file F), which misses nothing; or watch longer (--seconds) on a test ' +
      'system where connections stay open; or accept what is missing with --accept-unattributed PERCENT.',
  );
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
  learn: (node: DeploymentNode) => Promise<Learned>,
): Promise<Learned> {
  const observation = new Observation();
  let attribution: Attribution | undefined;
  for (const each of await Promise.all(nodes.map(learn))) {
    observation.merge(each.observation);
    if (!each.attribution) continue;
    attribution ??= new Attribution();
    attribution.merge(each.attribution);
  }
  return { observation, attribution };
}

/** The commands of one user among all that MONITOR shows, found by the addresses of its connections. */
function learnFromMonitor(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  user: User,
  milliseconds: number,
): Promise<Learned> {
  return asAdmin(context, loaded, node, async (client) => {
    const table = await readCommandTable(client);
    const admin = await targetOf(loaded, node, userOf(loaded.deployment, 'admin')!);
    const endpoint = await endpointOf(loaded, node);
    const byClient = new Map<string, Observation>();
    const seen = new Map<string, Map<string, number>>();
    /** Commands whose keys only the server knows, one of each shape. */
    const unclear = new Map<string, { readonly client: string; readonly args: readonly string[] }>();
    const users = new Map<string, string>();
    const self = String(await client.sendCommand(['CLIENT', 'ID']));
    let own = '';
    let looks = 0;
    const look = async () => {
      looks += 1;
      for (const each of clientsOf(String(await client.sendCommand(['CLIENT', 'LIST'])))) {
        users.set(each.address, each.user);
        if (each.id === self) own = each.address;
      }
    };
    await look();
    let before = new Map<string, number>();
    let after = before;
    let counts = 0;
    let looksBetween = 0;
    await observeCommands(endpoint, admin, {
      during: async () => {
        // MONITOR shows the two counts, so that what lies between them is exactly what they count.
        before = await readCommandStats(client);
        const looksBefore = looks;
        context.terminal.note(`Watching ${user.name} on ${node.name} for ${milliseconds / 1000} s.`);
        const end = performance.now() + milliseconds;
        while (performance.now() < end && !context.signal.aborted) {
          await look();
          await delay(Math.min(lookMilliseconds, Math.max(0, end - performance.now())), undefined, {
            signal: context.signal,
          }).catch(() => undefined);
        }
        await look();
        looksBetween = looks - looksBefore;
        after = await readCommandStats(client);
      },
      onCommand: ({ client: address, args }) => {
        if (address === own && /^info$/i.test(args[0]!) && args[1] === 'commandstats') counts += 1;
        if (counts !== 1) return;
        const facts = factsOf(table, args);
        const observation = byClient.get(address) ?? new Observation();
        byClient.set(address, observation);
        observation.add(args, { keys: facts.movable ? [] : keysAt(facts, args), readOnly: facts.readOnly });
        const names = seen.get(address) ?? new Map<string, number>();
        seen.set(address, names);
        const name = commandName(args);
        names.set(name, (names.get(name) ?? 0) + 1);
        if (facts.movable && unclear.size < mostUnclear) unclear.set(shapeOf(address, args), { client: address, args });
      },
    });
    const mine = (address: string) => users.get(address) === user.name;
    for (const { client: address, args } of unclear.values()) {
      const { readOnly } = factsOf(table, args);
      if (mine(address)) addKeys(byClient.get(address)!, await keysByServer(client, args), readOnly);
    }
    const observation = new Observation();
    for (const [address, each] of byClient) if (mine(address) && address !== own) observation.merge(each);
    const hidden = new Map([['client|list', looksBetween]]);
    users.set(own, ownConnection);
    const counted = { before, after, seen, users, own: hidden };
    return { observation, attribution: await attributionOf(client, table, user.name, counted) };
  });
}

const lookMilliseconds = 250;
/** No user's name has a space. */
const ownConnection = 'this connection';

/** Beyond that many different commands of this kind the picture no longer changes. */
const mostUnclear = 10_000;

/** Commands that differ only in what follows a colon touch the same key spaces. */
function shapeOf(address: string, args: readonly string[]): string {
  return JSON.stringify([address, ...args.slice(0, 8).map((arg) => arg.slice(0, 64).replace(/:.*/s, ':'))]);
}

async function keysByServer(client: RedisClient, args: readonly string[]): Promise<string[]> {
  const reply = client.sendCommand(['COMMAND', 'GETKEYS', ...args]);
  // A script without keys, for example, has none.
  return reply.then(
    (keys) => (keys as unknown as string[]).map(String),
    () => [],
  );
}

function addKeys(observation: Observation, keys: readonly string[], readOnly: boolean): void {
  observation.add(['', ''], { keys, readOnly }, 0);
  observation.commands.delete('');
}

/** The clients of CLIENT LIST. */
function clientsOf(list: string): { readonly id: string; readonly address: string; readonly user: string }[] {
  return clientList(list).flatMap(({ id, addr: address, user }) => {
    // Until it has logged in, a connection is the default user's: that means nothing yet.
    if (!id || !address || !user || user === 'default') return [];
    return [{ id, address, user }];
  });
}

/** Counters of the whole server: commands of everybody, and no keys. */
function learnFromStats(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  milliseconds: number,
): Promise<Learned> {
  return asAdmin(context, loaded, node, async (client) => {
    const before = await readCommandStats(client);
    context.terminal.note(`Counting on ${node.name} for ${milliseconds / 1000} s, which users run commands.`);
    await delay(milliseconds, undefined, { signal: context.signal }).catch(() => undefined);
    const observation = new Observation();
    for (const [name, count] of callsBetween(before, await readCommandStats(client))) {
      if (name !== 'info') observation.add(name.split('|'), { keys: [], readOnly: true }, count);
    }
    return { observation, attribution: undefined };
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
  { observation, attribution }: Learned,
  { from, json }: LearnOptions,
): void {
  const share = attribution && {
    attributed: attribution.attributed,
    possible: attribution.possible,
    percent: attribution.percent,
    unattributed: Object.fromEntries(attribution.unattributed),
  };
  if (observation.count === 0) {
    if (json)
      terminal.json({ user: user.name, from, attribution: share ?? null, commands: 0, rules: [], answer: null });
    else terminal.line(`${user.name} ran nothing while it was watched.`);
    return;
  }
  const rules = rulesFor(observation, knows(deployment.engine, { redis: '7.0', valkey: '7.2', dragonfly: '1.22' }));
  const keys = observation.spaces.size > 0 ? [...observation.spaces.keys()].sort() : user.keys;
  const readsOnly =
    observation.spaces.size > 0 && [...observation.spaces.values()].every((access) => access === 'read');
  const role = readsOnly ? 'read-only' : 'application';
  const channels = [...observation.channels].sort();
  const answer = { name: user.name, role, keys, channels, only: [...observation.commands].sort() };
  if (json) {
    terminal.json({ user: user.name, from, attribution: share ?? null, commands: observation.count, rules, answer });
    return;
  }
  const who = from === 'commandstats' ? 'Everybody together' : user.name;
  terminal.line(`${who} ran ${observation.count} commands. The least that would have been enough:`);
  terminal.line(`  ${rules.join(' ')}`);
  const missing = [...(attribution?.unattributed.keys() ?? [])].filter((name) => !observation.commands.has(name));
  if (missing.length > 0) {
    terminal.warn(
      `Not in it, although ${user.name} may have run it on a connection not seen: ${missing.sort().join(', ')}`,
    );
  }
  terminal.line('As an application in redkeep.config.json, for "redkeep init --force" and "redkeep acl apply":');
  terminal.line(`  ${JSON.stringify(answer)}`);
  if (observation.spaces.size === 0) terminal.line('No keys were seen: those the user has are kept.');
  terminal.line('What it runs rarely was perhaps not seen: watch a whole cycle of its work before you narrow it.');
}
