import { record } from '../../audit/gather/live.js';
import { clientList } from '../../engine/client-list.js';
import { CliError } from '../../errors.js';
import { firewall } from './firewall.js';
import type { ContainStep, StepNode } from './step.js';

const rescueRules = ['~*', '&*', '+@all'];

function failed(node: StepNode, what: string): CliError {
  return new CliError(
    'REDKEEP_CONTAINMENT_FAILED',
    `${node.address}: ${what}.`,
    'Run it again; "redkeep incident release" takes back what was done.',
  );
}

async function whoAmI({ ask, endpoint }: StepNode): Promise<string> {
  return ask('ACL', 'WHOAMI').then(String, () => endpoint.username ?? 'default');
}

async function setting({ ask }: StepNode, name: string): Promise<string> {
  return record(await ask('CONFIG', 'GET', name))[name] ?? '';
}

async function userLine({ ask }: StepNode, name: string): Promise<string> {
  const lines = await ask('ACL', 'LIST');
  return (Array.isArray(lines) ? lines.map(String) : []).find((line) => line.startsWith(`user ${name} `)) ?? '';
}

/** Servers write some rules or leave them away, with the same meaning. */
function sameUser(a: string, b: string): boolean {
  const plain = (line: string): string => line.replaceAll(' sanitize-payload', '');
  return plain(a) === plain(b);
}

const isOn = (line: string): boolean => /^user \S+ on /.test(line);

const ownAccess: ContainStep = {
  id: 'own-access',
  title: 'Make a way in that stays open',
  effect: 'None. A user is made whose password is in the folder of the incident, 0600.',
  undoText: 'The user is removed, last of all.',
  async plan(node, { usersOff, rescue }) {
    const own = await whoAmI(node);
    if (own !== 'default' && !usersOff.includes(own)) return { not: `you are logged in as ${own}, which stays on` };
    return { runs: [`ACL SETUSER ${rescue.name} on <hash of a new password> ${rescueRules.join(' ')}`] };
  },
  before: async () => ({}),
  async take(node, { rescue }) {
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(rescue.password).digest('hex');
    await node.ask('ACL', 'SETUSER', rescue.name, 'reset', 'on', `#${hash}`, ...rescueRules);
    if (!(await node.canLogIn(rescue.name, rescue.password))) throw failed(node, `${rescue.name} cannot log in`);
  },
  async undo({ ask }) {
    await ask('ACL', 'DELUSER', rescueUser);
    return undefined;
  },
};

/** The user that containment makes where the operator's own would be switched off. */
export const rescueUser = 'redkeep-incident';

const keepHistory: ContainStep = {
  id: 'keep-history',
  title: 'Stop the server from overwriting its own files',
  effect: 'None. The append-only file is not compacted and no snapshot is written; writes are still logged.',
  undoText: 'auto-aof-rewrite-percentage and save go back to what they were.',
  plan: async () => ({ runs: ['CONFIG SET auto-aof-rewrite-percentage 0', 'CONFIG SET save ""'] }),
  async before(node) {
    return {
      'auto-aof-rewrite-percentage': await setting(node, 'auto-aof-rewrite-percentage'),
      save: await setting(node, 'save'),
    };
  },
  async take({ ask }) {
    await ask('CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0');
    await ask('CONFIG', 'SET', 'save', '');
  },
  async undo({ ask }, before) {
    for (const [name, value] of Object.entries(before)) await ask('CONFIG', 'SET', name, value);
    return undefined;
  },
};

const pauseWrites: ContainStep = {
  id: 'pause-writes',
  title: 'Let writes wait',
  effect: 'Writes of all clients wait; reads go on. It ends by itself.',
  undoText: 'Writes go on.',
  renews: true,
  plan: async (_, { pauseMs }) => ({ runs: [`CLIENT PAUSE ${pauseMs} WRITE`] }),
  before: async () => ({}),
  async take({ ask }, { pauseMs }) {
    await ask('CLIENT', 'PAUSE', String(pauseMs), 'WRITE');
  },
  async undo({ ask }) {
    await ask('CLIENT', 'UNPAUSE');
    return undefined;
  },
};

const stopReplication: ContainStep = {
  id: 'stop-replication',
  title: 'Follow no other server',
  effect: 'The server keeps the data that it has and accepts writes of its own.',
  undoText: 'It follows the same server again, which replaces its data.',
  async plan(node, options) {
    if (!options.stopReplication) return { not: 'not asked for (--stop-replication)' };
    const info = await replication(node);
    return info['role'] === 'slave' ? { runs: ['REPLICAOF NO ONE'] } : { not: 'it follows no server' };
  },
  async before(node) {
    const info = await replication(node);
    return { host: info['master_host'] ?? '', port: info['master_port'] ?? '' };
  },
  async take({ ask }) {
    await ask('REPLICAOF', 'NO', 'ONE');
  },
  async undo({ ask }, { host, port }) {
    if (host && port) await ask('REPLICAOF', host, port);
    return undefined;
  },
};

