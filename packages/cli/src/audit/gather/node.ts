import type { EngineFacts } from '../facts/engine-facts.js';
import { type Fact, maybe, NotObserved, observe, observed, unobserved } from '../facts/fact.js';
import type { Expectations, NodeFacts, PortFacts } from '../facts/facts.js';
import { addressText, parseClusterNodes } from './discover.js';
import { type Endpoint, pathHere } from './endpoint.js';
import { identify, packageOf } from './engine.js';
import { type FileHints, readServerFiles } from './files.js';
import * as live from './live.js';
import { probeAnonymous, probeHttp, probeOpenUsers, probePort } from './probe.js';
import { isThisMachine, observeProcess } from './process.js';
import { probeTls } from './tls-probe.js';

/** A connection that is logged in, with only what the audit needs of it. */
export interface Session {
  readonly ask: live.Ask;
  close(): Promise<void>;
}

export interface NodeOptions {
  readonly endpoint: Endpoint;
  readonly expectations: Expectations;
  /** Logs in; must verify the server before it sends a credential. */
  readonly openSession: (endpoint: Endpoint) => Promise<Session>;
  /** redis.conf, where it was given instead of reported by the server. */
  readonly configFile?: string;
  /** How many keys to sample; 0: none. */
  readonly sampleKeys: number;
  /** The node that named this one, where the operator did not. */
  readonly foundThrough?: string;
}

type Live = Pick<
  NodeFacts,
  | 'config'
  | 'info'
  | 'users'
  | 'permissions'
  | 'commands'
  | 'aclLog'
  | 'clients'
  | 'modules'
  | 'libraries'
  | 'residue'
  | 'keySample'
  | 'sentinel'
  | 'clusterPeers'
>;

function explain(command: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /NOPERM|no permissions/i.test(message)
    ? `the audit's user may not run ${command} (redkeep audit --print-acl shows a user that may)`
    : `${command}: ${message}`;
}

async function ask<T>(command: string, read: () => Promise<T>): Promise<Fact<T>> {
  try {
    return observed(await read(), command);
  } catch (error) {
    return unobserved(explain(command, error));
  }
}

/** Reads everything that needs a login. Commands go out together; the client writes them in few packets. */
async function readLive(session: Session, sampleKeys: number): Promise<Live> {
  const { ask: run } = session;
  const users = ask('ACL LIST', () => live.readUsers(run));
  const [config, info, accounts, commands, aclLog, clients, modules, libraries, residue] = await Promise.all([
    ask('CONFIG GET', () => live.readSettings(run)),
    ask('INFO', () => live.readInfo(run)),
    users,
    ask('COMMAND', () => live.readCommands(run)),
    ask('ACL LOG', () => live.readAclLog(run)),
    ask('CLIENT LIST', () => live.readClients(run)),
    ask('MODULE LIST', () => live.readModules(run)),
    ask('FUNCTION LIST', () => live.readLibraries(run)),
    ask('EXISTS', () => live.readResidue(run)),
  ]);
  const permissions: NodeFacts['permissions'] = !accounts.observed
    ? unobserved(accounts.reason)
    : await observe('ACL LIST and COMMAND', async () => live.permissionsOf(accounts.value, maybe(commands)));
  const { redis_mode: redisMode, server_mode: mode = redisMode } = maybe(info) ?? {};
  const isSentinel = mode === 'sentinel';
  return {
    config,
    info,
    users: accounts,
    permissions,
    commands,
    aclLog,
    clients,
    modules,
    libraries,
    residue,
    keySample:
      sampleKeys > 0
        ? await ask('SCAN', () => live.sampleKeys(run, sampleKeys))
        : unobserved('keys are sampled only when asked for (--sample-keys N)'),
    sentinel: isSentinel ? await ask('SENTINEL MASTERS', () => live.readSentinel(run)) : unobserved('not a sentinel'),
    clusterPeers:
      maybe(info)?.['cluster_enabled'] === '1'
        ? await ask('CLUSTER NODES', async () => parseClusterNodes(String(await run('CLUSTER', 'NODES'))))
        : unobserved('not a cluster'),
  };
}

function nothingLive(reason: string): Live {
  const none = unobserved(reason);
  return {
    config: none,
    info: none,
    users: none,
    permissions: none,
    commands: none,
    aclLog: none,
    clients: none,
    modules: none,
    libraries: none,
    residue: none,
    keySample: none,
    sentinel: none,
    clusterPeers: none,
  };
}

