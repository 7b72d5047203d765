import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Ask, readInfo, record } from '../audit/gather/live.js';
import { clientList } from '../engine/client-list.js';
import { CliError, explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
import { createAuthority, issueCertificate } from '../pki/authority.js';
import { adminUser, asAdmin, canLogIn, newWay, oldWay, replicationUser } from './access.js';
import { type ClientOnOldWay, clientsOnOldWay } from './clients.js';
import { type Migration, type MigrationNode, type StepId, writeSecret } from './migration.js';
import { takeProvedBackup } from './proved-backup.js';
import type { Step, StepContext } from './step.js';

/** Ten years for the CA, one for the servers: `redkeep migrate` is done in days, renewal is another command's work. */
const authorityDays = 3650;
const serverDays = 365;

const both = (node: MigrationNode): string => `${node.host}:${node.port}`;

/** Replicas first: what fails on one is known before the primary is touched. */
function inOrder({ plan }: Migration): MigrationNode[] {
  return [...plan.nodes].sort((a, b) => Number(a.role === 'primary') - Number(b.role === 'primary'));
}

function primaryOf({ plan }: Migration): MigrationNode {
  const primary = plan.nodes.find(({ role }) => role === 'primary');
  if (!primary) throw new CliError('REDKEEP_NODE_UNKNOWN', 'The plan has no primary.', 'Plan again from the primary.');
  return primary;
}

/** Runs work on every node as an administrator, replicas first. */
async function onEach(migration: Migration, work: (ask: Ask, node: MigrationNode) => Promise<void>): Promise<void> {
  for (const node of inOrder(migration)) await asAdmin(migration, node, (ask) => work(ask, node));
}

/**
 * Makes what was changed survive a restart. CONFIG REWRITE leaves the file readable by everybody (0644) with the hashes
 * of passwords in it, so that its mode is put back, or made stricter, where the file is on this machine.
 */
async function persist(ask: Ask, node: MigrationNode): Promise<void> {
  const aclFile = record(await ask('CONFIG', 'GET', 'aclfile'))['aclfile'];
  if (aclFile) await ask('ACL', 'SAVE');
  if (node.configFile === '') return;
  const mode = node.local ? (await stat(node.configFile).catch(() => undefined))?.mode : undefined;
  await ask('CONFIG', 'REWRITE');
  if (mode !== undefined) await chmod(node.configFile, mode & 0o640);
  if (node.local && aclFile) await chmod(aclFile, 0o600).catch(() => undefined);
}

const backup: Step = {
  title: 'Take a backup and prove it by a restore',
  effect: 'None. The server forks once, as for BGSAVE.',
  check: 'A scratch server loads it; its keys are counted.',
  undoText: 'Nothing to undo: the backup stays.',
  watched: false,
  take: takeProvedBackup,
  undo: async () => undefined,
};

const tls: Step = {
  title: 'Open a TLS port beside the plaintext port',
  effect: 'None: the plaintext port stays as it is.',
  check: 'A login over TLS, verified against the new CA.',
  undoText: 'tls-port goes back to what it was; clients that moved are cut off.',
  watched: false,
  async take({ migration, context }) {
    await ensurePki(migration, context.clock.now());
    await onEach(migration, async (ask, node) => {
      const files = await deliver(migration, node);
      try {
        await ask(
          'CONFIG',
          'SET',
          ...['tls-cert-file', files.cert, 'tls-key-file', files.key, 'tls-ca-cert-file', files.ca],
          ...['tls-auth-clients', 'no', 'tls-port', String(node.tlsPort)],
        );
      } catch (error) {
        throw new CliError(
          'REDKEEP_SERVER_UNSUITABLE',
          `${both(node)} does not serve TLS on ${node.tlsPort}: ${serverWords(error)}.`,
          node.local
            ? `The server must be able to read ${node.serverFolder}, and port ${node.tlsPort} must be free.`
            : `Copy ${migration.file('hosts', folderName(node))} to ${node.serverFolder} on that machine, readable by the server only, and run it again.`,
          { cause: error },
        );
      }
      const endpoint = { ...(await oldWay(migration, node)), port: node.tlsPort, tls: true };
      const ca = await readFile(migration.file('pki', 'ca.crt'), 'utf8');
      if (!(await canLogIn({ ...endpoint, ca }))) throw unproved(node, 'a login over TLS fails');
      await persist(ask, node);
    });
    return `TLS on ${migration.plan.nodes.map(({ host, tlsPort }) => `${host}:${tlsPort}`).join(', ')}`;
  },
  async undo(step) {
    await refuseToCutOff(step);
    await onEach(step.migration, async (ask, node) => {
      // Over the plaintext port: the TLS connection would go with its port.
      await ask('CONFIG', 'SET', 'tls-port', node.before['tls-port'] ?? '0');
      await persist(ask, node);
    });
  },
};

const users: Step = {
  title: 'Create users beside the default user',
  effect: 'None: the default user stays as it is.',
  check: 'Each user logs in over TLS.',
  undoText: 'The users are removed; clients that log in as them are cut off.',
  watched: false,
  async take({ migration }) {
    await onEach(migration, async (ask, node) => {
      for (const user of migration.plan.users) {
        const hash = createHash('sha256')
          .update(await migration.passwordOf(user))
          .digest('hex');
        await ask('ACL', 'SETUSER', user.name, 'reset', 'on', `#${hash}`, ...user.rules);
      }
      await persist(ask, node);
      for (const { name } of migration.plan.users)
        if (!(await logsIn(migration, node, name))) throw unproved(node, `${name} cannot log in`);
    });
    return migration.plan.users.map(({ name }) => name).join(', ');
  },
  async undo(step) {
    await refuseToCutOff(step);
    const names = step.migration.plan.users.map(({ name }) => name);
    for (const node of inOrder(step.migration)) {
      // As who was given, because the administrator removes itself.
      await asGiven(step.migration, node, async (ask) => {
        await ask('ACL', 'DELUSER', ...names);
        await persist(ask, node);
      });
    }
  },
};

const replication: Step = {
  title: 'Let replicas log in by a user of their own, over TLS',
  effect: 'None. Each replica connects anew and goes on where it was.',
  check: 'Every link is up again.',
  undoText: 'Replicas go back to the plaintext port and their earlier login.',
  watched: false,
  async take({ migration }) {
    const primary = primaryOf(migration);
    const user = migration.plan.users.find(({ name }) => name === replicationUser);
    if (!user) return 'no replicas';
    const password = await migration.passwordOf(user);
    await onEach(migration, async (ask, node) => {
      const earlier = record(await ask('CONFIG', 'GET', 'masterauth'))['masterauth'] ?? '';
      await keepOnce(migration.file('secrets', `${folderName(node)}.masterauth`), earlier);
      await ask('CONFIG', 'SET', 'masteruser', replicationUser, 'masterauth', password);
      if (node.role === 'replica') {
        await ask('CONFIG', 'SET', 'tls-replication', 'yes');
        const info = await readInfo(ask);
        if (info['master_port'] !== String(primary.tlsPort) || info['master_link_status'] !== 'up') {
          await ask('REPLICAOF', info['master_host'] ?? primary.host, String(primary.tlsPort));
          await linkUp(ask, node);
        }
      }
      await persist(ask, node);
    });
    return `${migration.plan.nodes.length - 1} of ${migration.plan.nodes.length - 1} links are up over TLS`;
  },
  async undo({ migration }) {
    if (!migration.plan.users.some(({ name }) => name === replicationUser)) return;
    const primary = primaryOf(migration);
    await onEach(migration, async (ask, node) => {
      const earlier = (await readIfPresent(migration.file('secrets', `${folderName(node)}.masterauth`))) ?? '';
      await ask('CONFIG', 'SET', 'masteruser', node.before['masteruser'] ?? '', 'masterauth', earlier);
      if (node.role === 'replica') {
        await ask('CONFIG', 'SET', 'tls-replication', node.before['tls-replication'] ?? 'no');
        const info = await readInfo(ask);
        await ask('REPLICAOF', info['master_host'] ?? primary.host, String(primary.port));
        await linkUp(ask, node);
      }
      await persist(ask, node);
    });
  },
};

const handOver: Step = {
  title: 'Wait until every client uses TLS and a user of its own',
  effect: 'None. Change the clients one by one; nothing is closed.',
  check: 'No connection over plaintext or as the default user for the time watched.',
  undoText: 'Nothing to undo: clients can go back by themselves.',
  watched: false,
  async take({ migration, context, wait }) {
    const seconds = migration.plan.watchSeconds;
    let quietSince = performance.now();
    let said = '';
    for (;;) {
      const late = await stragglers(migration);
      if (late.length > 0) {
        quietSince = performance.now();
        const text = whoIsLate(late);
        if (!wait) throw notYet(text);
        if (text !== said) context.terminal.note(`Still on the old way: ${text}`);
        said = text;
      }
      if (performance.now() - quietSince >= seconds * 1000) return `nobody on the old way for ${seconds} s`;
      await delay(Math.min(1000, seconds * 250), undefined, { signal: context.signal });
    }
  },
  undo: async () => undefined,
};

const brownOut: Step = {
  title: 'Close the default user for a moment, to find who was missed',
  effect: 'New connections as the default user are refused for the time watched, then let in again.',
  check: 'No login was refused meanwhile.',
  undoText: 'The default user is as it was already.',
  watched: true,
  async take({ migration, context }) {
    const before = await refusals(migration);
    let refused = 0;
    try {
      await onEach(migration, async (ask) => {
        await ask('ACL', 'SETUSER', 'default', 'off');
      });
      const end = performance.now() + migration.plan.watchSeconds * 1000;
      while (performance.now() < end && refused === 0) {
        await delay(200, undefined, { signal: context.signal });
        refused = (await refusals(migration)) - before;
      }
    } finally {
      await onEach(migration, restoreDefault);
    }
    if (refused > 0)
      throw notYet(
        `${refused} ${refused === 1 ? 'login was' : 'logins were'} refused while the default user was off; it is on again. Short connections do not show in the list: ask who runs jobs against this server`,
      );
    return 'nobody was refused';
  },
  async undo({ migration }) {
    await onEach(migration, restoreDefault);
  },
};

const closeDefault: Step = {
  title: 'Turn the default user off',
  effect: 'Clients without a user of their own are refused; connections as the default user are ended.',
  check: 'The new way works on a second connection before the old one is ended.',
  undoText: 'The default user is as it was.',
  watched: true,
  async take({ migration }) {
    await onEach(migration, async (ask, node) => {
      await ask('ACL', 'SETUSER', 'default', 'off');
      for (const { name } of migration.plan.users)
        if (!(await logsIn(migration, node, name))) throw unproved(node, `${name} cannot log in`);
      await ask('CLIENT', 'KILL', 'USER', 'default', 'SKIPME', 'yes');
    });
    await onEach(migration, persist);
    return 'the default user is off';
  },
  async undo({ migration }) {
    await onEach(migration, async (ask, node) => {
      await restoreDefault(ask, node);
      await persist(ask, node);
    });
  },
};

const closePlaintext: Step = {
  title: 'Close the plaintext port',
  effect: 'Plaintext connections are ended and refused.',
  check: 'The new way works; nothing listens on the old port.',
  undoText: 'The plaintext port is open again.',
  watched: true,
  async take({ migration }) {
    await onEach(migration, async (ask, node) => {
      await ask('CONFIG', 'SET', 'port', '0');
      if (!(await logsIn(migration, node, adminUser))) throw unproved(node, 'the new way fails');
      // Connections that exist go on after `port 0`, until they are ended.
      for (const address of await plaintextLocalAddresses(ask, node)) await ask('CLIENT', 'KILL', 'LADDR', address);
      if (await canLogIn(await oldWay(migration, node))) throw unproved(node, 'the plaintext port still answers');
    });
    await onEach(migration, persist);
    return 'no plaintext port is open';
  },
  async undo({ migration }) {
    await onEach(migration, async (ask, node) => {
      await ask('CONFIG', 'SET', 'port', node.before['port'] ?? String(node.port));
      await persist(ask, node);
    });
  },
};

const prove: Step = {
  title: 'Prove that the doors are closed',
  effect: 'None.',
  check: 'Logins the old way fail on every node; the file says the same as the running server.',
  undoText: 'Nothing to undo.',
  watched: false,
  async take({ migration }) {
    await onEach(migration, async (ask, node) => {
      if (await canLogIn(await oldWay(migration, node))) throw unproved(node, 'the plaintext port still answers');
      const ca = await readFile(migration.file('pki', 'ca.crt'), 'utf8');
      const given = { ...(await oldWay(migration, node)), port: node.tlsPort, tls: true, ca };
      if (await canLogIn(given)) throw unproved(node, 'the earlier login still works over TLS');
      const port = record(await ask('CONFIG', 'GET', 'port'))['port'];
      if (port !== '0') throw unproved(node, `port is ${port}`);
      if (node.role === 'replica') await linkUp(ask, node);
      const file = node.local && node.configFile !== '' ? await readIfPresent(node.configFile) : undefined;
      if (file !== undefined && !/^port 0$/m.test(file))
        throw unproved(node, `${node.configFile} still opens the port`);
    });
    return 'the old way in is refused on every node';
  },
  undo: async () => undefined,
};

export const steps: Readonly<Record<StepId, Step>> = {
  backup,
  tls,
  users,
  replication,
  'hand-over': handOver,
  'brown-out': brownOut,
  'close-default': closeDefault,
  'close-plaintext': closePlaintext,
  prove,
};

/** Connections on the old way, on all nodes. */
export async function stragglers(migration: Migration): Promise<ClientOnOldWay[]> {
  const found: ClientOnOldWay[] = [];
  for (const node of inOrder(migration))
    found.push(...(await asAdmin(migration, node, (ask) => clientsOnOldWay(ask, node))));
  return found;
}

export function whoIsLate(late: readonly ClientOnOldWay[]): string {
  return late
    .map(({ address, name, user, plaintext, connections }) => {
      const what = [plaintext && 'plaintext', user === 'default' && 'default user'].filter(Boolean).join(', ');
      return `${address}${name ? ` (${name})` : ''} ${connections} × ${what}`;
    })
    .join('; ');
}

function notYet(text: string): CliError {
  return new CliError(
    'REDKEEP_MIGRATION_CLIENTS_REMAIN',
    `Not every client has moved: ${text}.`,
    'Change them ("redkeep migrate hand-over" prints what each library needs) and run it again.',
  );
}

function unproved(node: MigrationNode, what: string): CliError {
  return new CliError(
    'REDKEEP_MIGRATION_UNPROVED',
    `${both(node)}: ${what}.`,
    'Nothing was closed for good; "redkeep migrate undo" takes the last step back.',
  );
}

function serverWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'serverMessage' in error ? String(error.serverMessage) : error.message;
}

