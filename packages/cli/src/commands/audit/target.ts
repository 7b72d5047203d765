import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { AuditProfile, Expectations } from '../../audit/facts/facts.js';
import { addressText } from '../../audit/gather/discover.js';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import {
  filesOfFolder,
  kindOf,
  mergeProjects,
  noProjectFiles,
  type ProjectFiles,
} from '../../audit/gather/project-files.js';
import type { Context } from '../../context.js';
import { componentCommands, libraryFor } from '../../deployment/components.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { certificateOf, type Deployment, type DeploymentNode, type User, userOf } from '../../deployment/model.js';
import { containerFolder } from '../../deployment/render/compose.js';
import { runningConfigPath } from '../../deployment/render/health-check.js';
import { serverPath } from '../../deployment/server-path.js';
import { loadDeployment, readState, resolveFolder } from '../../deployment/state.js';
import { peerAddress, reach } from '../../engine/reach.js';
import { CliError, explainSystemError } from '../../errors.js';
import { recordsFile } from '../../monitor/deployment-states.js';
import { type RoleName, roleNames } from '../../vocabulary/names.js';

export interface TargetOptions {
  readonly dir?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly name?: readonly string[];
  readonly profile?: string;
  readonly roles?: readonly string[];
  readonly data?: string;
  readonly timeout: string;
}

/** What an audit looks at, and what it may use to do so. */
export interface Target {
  readonly label: string;
  readonly endpoints: readonly Endpoint[];
  readonly expectations: Expectations;
  /** The same servers as somebody who may change them; only `--fix` uses it. */
  readonly operators?: readonly Endpoint[];
  /** Configuration and ACL files that are audited as files. */
  readonly serverFiles?: readonly string[];
  /** Folders that are walked for keys, passwords and configuration. */
  readonly folders?: readonly string[];
  readonly project?: ProjectFiles;
  /** Where the deployment keeps its own records; they count where no others are named. */
  readonly records?: string;
  readonly notes: readonly string[];
}

type Access = Omit<Endpoint, 'host' | 'port' | 'tls'>;

function usage(message: string, next: string): CliError {
  return new CliError('REDKEEP_USAGE', message, next);
}

async function readGiven(context: Context, file: string): Promise<string> {
  const resolved = path.resolve(context.cwd, file);
  try {
    return await readFile(resolved, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw usage(`${resolved} does not exist.`, 'Check the path.');
    }
    throw explainSystemError(error, resolved);
  }
}

/** What the flags and the environment give; a password is never taken from the command line. */
async function accessOf(context: Context, options: TargetOptions): Promise<Access> {
  const read = (file: string | undefined): Promise<string> | undefined =>
    file === undefined ? undefined : readGiven(context, file);
  const [ca, cert, key, secret] = await Promise.all([
    read(options.ca ?? context.env['REDIS_TLS_CA_FILE']),
    read(options.cert ?? context.env['REDIS_TLS_CERT_FILE']),
    read(options.key ?? context.env['REDIS_TLS_KEY_FILE']),
    read(options.passwordFile),
  ]);
  const pathOf = (name: 'ca' | 'cert' | 'key', file: string | undefined) =>
    file === undefined ? {} : { [name]: path.resolve(context.cwd, file) };
  const password = secret?.trim() ?? context.env['REDKEEP_PASSWORD'];
  const username = options.user ?? context.env['REDKEEP_USER'];
  if (!/^\d+$/.test(options.timeout) || options.timeout === '0')
    throw usage(`--timeout ${options.timeout} is not a number of milliseconds.`, 'For example --timeout 3000.');
  return {
    timeoutMs: Number(options.timeout),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    files: {
      ...pathOf('ca', options.ca ?? context.env['REDIS_TLS_CA_FILE']),
      ...pathOf('cert', options.cert ?? context.env['REDIS_TLS_CERT_FILE']),
      ...pathOf('key', options.key ?? context.env['REDIS_TLS_KEY_FILE']),
    },
  };
}