async function readThrough(options: NodeOptions, endpoint: Endpoint): Promise<Live> {
  const session = await options.openSession(endpoint);
  try {
    return await readLive(session, options.sampleKeys);
  } finally {
    await session.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Where strangers are served (a Sentinel usually is such a place), what they see is seen without a login, too. */
async function readBehindLogin(options: NodeOptions, strangersAreServed: boolean): Promise<Live> {
  const { username: _, password: __, ...anonymous } = options.endpoint;
  try {
    return await readThrough(options, options.endpoint).catch((error: unknown) => {
      if (!strangersAreServed) throw error;
      return readThrough(options, anonymous);
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (options.endpoint.password !== undefined && codeOf(error) === 'REDKEEP_AUTH_FAILED')
      throw new NotObserved(
        `the server refused the credentials of ${options.endpoint.username ?? 'default'}: ${message}`,
      );
    return nothingLive(`no session with the server: ${message}`);
  }
}

/** The plaintext port is the configured one; without the configuration only the audited port can be spoken for. */
async function observePlaintext(
  endpoint: Endpoint,
  config: Live['config'],
  audited: Awaited<ReturnType<typeof probePort>>,
): Promise<NodeFacts['plaintext']> {
  // Through a Unix socket nothing travels that somebody could read on the way.
  if (audited.plaintext && endpoint.path === undefined) return observed(audited, 'probe');
  if (!config.observed)
    return unobserved(`only port ${endpoint.port} was tried; other ports are in the configuration: ${config.reason}`);
  const port = Number(config.value['port'] ?? 0);
  if (port === 0) return observed({ port: 0, open: false, plaintext: false }, 'CONFIG GET port');
  return observe('probe', () => probePort(endpoint, port));
}

async function observeEngine(info: Live['info'], executable: string | undefined): Promise<Fact<EngineFacts>> {
  if (!info.observed) return unobserved(info.reason);
  const engine = identify(info.value);
  return observed(executable ? { ...engine, ...(await packageOf(executable)) } : engine, 'INFO server');
}

function fileHints(options: NodeOptions, facts: Live): FileHints {
  const { endpoint } = options;
  const configured = maybe(facts.info)?.['config_file'];
  const configFile = options.configFile ?? (configured && pathHere(endpoint, configured));
  return {
    ...(configFile ? { configFile } : {}),
    settings: maybe(facts.config) ?? {},
    ...(endpoint.mounts ? { locate: (path: string) => pathHere(endpoint, path) } : {}),
    modules: (maybe(facts.modules) ?? []).map((module) => module.path),
  };
}

/**
 * Looks at one server from outside (as a stranger, by handshakes), from inside (logged in), and from beside (process
 * and files, when it runs on this machine). Read-only; about 170 small commands, none that walks the key space.
 */
export async function gatherNode(options: NodeOptions): Promise<NodeFacts> {
  const { endpoint, expectations } = options;
  const names = [endpoint.servername ?? endpoint.host, ...expectations.names];
  const audited = await probePort(endpoint, endpoint.port);
  if (!audited.open) throw new NotObserved(`nothing listens on ${addressText(endpoint)}`);
  const firstTls = audited.plaintext ? undefined : observe('TLS handshakes', () => probeTls(endpoint, names));
  const speaksTls = !audited.plaintext;
  const anonymous = await observe('fresh connection', async () => {
    const stranger = await probeAnonymous(endpoint, speaksTls);
    if (stranger.accepted.length > 0 || endpoint.password !== undefined) return stranger;
    const openUsers = await probeOpenUsers(endpoint, speaksTls, Object.keys(expectations.roles));
    return { ...stranger, openUsers };
  });
  refuseForeignServer(endpoint, audited, await firstTls);
  const behindLogin = await readBehindLogin(options, (maybe(anonymous)?.accepted.length ?? 0) > 0);
  const process = await observeProcess(endpoint.host, behindLogin.info);
  const files = await observeFiles(options, behindLogin, process);
  const facts = { ...behindLogin, config: settingsOf(behindLogin, files) };
  const tlsPort = Number(maybe(facts.config)?.['tls-port'] ?? 0);
  // A plaintext port does not answer a ClientHello at all: a short wait is enough there.
  const tls = firstTls
    ? await firstTls
    : await observe('TLS handshakes', () => {
        if (endpoint.path !== undefined && tlsPort === 0)
          throw new NotObserved('the server was reached through a Unix socket, and its TLS port is not known');
        return probeTls(
          { ...endpoint, port: tlsPort || endpoint.port, timeoutMs: tlsPort ? endpoint.timeoutMs : 500 },
          names,
        );
      });
  const engine = await observeEngine(facts.info, maybe(process)?.executable);
  const isDragonfly = maybe(engine)?.name === 'dragonfly';
  const clustered = maybe(engine)?.mode === 'cluster';
  const busPort = Number(maybe(facts.config)?.['cluster-port'] || endpoint.port + 10_000);
  return {
    address: addressText(endpoint),
    host: endpoint.host,
    port: endpoint.port,
    ...(options.foundThrough !== undefined && { foundThrough: options.foundThrough }),
    vouched: options.foundThrough === undefined || (endpoint.tls && endpoint.ca !== undefined && facts.info.observed),
    engine,
    cliOptions: cliOptions(endpoint),
    ...(endpoint.password !== undefined && { auditedAs: endpoint.username ?? 'default' }),
    anonymous,
    plaintext: await observePlaintext(endpoint, facts.config, audited),
    tls,
    http: isDragonfly
      ? await observe('HTTP request', () => probeHttp(endpoint, speaksTls))
      : unobserved('asked of Dragonfly only'),
    busPort: clustered ? await observe('probe', () => probePort(endpoint, busPort)) : unobserved('not a cluster'),
    ...facts,
    replication: facts.info.observed
      ? observed(live.readReplication(facts.info.value), 'INFO replication')
      : unobserved(facts.info.reason),
    process,
    files,
  };
}

/** redis-cli's options for an endpoint; the password comes from REDISCLI_AUTH, which redis-cli reads itself. */
function cliOptions({ host, port, path, tls, files, servername, username }: Endpoint): string[] {
  return [
    ...(path === undefined ? ['-h', host, '-p', String(port)] : ['-s', path]),
    ...(tls ? ['--tls', '--cacert', files?.ca ?? 'CA-FILE'] : []),
    ...(tls && files?.cert !== undefined && files.key !== undefined ? ['--cert', files.cert, '--key', files.key] : []),
    ...(tls && servername !== undefined ? ['--sni', servername] : []),
    ...(username !== undefined ? ['--user', username] : []),
  ];
}

/** Something that answers in another protocol is not a server of ours: there is nothing to judge. */
function refuseForeignServer(endpoint: Endpoint, { foreign }: PortFacts, tls: NodeFacts['tls'] | undefined): void {
  const offersTls = tls?.observed === true && Object.values(tls.value.versions).some(Boolean);
  // A TLS port may answer PING with an alert, which is no line of any protocol.
  if (foreign === undefined || offersTls) return;
  throw new NotObserved(
    `what listens on ${addressText(endpoint)} is not a Redis, Valkey or Dragonfly server: it answers PING with "${foreign.replace(/[^ -~]/g, '?')}"`,
  );
}

async function observeFiles(
  options: NodeOptions,
  facts: Live,
  process: NodeFacts['process'],
): Promise<NodeFacts['files']> {
  const { host, mounts } = options.endpoint;
  if (mounts) return observed(await readServerFiles(fileHints(options, facts)), 'the files that were delivered');
  if (!isThisMachine(host) && !options.configFile) {
    return unobserved(`${host} is another machine: run the audit there to see its files`);
  }
  if (maybe(process)?.containerized) {
    return unobserved(
      'the server has a file system of its own (container): give the compose file, or run the audit inside',
    );
  }
  return observed(await readServerFiles(fileHints(options, facts)), 'file system');
}

/** A sentinel has no CONFIG: its settings are those of its file, which it rewrites itself. */
function settingsOf({ config, sentinel }: Live, files: NodeFacts['files']): Live['config'] {
  const found = maybe(files);
  const file = found && maybe(found.config);
  if (config.observed || !sentinel.observed || !file) return config;
  const named: readonly string[] = live.settingNames;
  const directives = file.directives.filter(({ name }) => named.includes(name));
  return observed(
    Object.fromEntries(directives.map(({ name, args }) => [name, args.join(' ')])),
    'the configuration file',
  );
}