async function logsIn(migration: Migration, node: MigrationNode, user: string): Promise<boolean> {
  // The replication user may not run PING after login on every engine: that it is let in is what counts.
  return canLogIn(await newWay(migration, node, user));
}

/** As the given user, over whichever port is open. */
async function asGiven(migration: Migration, node: MigrationNode, work: (ask: Ask) => Promise<void>): Promise<void> {
  const { openSession } = await import('../audit/gather/session.js');
  const session = await openSession(await oldWay(migration, node), 'redkeep-migrate');
  try {
    await work(session.ask);
  } finally {
    await session.close();
  }
}

/** Puts the default user back as ACL LIST had it: with its hashes, so that no password has to be known. */
async function restoreDefault(ask: Ask, node: MigrationNode): Promise<void> {
  const [, , ...rules] = node.defaultUser.split(' ');
  await ask('ACL', 'SETUSER', 'default', 'reset', ...rules);
}

async function refusals(migration: Migration): Promise<number> {
  let sum = 0;
  await onEach(migration, async (ask) => {
    const info = await readInfo(ask);
    for (const word of ['NOAUTH', 'WRONGPASS'])
      sum += Number(/count=(\d+)/.exec(info[`errorstat_${word}`] ?? '')?.[1] ?? 0);
  });
  return sum;
}