/** A server behind a Unix socket of this machine. */
function socketEndpoint(file: string, access: Access): Endpoint {
  return { ...access, host: 'localhost', port: 0, path: file, tls: false };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage(
      'The URL has a % that is not followed by two hexadecimal digits.',
      'A % in a password is written %25; better use --password-file.',
    );
  }
}

function endpointOfUrl(text: string, access: Access): { endpoint: Endpoint; notes: string[] } {
  if (!URL.canParse(text)) throw usage('That is not a URL of a server.', 'The form is rediss://HOST:PORT.');
  const url = new URL(text);
  if (url.protocol === 'unix:') return { endpoint: socketEndpoint(decoded(url.pathname), access), notes: [] };
  if (!/^(redis|valkey)s?:$/.test(url.protocol))
    throw usage(
      `${url.protocol}// is not the scheme of a server.`,
      'Use rediss://HOST:PORT (TLS), redis://HOST:PORT or unix:///PATH.',
    );
  const tls = url.protocol === 'rediss:' || url.protocol === 'valkeys:';
  const username = decoded(url.username) || access.username;
  const password = decoded(url.password) || access.password;
  return {
    endpoint: {
      ...access,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 6379),
      tls,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
    },
    notes:
      url.password === ''
        ? []
        : ['The password was in the URL, where shell histories and process lists keep it: use --password-file.'],
  };
}

export function declaredRoles(options: TargetOptions): Record<string, RoleName> {
  const pairs = (options.roles ?? []).map((text) => {
    const [user = '', role = ''] = text.split('=');
    if (!(roleNames as readonly string[]).includes(role))
      throw usage(`--roles ${text} does not name a role.`, `Use USER=ROLE with one of ${roleNames.join(', ')}.`);
    return [user, role as RoleName];
  });
  return Object.fromEntries(pairs);
}

/** How many replicas every primary is meant to have, whichever node is the primary now. */
function declaredReplicas({ nodes }: Deployment): { minReplicas?: number } {
  const primaries = nodes.filter(({ role }) => role === 'primary');
  const counts = primaries.map((primary) => nodes.filter(({ replicaOf }) => replicaOf === primary.name).length);
  return counts.length === 0 ? {} : { minReplicas: Math.min(...counts) };
}

function expectationsOf(options: TargetOptions, deployment?: Deployment): Expectations {
  const profile = options.profile ?? deployment?.profile ?? 'production';
  const known: Record<string, AuditProfile> = {
    development: 'development',
    staging: 'production',
    production: 'production',
    regulated: 'regulated',
  };
  const chosen = known[profile];
  if (!chosen) throw usage(`Unknown profile "${profile}".`, 'Use development, production or regulated.');
  if (options.data !== undefined && options.data !== 'cache' && options.data !== 'store')
    throw usage(`--data must be "cache" or "store", not "${options.data}".`, 'Use cache or store.');
  return {
    profile: chosen,
    roles: {
      ...Object.fromEntries((deployment?.users ?? []).map((user) => [user.name, user.role])),
      ...declaredRoles(options),
    },
    needed: Object.fromEntries(
      (deployment?.users ?? []).map((user) => [user.name, componentCommands(user, deployment!.engine)]),
    ),
    granted: Object.fromEntries(
      (deployment?.users ?? []).map((user) => [
        user.name,
        [...user.extraCommands, ...(user.onlyCommands ?? []), ...componentCommands(user, deployment!.engine)],
      ]),
    ),
    ...(deployment && { inContainers: deployment.target === 'compose' || deployment.target === 'kubernetes' }),
    peers: (deployment?.nodes ?? []).map((node) => node.host),
    ...(deployment && declaredReplicas(deployment)),
    ...(options.data !== undefined && { dataRole: options.data }),
    modules: [],
    libraries: (deployment && [libraryFor(deployment.users, deployment.engine)?.name ?? []].flat()) ?? [],
    names: options.name ?? [],
  };
}

