import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import type { EngineName } from '../../vocabulary/engines.js';
import { type AclUser, parseAclUser } from '../facts/acl-user.js';
import { type Fact, NotObserved, observe, observed, unobserved } from '../facts/fact.js';
import type { AclFile, ConfigFile, Directive, NodeFacts, Permissions } from '../facts/facts.js';
import type { Location } from '../facts/project-facts.js';
import { isReference } from '../facts/reference.js';
import { readAclFile, readConfigFile, settingsOf } from './config-file.js';
import { permissionsOf, settingNames } from './live.js';

/** What a server does where its file says nothing (redis.conf of Redis 7.0 to 8.0 and Valkey 8 to 9). */
const defaults: Readonly<Record<string, string>> = {
  bind: '* -::*',
  port: '6379',
  'tls-port': '0',
  'protected-mode': 'yes',
  'cluster-enabled': 'no',
  aclfile: '',
  'acllog-max-len': '128',
  'acl-pubsub-default': 'resetchannels',
  'tls-auth-clients': 'yes',
  'tls-replication': 'no',
  'tls-cluster': 'no',
  'enable-debug-command': 'no',
  'enable-module-command': 'no',
  'enable-protected-configs': 'no',
  'replica-read-only': 'yes',
  masteruser: '',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  maxclients: '10000',
  timeout: '0',
  'tcp-keepalive': '300',
  'notify-keyspace-events': '',
  loglevel: 'notice',
  'stop-writes-on-bgsave-error': 'yes',
  rdbchecksum: 'yes',
  'slowlog-log-slower-than': '10000',
  'slowlog-max-len': '128',
  'latency-monitor-threshold': '0',
};

/** `slave…` and `master…` are older names of the same settings. */
const renamed: Readonly<Record<string, string>> = {
  'slave-read-only': 'replica-read-only',
  primaryuser: 'masteruser',
};

/** A server as its files describe it: nothing connects, and what only a running server shows is not observed. */
export interface DescribedServer {
  /** What findings are about: a file, or a service in one. */
  readonly subject: string;
  readonly engine: EngineName;
  readonly at: Location;
  readonly container?: { readonly hostNetwork: boolean };
  /** What writes its configuration (a chart, an operator): what the files leave out is then not the server's default. */
  readonly managedBy?: string;
  /** Why its settings are not known, where the configuration file it starts with is not among the files. */
  readonly unknown?: string;
  /** The version that an image's tag names. */
  readonly version?: string;
  readonly directives: readonly Directive[];
  readonly file?: ConfigFile['file'];
  readonly includes?: ConfigFile['includes'];
  readonly acl?: Fact<AclFile | null>;
  /** Settings that the packaging changes: the official images turn protected mode off. */
  readonly packaged?: Readonly<Record<string, string>>;
}

/** Dragonfly's flags have names and defaults of their own. */
const dragonflyDefaults: Readonly<Record<string, string>> = {
  bind: '*',
  port: '6379',
  'tls-port': '0',
  maxmemory: '0',
  admin_port: '0',
  admin_nopass: 'false',
  memcached_port: '0',
};

