import { type Engine, type Random, randomFrom, startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { parseAclUser, ruleSetsOf } from '../../audit/facts/acl-user.js';
import { exampleOf } from '../glob.js';
import { Rights, type RuleSet } from '../rights.js';
import { readServerCommands, type ServerCommand, type ServerCommands } from '../server-commands.js';
import { formOf } from './calls.js';
import { randomRules } from './random-users.js';

export interface Disagreement {
  readonly user: string;
  readonly command: string;
  readonly computed: boolean;
  readonly server: string;
}

export interface OracleReport {
  readonly users: number;
  readonly calls: number;
  readonly run: number;
  readonly disagreements: readonly Disagreement[];
}

type Ask = (...args: string[]) => Promise<string>;

/** A key or channel for each pattern that a user has, and one that is nobody's. */
function candidates(sets: readonly RuleSet[], of: 'keys' | 'channels'): string[] {
  const names = sets.flatMap((set) =>
    set[of].flatMap((rule) => {
      const pattern = rule.replace(/^(%\w+)?[~&]/, '');
      // PSUBSCRIBE asks for a pattern as it is written.
      const written = of === 'channels' ? pattern : undefined;
      return [exampleOf(pattern), exampleOf(pattern, '1'), written].filter((name) => name !== undefined);
    }),
  );
  return [...new Set(['nobody', ...names])];
}

/** What is computed for one call: some rule set permits the command, every key and the channel. */
function computed(rights: readonly Rights[], name: string, command: ServerCommand, call: Call): boolean {
  return rights.some(
    (one) =>
      one.permits(name, call.first) &&
      (call.channel === undefined ||
        one.channels.includes('*') ||
        one.allowsChannel(call.channel, name === 'psubscribe')) &&
      command.keys.every((use) => use.optional || call.key === undefined || one.reaches(call.key, use)),
  );
}

interface Call {
  readonly words: string[];
  readonly key?: string;
  readonly channel?: string;
  readonly first?: string;
}

function callsOf(name: string, command: ServerCommand, keys: readonly string[], channels: readonly string[]): Call[] {
  const form = formOf(name, command.arity, command.keys.filter(({ optional }) => !optional).length, 'first');
  const prefix = name.split('|').length;
  if (form.includes('KEY'))
    return keys.map((key) => {
      const words = form.map((word) => (word === 'KEY' ? key : word));
      return { words, key, ...(words[prefix] !== undefined && { first: words[prefix] }) };
    });
  if (form.includes('CHANNEL'))
    return channels.map((channel) => {
      const words = form.map((word) => (word === 'CHANNEL' ? channel : word));
      return { words, channel, ...(words[prefix] !== undefined && { first: words[prefix] }) };
    });
  const first = form[prefix];
  return [{ words: form, ...(first !== undefined && { first }) }];
}

/**
 * Makes users at random on a scratch server and asks it about every command it has, for each: once by ACL DRYRUN, with
 * keys that fit the user's patterns and one that does not, and for some users by really running every command as that
 * user. Whatever the server says otherwise than it was computed is a disagreement.
 */
export async function askOracle(engine: Engine, count: number, seed: number, reallyRun: number): Promise<OracleReport> {
  const server = await startServer({ engine });
  const admin = createClient({ url: server.url, commandPolicy: 'unrestricted', disableClientInfo: true });
  try {
    await admin.connect();
    const ask: Ask = async (...args) => String(await admin.sendCommand(args));
    const commands = readServerCommands(await admin.sendCommand(['COMMAND']));
    const random = randomFrom(seed);
    const report = { users: 0, calls: 0, run: 0, disagreements: [] as Disagreement[] };
    while (report.users < count) {
      const line = await makeUser(ask, random, commands);
      if (line === undefined) continue;
      report.users++;
      await judgeUser(ask, line, commands, report);
      if (report.users <= reallyRun) await runAs(server.url, line, commands, report);
      await ask('ACL', 'DELUSER', 'u');
    }
    return report;
  } finally {
    admin.destroy();
    await server[Symbol.asyncDispose]();
  }
}

/** The user as ACL LIST describes it, or undefined where the server refuses the rules. */
async function makeUser(ask: Ask, random: Random, commands: ServerCommands): Promise<string | undefined> {
  try {
    await ask('ACL', 'SETUSER', 'u', 'reset', 'on', '>secret', ...randomRules(random, commands));
  } catch {
    await ask('ACL', 'DELUSER', 'u');
    return undefined;
  }
  const lines = (await ask('ACL', 'LIST')).split(/,(?=user )/);
  return lines.find((line) => line.startsWith('user u '));
}

type Counting = { calls: number; run: number; disagreements: Disagreement[] };

function prepared(line: string, commands: ServerCommands) {
  const sets = ruleSetsOf(parseAclUser(line)!);
  const rights = sets.map((set) => new Rights(set, commands));
  const [keys, channels] = [candidates(sets, 'keys'), candidates(sets, 'channels')];
  // Patterns that match nothing simple (an empty class) leave a call untried.
  const exact = sets.every((set) =>
    [...set.keys, ...set.channels].every((rule) => exampleOf(rule.replace(/^(%\w+)?[~&]/, '')) !== undefined),
  );
  return { rights, keys, channels, exact };
}

async function judgeUser(ask: Ask, line: string, commands: ServerCommands, report: Counting): Promise<void> {
  const { rights, keys, channels, exact } = prepared(line, commands);
  await Promise.all(
    Object.entries(commands)
      .filter(([, command]) => !command.container)
      .map(async ([name, command]) => {
        const calls = callsOf(name, command, keys, channels);
        const verdicts = await Promise.all(
          calls.map(async (call) => {
            const server = await ask('ACL', 'DRYRUN', 'u', ...call.words).catch((error: Error) => error.message);
            const expected = computed(rights, name, command, call);
            report.calls++;
            if (expected !== (server === 'OK'))
              report.disagreements.push({ user: line, command: call.words.join(' '), computed: expected, server });
            return server === 'OK';
          }),
        );
        // What the audit reports: some call is allowed. Two keys that need different patterns, and a first argument that
        // would have to be a certain key, are not among the calls tried; the reverse is always compared.
        const some = rights.some((one) => one.canRun(name, command));
        const isTried =
          exact &&
          command.keys.filter(({ optional }) => !optional).length <= 1 &&
          rights.every((one) => one.firstArgumentsOf(name).length === 0);
        if (verdicts.includes(true) ? !some : some && isTried)
          report.disagreements.push({ user: line, command: `some ${name}`, computed: some, server: String(!some) });
      }),
  );
}

/** Would end the connection, or answer for ever; DRYRUN speaks for them. */
const endless = new Set(
  ['quit', 'reset', 'auth', 'hello', 'client|reply', 'client|kill', 'shutdown', 'monitor', 'sync']
    .concat([
      'psync',
      'replconf',
      'subscribe',
      'psubscribe',
      'ssubscribe',
      'unsubscribe',
      'punsubscribe',
      'sunsubscribe',
    ])
    .concat([
      'debug',
      'failover',
      'multi',
      'exec',
      'discard',
      'watch',
      'client|pause',
      'client|tracking',
      'module|load',
    ])
    .concat([
      'module|loadex',
      'module|unload',
      'replicaof',
      'slaveof',
      'script|debug',
      'acl|deluser',
      'acl|load',
      'wait',
      'waitaof',
    ])
    .concat(['blpop', 'brpop', 'blmove', 'blmpop', 'bzmpop', 'bzpopmin', 'bzpopmax', 'brpoplpush', 'config|set'])
    .concat(['cluster|syncslots', 'readonly', 'readwrite', 'asking', 'client|no-evict', 'client|import-source']),
);

/** Logs in as the user and runs every command that leaves the server and the connection as they are. */
async function runAs(url: string, line: string, commands: ServerCommands, report: Counting): Promise<void> {
  const { rights, keys, channels } = prepared(line, commands);
  const client = createClient({
    url,
    username: 'u',
    password: 'secret',
    commandPolicy: 'unrestricted',
    disableClientInfo: true,
    socket: { reconnectStrategy: false },
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const [name, command] of Object.entries(commands)) {
      if (command.container || endless.has(name) || command.channels) continue;
      for (const call of callsOf(name, command, keys, channels).slice(0, 3)) {
        const server = await client.sendCommand(call.words).then(
          () => 'OK',
          (error: Error) => error.message,
        );
        report.run++;
        // SORT with BY or GET, and scripts, are refused later for other reasons: none of these calls is one.
        const denied = /NOPERM|has no permissions|No permissions/i.test(server);
        const expected = computed(rights, name, command, call);
        if (expected === denied)
          report.disagreements.push({
            user: line,
            command: `run: ${call.words.join(' ')}`,
            computed: expected,
            server,
          });
      }
    }
  } finally {
    client.destroy();
  }
}