/** A deployment made by `redkeep init` brings its own CA, auditor and addresses. */
async function ofDeployment(
  context: Context,
  folder: string,
  deployment: Deployment,
  options: TargetOptions,
): Promise<Target> {
  const read = async (file: string): Promise<string> => (await readGiven(context, path.join(folder, file))).trim();
  const given = await accessOf(context, options);
  const credentialOf = async (user: User | undefined): Promise<Partial<Access>> => {
    if (!user) return {};
    const certificate = certificateOf(deployment, user.certificate);
    return {
      username: user.name,
      password: await read(user.passwordFile),
      cert: await read(certificate.certFile),
      key: await read(certificate.keyFile),
      files: {
        ca: path.join(folder, deployment.caFile),
        cert: path.join(folder, certificate.certFile),
        key: path.join(folder, certificate.keyFile),
      },
    };
  };
  const admin = userOf(deployment, 'admin');
  const auditing = await credentialOf(userOf(deployment, 'auditor') ?? admin);
  const operating = await credentialOf(admin);
  const ca = await read(deployment.caFile);
  const ways = await waysTo(context, folder, deployment);
  const as = (own: Partial<Access>): Endpoint[] =>
    deployment.nodes.map(({ host, port }, index) => ({
      ca,
      ...own,
      ...given,
      files: { ...own.files, ...given.files },
      host,
      port,
      ...ways[index],
      tls: true,
    }));
  return {
    label: `${deployment.name} (${folder})`,
    endpoints: as(auditing),
    project: await runningFilesOf(folder, deployment),
    operators: as(operating),
    folders: [folder],
    records: path.join(folder, recordsFile),
    expectations: {
      ...expectationsOf(options, deployment),
      peers: [...deployment.nodes.map(({ host }) => host), ...ways.flatMap(({ alias }) => alias?.host ?? [])],
    },
    notes: [],
  };
}

/** How each node is reached from here, and what the others call it, where that is not its own address. */
async function waysTo(
  context: Context,
  folder: string,
  { target }: Deployment,
): Promise<readonly Pick<Endpoint, 'via' | 'alias' | 'mounts'>[]> {
  if (target === 'local') return [];
  const { deliveryOf } = await import('../../apply/delivery-of.js');
  const loaded = await loadDeployment(context, folder);
  await deliveryOf(context, loaded);
  return Promise.all(
    loaded.deployment.nodes.map(async (node) => {
      // A node that cannot be reached is reported with the reason when it is looked at.
      const via = await reach(loaded, node).catch(() => undefined);
      const host = await peerAddress(loaded, node).catch(() => '');
      return {
        ...(via === undefined || (via.host === node.host && via.port === node.port) ? {} : { via }),
        ...(host === '' || host === node.host ? {} : { alias: { host, port: node.port } }),
        mounts: mountsOf(loaded, node),
      };
    }),
  );
}

/** Where this machine has what a node's server reads: what was delivered, or what its container mounts. */
function mountsOf({ deployment, locate }: LoadedDeployment, node: DeploymentNode): Endpoint['mounts'] {
  const etc = path.posix.dirname(serverPath(deployment, '', 'pki'));
  const data = serverPath(deployment, '', node.dataDir);
  if (deployment.target === 'compose') {
    return [
      { inside: etc, here: locate(containerFolder(node)) },
      { inside: data, here: locate(node.dataDir) },
    ];
  }
  const running = path.posix.dirname(runningConfigPath(deployment, node));
  return [
    { inside: running, here: locate(path.dirname(node.configFile)) },
    { inside: etc, here: locate('.') },
  ];
}

/** What runs the servers, as the folder says it: containers, pods or units. */
async function runningFilesOf(folder: string, { target }: Deployment): Promise<ProjectFiles> {
  const filesIn = async (name: string, ending: string) =>
    (await readdir(path.join(folder, name)).catch(() => []))
      .filter((file) => file.endsWith(ending))
      .map((file) => path.join(folder, name, file));
  if (target === 'compose') return { ...noProjectFiles, containers: [path.join(folder, 'compose.yaml')] };
  if (target === 'kubernetes') return { ...noProjectFiles, containers: await filesIn('kubernetes', '.yaml') };
  if (target === 'systemd') return { ...noProjectFiles, units: await filesIn('systemd', '.service') };
  return noProjectFiles;
}