function defaultsOf({ engine, managedBy, unknown }: DescribedServer): Readonly<Record<string, string>> {
  // Options beside a configuration that was not seen: they count, and nothing else is known.
  if (unknown !== undefined) return {};
  if (managedBy !== undefined) return { bind: '*', port: '6379', 'tls-port': '0' };
  return engine === 'dragonfly' ? dragonflyDefaults : defaults;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The users a server starts with: those of its ACL file, or of `user` lines and `requirepass`. */
function usersOf(
  { directives, unknown, managedBy }: DescribedServer,
  acl: Fact<AclFile | null>,
): Fact<readonly AclUser[]> {
  if (!acl.observed) return unobserved(acl.reason);
  const lines = directives.filter(({ name }) => name === 'user');
  const written =
    acl.value?.users ?? lines.flatMap(({ args, line }) => parseAclUser(`user ${args.join(' ')}`, line) ?? []);
  const password = acl.value ? undefined : directives.findLast(({ name }) => name === 'requirepass')?.args[0];
  if (managedBy !== undefined && password) return unobserved(`${managedBy} makes the users`);
  if (unknown !== undefined && !password && written.length === 0) return unobserved(unknown);
  const given = written.find(({ name }) => name === 'default');
  const secured = (user: AclUser): AclUser =>
    password ? { ...user, noPassword: false, passwordHashes: isReference(password) ? [] : [sha256(password)] } : user;
  // Without a line of its own the default user is on, with every right and no password.
  const standard = given ?? parseAclUser('user default on nopass ~* &* +@all')!;
  return observed([secured(standard), ...written.filter(({ name }) => name !== 'default')], 'the configuration file');
}

/** Many files describe servers with the same users: what these can do is computed once. */
const knownPermissions = new Map<string, Fact<Permissions>>();

async function permissionsOfUsers(users: readonly AclUser[]): Promise<Fact<Permissions>> {
  const key = JSON.stringify(users.map(({ line, passwordHashes, ...rights }) => rights));
  const known =
    knownPermissions.get(key) ?? (await observe('the configuration file', () => permissionsOf(users, undefined)));
  knownPermissions.set(key, known);
  return known;
}

/** Facts of a server that is only described. */
export async function describedNode(server: DescribedServer): Promise<NodeFacts> {
  const { subject, engine, directives, packaged, at, unknown } = server;
  const none = unobserved('only its files were audited, not a running server');
  const acl = server.acl ?? observed(null, 'the configuration file');
  const users = usersOf(server, acl);
  const written = Object.fromEntries(
    Object.entries(settingsOf(directives)).map(([name, value]) => [
      renamed[name] ?? name,
      // A flag of Dragonfly without a value is on.
      engine === 'dragonfly' && value === '' ? 'true' : value,
    ]),
  );
  const known: readonly string[] = settingNames;
  const config = Object.fromEntries(
    Object.entries({ ...defaultsOf(server), ...(unknown === undefined && packaged), ...written }).filter(([name]) =>
      known.includes(name),
    ),
  );
  const primary = directives.findLast(({ name }) => /^(replicaof|slaveof)$/.test(name));
  const isSentinel = directives.some(({ name }) => name === 'sentinel');
  const configFile: Fact<ConfigFile> = observed(
    { ...(server.file && { file: server.file }), directives, includes: server.includes ?? [] },
    server.file?.path ?? `${at.file}:${at.line}`,
  );
  // Dragonfly has one port, in TLS or in clear.
  const inClear =
    config['port'] !== '0' && !(engine === 'dragonfly' && written['tls'] !== undefined && written['tls'] !== 'false');
  const settings =
    unknown === undefined || Object.keys(written).length > 0
      ? observed(config, 'the configuration file')
      : unobserved(unknown);
  return {
    address: subject,
    host: subject,
    port: Number(config['tls-port'] ?? 0) || Number(config['port']),
    fromFiles: true,
    at,
    ...(server.container && { container: server.container }),
    vouched: true,
    engine: observed(
      {
        name: engine,
        version: server.version ?? '8.0',
        mode: isSentinel ? 'sentinel' : config['cluster-enabled'] === 'yes' ? 'cluster' : 'standalone',
        role: isSentinel ? 'sentinel' : 'primary',
        build: server.version === undefined ? 'unclear' : 'vendor',
      },
      'the configuration file',
    ),
    anonymous: none,
    plaintext:
      isSentinel || config['port'] === undefined || !settings.observed
        ? unobserved(unknown ?? 'only its files were audited, not a running server')
        : observed({ port: Number(config['port']), open: inClear, plaintext: inClear }, 'the configuration file'),
    tls: none,
    http: none,
    busPort: none,
    config: settings,
    info: none,
    users,
    permissions: users.observed ? await permissionsOfUsers(users.value) : unobserved(users.reason),
    commands: none,
    aclLog: none,
    clients: none,
    modules: none,
    libraries: none,
    replication: primary?.args[0]
      ? observed({ primaryHost: primary.args[0], replicas: [] }, 'the configuration file')
      : none,
    sentinel: none,
    clusterPeers: none,
    residue: none,
    keySample: none,
    process: none,
    files: observed(
      {
        config: configFile,
        acl,
        certificate: none,
        key: none,
        caKeys: none,
        data: none,
        directory: none,
        socket: none,
        modules: none,
        log: none,
      },
      subject,
    ),
  };
}

/** The ACL file that a configuration names: at its path, else beside the configuration. */
export function nodeAclOf(config: string, directives: readonly Directive[]): Promise<Fact<AclFile | null>> {
  const aclPath = directives.findLast(({ name }) => name === 'aclfile')?.args[0];
  if (!aclPath) return Promise.resolve(observed(null, config));
  const folder = dirname(config);
  return observe(aclPath, () =>
    readAclFile(resolve(folder, aclPath)).catch(() => readAclFile(resolve(folder, basename(aclPath)))),
  );
}

/** A redis.conf, valkey.conf or sentinel.conf with what it includes. */
export async function nodeOfConfigFile(path: string): Promise<NodeFacts> {
  const { file, directives, includes } = await readConfigFile(path);
  const acl = await nodeAclOf(path, directives);
  return describedNode({
    subject: path,
    engine: engineOf(basename(path)),
    at: { file: path, line: 1 },
    directives,
    ...(file && { file }),
    includes,
    acl,
  });
}

/** An ACL file alone: who may do what, and nothing of the settings. */
export async function nodeOfAclFile(path: string): Promise<NodeFacts> {
  const acl = await readAclFile(path);
  if (acl.users.length === 0) throw new NotObserved(`${path} has no line that begins with "user"`);
  const node = await describedNode({
    subject: path,
    engine: 'redis',
    at: { file: path, line: 1 },
    directives: [],
    acl: observed(acl, path),
  });
  return {
    ...node,
    config: unobserved('an ACL file holds no settings'),
    plaintext: unobserved('an ACL file holds no settings'),
  };
}

function engineOf(text: string): 'redis' | 'valkey' {
  return /valkey/i.test(text) ? 'valkey' : 'redis';
}