async function replication({ ask }: StepNode): Promise<Record<string, string>> {
  const text = String(await ask('INFO', 'replication'));
  return Object.fromEntries([...text.matchAll(/^([^#:\r\n]+):([^\r\n]*)/gm)].map(([, name, value]) => [name!, value!]));
}

const defaultOff: ContainStep = {
  id: 'default-off',
  title: 'Switch the default user off',
  effect: 'Nobody can log in as the default user, or without a login. Open connections stay until they are ended.',
  undoText: 'The default user is as it was, with its passwords.',
  async plan(node) {
    if (!isOn(await userLine(node, 'default'))) return { not: 'the default user is off' };
    return { runs: ['ACL SETUSER default off'], warnings: await dependants(node, 'default') };
  },
  async before(node) {
    return { line: await userLine(node, 'default') };
  },
  async take(node) {
    await node.ask('ACL', 'SETUSER', 'default', 'off');
    if (isOn(await userLine(node, 'default'))) throw failed(node, 'the default user is still on');
  },
  async undo(node, { line = '' }) {
    const [, , ...rules] = line.split(' ');
    const now = await userLine(node, 'default');
    // Only what this step made of it: an operator may have closed it for good, or given it a password.
    if (sameUser(now, line)) return undefined;
    if (rules.length === 0 || !sameUser(now, line.replace(/^user default on /, 'user default off ')))
      return 'the default user was changed since, and stays as it is';
    await node.ask('ACL', 'SETUSER', 'default', 'reset', ...rules);
    return undefined;
  },
};

/** Servers that log in as a user: replicas lose their link at its next break, Sentinels fail over. */
async function dependants({ ask }: StepNode, user: string): Promise<string[]> {
  const own = clientList(await ask('CLIENT', 'LIST').catch(() => '')).filter((client) => client['user'] === user);
  const replicas = own.filter(({ flags = '' }) => flags.includes('S')).length;
  const sentinels = own.filter(({ name = '' }) => name.startsWith('sentinel-')).length;
  return [
    ...(replicas > 0 ? [`${replicas} replicas or archives log in as ${user}; their next login will be refused`] : []),
    ...(sentinels > 0
      ? [`Sentinels log in as ${user}: they will see the server as down and fail over; stop them first`]
      : []),
  ];
}

const usersOff: ContainStep = {
  id: 'users-off',
  title: 'Switch other users off',
  effect: 'These users cannot log in. Open connections stay until they are ended.',
  undoText: 'Those that were on are on again.',
  async plan(node, options) {
    const on = await enabled(node, options.usersOff);
    return on.length > 0
      ? { runs: on.map((name) => `ACL SETUSER ${name} off`) }
      : { not: 'no user was named (--user-off NAME, --all-users)' };
  },
  async before(node, options) {
    return { on: (await enabled(node, options.usersOff)).join(' ') };
  },
  async take(node, _, { on = '' }) {
    for (const name of on.split(' ').filter(Boolean)) await node.ask('ACL', 'SETUSER', name, 'off');
  },
  async undo({ ask }, { on = '' }) {
    for (const name of on.split(' ').filter(Boolean)) await ask('ACL', 'SETUSER', name, 'on');
    return undefined;
  },
};

async function enabled(node: StepNode, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) if (isOn(await userLine(node, name))) found.push(name);
  return found;
}

const killClients: ContainStep = {
  id: 'kill-clients',
  title: 'End the connections',
  effect: 'Every connection but this one is ended. Who may still log in can connect anew.',
  undoText: 'Nothing to undo: clients connect again by themselves.',
  renews: true,
  plan: async (_, { killReplicas }) => ({
    runs: kinds(killReplicas).map((kind) => `CLIENT KILL TYPE ${kind} SKIPME yes`),
  }),
  // The last list of who was connected: it is gone afterwards.
  before: async ({ ask }) => ({ clients: String(await ask('CLIENT', 'LIST')) }),
  async take({ ask }, { killReplicas }) {
    for (const kind of kinds(killReplicas)) await ask('CLIENT', 'KILL', 'TYPE', kind, 'SKIPME', 'yes');
  },
  undo: async () => undefined,
};

function kinds(killReplicas: boolean): string[] {
  return ['normal', 'pubsub', ...(killReplicas ? ['replica'] : [])];
}

/**
 * In the order that keeps evidence and the own way in: files first, then data, then who may come in, and who is in
 * last, because the list of connections is evidence.
 */
export const containSteps: readonly ContainStep[] = [
  ownAccess,
  keepHistory,
  pauseWrites,
  stopReplication,
  firewall,
  defaultOff,
  usersOff,
  killClients,
];