/** A configuration or ACL file is audited as a file: what listens on its port here may be another server. */
function ofServerFile(file: string, options: TargetOptions): Target {
  return { label: file, endpoints: [], expectations: expectationsOf(options), serverFiles: [file], notes: [] };
}

async function ofDefault(context: Context, options: TargetOptions): Promise<Target> {
  const folder = await resolveFolder(context, options.dir);
  const state = await readState(folder);
  if (state) return ofDeployment(context, folder, state.deployment, options);
  const url = context.env['REDIS_URL'];
  if (options.dir !== undefined || url === undefined) {
    throw new CliError(
      'REDKEEP_NO_DEPLOYMENT',
      `There is no deployment in ${folder}, and no server was named.`,
      'Name one: redkeep audit rediss://HOST:PORT --ca FILE --user NAME --password-file FILE.',
    );
  }
  return ofUrl(context, url, options);
}

async function ofUrl(context: Context, url: string, options: TargetOptions): Promise<Target> {
  const { endpoint, notes } = endpointOfUrl(url, await accessOf(context, options));
  const scheme = endpoint.tls ? 'rediss://' : endpoint.path === undefined ? 'redis://' : '';
  return {
    label: `${scheme}${addressText(endpoint)}`,
    endpoints: [endpoint],
    expectations: expectationsOf(options),
    notes,
  };
}

async function ofPath(context: Context, given: string, options: TargetOptions): Promise<Target> {
  const resolved = path.resolve(context.cwd, given);
  const found = await stat(resolved).catch(() => undefined);
  if (!found)
    throw usage(`${given} is neither a URL nor a file or folder.`, 'Use rediss://HOST:PORT, a folder or a file.');
  if (found.isSocket()) return ofUrl(context, `unix://${encodeURI(resolved)}`, options);
  const kind = await kindOf(resolved);
  if (kind === 'configs') return ofServerFile(resolved, options);
  if (kind === undefined) {
    throw usage(
      `${given} is not a file that the audit can read.`,
      'It reads redis.conf, users.acl, sentinel.conf, Compose, Kubernetes and Helm YAML, Dockerfiles, .env, systemd units, package-lock.json and folders.',
    );
  }
  const state = kind === 'sources' ? await readState(resolved) : undefined;
  if (state) return ofDeployment(context, resolved, state.deployment, options);
  const project = kind === 'sources' ? await filesOfFolder(resolved) : { ...noProjectFiles, [kind]: [resolved] };
  return {
    label: given,
    endpoints: [],
    expectations: expectationsOf(options),
    project,
    ...(kind === 'sources' && { folders: [resolved] }),
    notes: [],
  };
}

/** Finds out what is meant, and reads the files it takes; no connection is made here. */
export async function resolveTarget(
  context: Context,
  targets: readonly string[],
  options: TargetOptions,
): Promise<Target> {
  if (targets.length === 0) return ofDefault(context, options);
  const all = await Promise.all(
    targets.map((target) =>
      target.includes('://') ? ofUrl(context, target, options) : ofPath(context, target, options),
    ),
  );
  // A target with a server says more about what is expected than a file.
  const first = all.find(({ endpoints }) => endpoints.length > 0) ?? all[0]!;
  return {
    ...first,
    project: mergeProjects(all.flatMap(({ project }) => project ?? [])),
    label: all.map(({ label }) => label).join(', '),
    endpoints: all.flatMap(({ endpoints }) => endpoints),
    serverFiles: all.flatMap(({ serverFiles }) => serverFiles ?? []),
    folders: all.flatMap(({ folders }) => folders ?? []),
    notes: all.flatMap(({ notes }) => notes),
  };
}