/** Says who would be cut off by taking back what clients already use, and refuses unless that was accepted. */
async function refuseToCutOff({ migration, allowDisconnect }: StepContext): Promise<void> {
  if (allowDisconnect) return;
  const names = new Set(migration.plan.users.map(({ name }) => name).filter((name) => name !== replicationUser));
  const found: string[] = [];
  await onEach(migration, async (ask) => {
    for (const { user = '', name = '', addr = '' } of clientList(await ask('CLIENT', 'LIST'))) {
      const address = addr.replace(/:\d+$/, '');
      if (names.has(user) && name !== 'redkeep-migrate') found.push(`${address}${name ? ` (${name})` : ''} as ${user}`);
    }
  });
  if (found.length === 0) return;
  throw new CliError(
    'REDKEEP_CONSENT_NEEDED',
    `These clients use it and would be cut off: ${[...new Set(found)].join('; ')}.`,
    'Move them back first, or accept it with --allow-disconnect.',
  );
}

async function plaintextLocalAddresses(ask: Ask, node: MigrationNode): Promise<string[]> {
  const found = clientList(await ask('CLIENT', 'LIST')).map(({ laddr = '' }) => laddr);
  return [...new Set(found.filter((address) => address.endsWith(`:${node.port}`)))];
}

async function linkUp(ask: Ask, node: MigrationNode): Promise<void> {
  const end = performance.now() + 30_000;
  while (performance.now() < end) {
    if ((await readInfo(ask))['master_link_status'] === 'up') return;
    await delay(100);
  }
  throw unproved(node, 'its link to the primary does not come up within 30 s');
}

