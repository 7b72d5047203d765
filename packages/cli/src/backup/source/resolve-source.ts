import path from 'node:path';
import { isLoopback, type RedisClient } from 'redkeep';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { certificateOf, type DeploymentNode, dataNodes, type User, userOf } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import type { StreamEndpoint } from '../stream/stamped-socket.js';
import type { BackupSource, SourceNode, SourceShard } from './backup-source.js';
import { connectEndpoint } from './connect-endpoint.js';

export interface SourceOptions {
  readonly dir?: string;
  readonly source?: string;
  /** URLs of the servers of a shard, separated by commas; once for each shard. */
  readonly from?: readonly string[];
  readonly user?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly allowPlaintext?: boolean;
  readonly adminUser?: string;
  readonly adminPasswordFile?: string;
}

/** The servers to back up: those of a deployment, or those named with `--from`. */
export async function resolveSource(context: Context, options: SourceOptions): Promise<BackupSource> {
  if (options.from && options.from.length > 0) return named(context, options, options.from);
  return deployed(context, await loadDeployment(context, options.dir), options.source);
}

async function deployed(context: Context, loaded: LoadedDeployment, name: string | undefined): Promise<BackupSource> {
  const { deployment } = loaded;
  if (deployment.engine.name === 'dragonfly') {
    throw new CliError(
      'REDKEEP_COMBINATION_IMPOSSIBLE',
      'Dragonfly has no replication stream that others can read: it can be backed up by snapshots only.',
      'Run SAVE RDB there and keep the file; docs/backup.md, "Dragonfly", says how it is encrypted and restored.',
    );
  }
  const user = userOf(deployment, 'backup');
  if (!user)
    throw new CliError('REDKEEP_USER_UNKNOWN', 'The deployment has no backup user.', 'Run redkeep init again.');
  const nodes = dataNodes(deployment);
  const asNode = async (node: DeploymentNode): Promise<SourceNode> => ({
    name: node.name,
    endpoint: await endpointOf(loaded, node, user),
  });
  const shards = await Promise.all(
    nodes
      .filter(({ role }) => role === 'primary')
      .map(async (primary): Promise<SourceShard> => {
        const members = nodes.filter((node) => node === primary || node.replicaOf === primary.name);
        return { name: primary.name, nodes: await Promise.all(members.map(asNode)) };
      }),
  );
  return {
    name: name ?? labelOf(deployment.name),
    topology: deployment.topology,
    shards,
    login: { username: user.name, password: await passwordOf(loaded, user) },
    observe: connectAs(context, loaded, userOf(deployment, 'monitoring')),
    control: connectAs(context, loaded, userOf(deployment, 'admin')),
  };
}

function connectAs(context: Context, loaded: LoadedDeployment, user: User | undefined) {
  if (!user) return undefined;
  return async ({ name }: SourceNode): Promise<RedisClient> => {
    const { targetOf } = await import('../../engine/connect-node.js');
    const node = loaded.deployment.nodes.find((candidate) => candidate.name === name)!;
    return context.connect(await targetOf(loaded, node, user));
  };
}

async function endpointOf(loaded: LoadedDeployment, node: DeploymentNode, user: User): Promise<StreamEndpoint> {
  const certificate = certificateOf(loaded.deployment, user.certificate);
  const [ca, cert, key] = await Promise.all(
    [loaded.deployment.caFile, certificate.certFile, certificate.keyFile].map((file) => needed(loaded.locate(file))),
  );
  return { host: node.host, port: node.port, tls: { ca: ca!, cert: cert!, key: key! } };
}

async function named(context: Context, options: SourceOptions, from: readonly string[]): Promise<BackupSource> {
  const file = (name: string | undefined) => (name === undefined ? undefined : needed(path.resolve(context.cwd, name)));
  const [ca, cert, key, password, adminPassword] = await Promise.all(
    [options.caFile, options.certFile, options.keyFile, options.passwordFile, options.adminPasswordFile].map(file),
  );
  const shards = from.map((urls, index): SourceShard => {
    const nodes = urls.split(',').map((url): SourceNode => {
      const { protocol, hostname, port } = parseUrl(url);
      const host = hostname.replace(/^\[|\]$/g, '');
      if (protocol === 'redis:' && !isLoopback(host) && !options.allowPlaintext) {
        throw usage(
          `${host} would be read in plaintext: the password and all data could be read on the way.`,
          'Use rediss://, or accept it with --allow-plaintext.',
        );
      }
      const tls = protocol === 'rediss:' ? { ca: ca ?? '', ...(cert && key ? { cert, key } : {}) } : undefined;
      if (tls && tls.ca === '')
        throw usage('TLS needs the CA that signed the server.', 'Name its file with --ca-file.');
      return { name: `${host}:${port || 6379}`, endpoint: { host, port: Number(port || 6379), tls } };
    });
    return { name: `s${index + 1}`, nodes };
  });
  if (options.source === undefined) throw usage('--from needs a name for the backup.', 'Give one with --source.');
  const login =
    password === undefined ? undefined : { username: options.user ?? 'default', password: password.trimEnd() };
  const admin =
    adminPassword === undefined
      ? login
      : { username: options.adminUser ?? 'default', password: adminPassword.trimEnd() };
  const connectTo = ({ endpoint }: SourceNode) => connectEndpoint(endpoint, admin);
  const topology = shards.length > 1 ? 'cluster' : 'single';
  return { name: options.source, topology, shards, login, observe: connectTo, control: connectTo };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || url.username || url.password || url.hostname === '') {
    throw usage(
      '--from takes redis:// or rediss:// URLs without a user and password.',
      'Use --user and --password-file.',
    );
  }
  return url;
}

async function needed(file: string): Promise<string> {
  const text = await readIfPresent(file);
  if (text === undefined) throw usage(`${file} is not there.`, 'Check the path.');
  return text;
}

async function passwordOf(loaded: LoadedDeployment, user: User): Promise<string> {
  return (await needed(loaded.locate(user.passwordFile))).trimEnd();
}

/** A deployment's name as a label in object names. */
export function labelOf(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'redis';
}

function usage(message: string, next: string): CliError {
  return new CliError('REDKEEP_USAGE', message, next);
}