async function keepOnce(file: string, text: string): Promise<void> {
  await writeSecret(file, text).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw explainSystemError(error, file);
  });
}

function folderName({ host, port }: MigrationNode): string {
  return `${host.replaceAll(':', '-')}-${port}`;
}

/** Makes the CA and a certificate for each node; what an interrupted run made is kept. */
async function ensurePki(migration: Migration, now: Date): Promise<void> {
  const caKeyFile = migration.file('authority', 'ca.key');
  if ((await readIfPresent(migration.file('pki', 'ca.crt'))) === undefined) {
    const made = await createAuthority({ commonName: 'Redkeep migration CA', days: authorityDays, now });
    await replaceFile(caKeyFile, made.key);
    await replaceFile(migration.file('pki', 'ca.crt'), made.cert);
  }
  const authority = {
    cert: await readFile(migration.file('pki', 'ca.crt'), 'utf8'),
    key: await readFile(caKeyFile, 'utf8'),
  };
  for (const node of migration.plan.nodes) {
    const folder = migration.file('hosts', folderName(node));
    if ((await readIfPresent(path.join(folder, 'server.crt'))) !== undefined) continue;
    const names = [node.host, ...(node.local ? ['localhost', '127.0.0.1', '::1'] : [])];
    const issued = await issueCertificate(
      authority,
      {
        name: folderName(node),
        commonName: node.host,
        dnsNames: [...new Set(names.filter((name) => isIP(name) === 0))],
        ipAddresses: [...new Set(names.filter((name) => isIP(name) !== 0))],
        usage: 'node',
        days: serverDays,
        certFile: '',
        keyFile: '',
      } as Parameters<typeof issueCertificate>[1],
      { now },
    );
    await replaceFile(path.join(folder, 'ca.crt'), authority.cert);
    await replaceFile(path.join(folder, 'server.key'), issued.key);
    await replaceFile(path.join(folder, 'server.crt'), issued.cert);
  }
}

/** Puts a node's files where its server reads them, when that is on this machine; says where they belong otherwise. */
async function deliver(
  migration: Migration,
  node: MigrationNode,
): Promise<{ readonly cert: string; readonly key: string; readonly ca: string }> {
  const names = { cert: 'server.crt', key: 'server.key', ca: 'ca.crt' };
  const files = Object.fromEntries(
    Object.entries(names).map(([kind, name]) => [kind, path.join(node.serverFolder, name)]),
  ) as { cert: string; key: string; ca: string };
  if (!node.local) return files;
  await mkdir(node.serverFolder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw explainSystemError(error, node.serverFolder);
  });
  const isRoot = process.getuid?.() === 0;
  if (isRoot && node.owner) await chown(node.serverFolder, node.owner.uid, node.owner.gid);
  for (const name of Object.values(names))
    await replaceFile(
      path.join(node.serverFolder, name),
      await readFile(migration.file('hosts', folderName(node), name), 'utf8'),
      isRoot && node.owner ? { owner: node.owner } : {},
    );
  return files;
}
