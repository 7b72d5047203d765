import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Endpoint } from '../audit/gather/endpoint.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { certificateOf, userOf } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { deploymentState } from './deployment-states.js';
import type { Expectations } from './detect/expectations.js';
import { defaultIntervals, type Intervals, NodeGatherer } from './gather/node-gatherer.js';
import type { WatchedDeployment } from './monitor.js';
import { plannedChange } from './planned-change.js';

/** Longest wait for a connection or an answer; a server that takes longer is down for its clients as well. */
export const answerMs = 5000;

export interface WatchOptions {
  /** Networks that clients may come from, as CIDR, beside the sources of the deployment. */
  readonly networks: readonly string[];
  /** Addresses of replicas that are not nodes of the deployment, such as an archiver of backups. */
  readonly allowReplicas: readonly string[];
  readonly auditReport?: string;
  readonly intervals?: Intervals;
}

/** A deployment of `redkeep init`, watched as its monitoring user. */
export function watchDeployment(
  reload: () => Promise<LoadedDeployment>,
  loaded: LoadedDeployment,
  options: WatchOptions,
): WatchedDeployment {
  const { deployment } = loaded;
  const gatherers = deployment.nodes.map(
    ({ name, host, port, role }) =>
      new NodeGatherer(
        { deployment: deployment.name, name, host, port, role },
        () => monitoringEndpoint(loaded, host, port),
        options.intervals ?? defaultIntervals,
      ),
  );
  return {
    name: deployment.name,
    gatherers,
    expectations: async (now) => expectationsOf(await reload(), options, now),
    state: async (now) => deploymentState(await reload(), now, options.auditReport),
  };
}

export interface WatchedServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly read: () => Promise<Endpoint>;
}

/** Servers that are named by their addresses; what a deployment would say is not expected of them. */
export function watchServers(
  name: string,
  servers: readonly WatchedServer[],
  options: WatchOptions,
): WatchedDeployment {
  const intervals = options.intervals ?? defaultIntervals;
  return {
    name,
    gatherers: servers.map(
      ({ host, port, read }) =>
        new NodeGatherer({ deployment: name, name: `${host}:${port}`, host, port }, read, intervals),
    ),
    expectations: async () => ({
      topology: undefined,
      replicaAddresses: new Set(options.allowReplicas),
      ownAddresses: machineAddresses(),
      users: undefined,
      networks: options.networks,
      certificates: new Map(),
      changing: false,
      walking: false,
      tlsOnly: servers.every(({ tls }) => tls),
    }),
    state: async () => undefined,
  };
}

/** The endpoint of a node for the monitoring user, its files read now. */
export async function monitoringEndpoint(loaded: LoadedDeployment, host: string, port: number): Promise<Endpoint> {
  const { deployment } = loaded;
  const user = userOf(deployment, 'monitoring');
  if (!user)
    throw new CliError(
      'REDKEEP_USER_UNKNOWN',
      'The deployment has no monitoring user.',
      'Run redkeep init again; it adds one.',
    );
  const { certFile, keyFile } = certificateOf(deployment, user.certificate);
  const read = (file: string) => readFile(loaded.locate(file), 'utf8');
  const files = [deployment.caFile, certFile, keyFile, user.passwordFile];
  const [ca = '', cert = '', key = '', password = ''] = await Promise.all(files.map(read));
  return { host, port, tls: true, ca, cert, key, username: user.name, password: password.trim(), timeoutMs: answerMs };
}

async function expectationsOf(loaded: LoadedDeployment, options: WatchOptions, now: number): Promise<Expectations> {
  const { deployment } = loaded;
  const hosts = await addressesOf(deployment.nodes.map(({ host }) => host));
  const certificates = await Promise.all(
    deployment.nodes.map(async ({ name, certificate }) => {
      const pem = await readIfPresent(loaded.locate(certificateOf(deployment, certificate).certFile));
      return [name, fingerprintOf(pem)] as const;
    }),
  );
  return {
    topology: deployment.topology,
    replicaAddresses: new Set([...hosts, ...options.allowReplicas]),
    ownAddresses: new Set([...hosts, ...machineAddresses()]),
    users: new Map(deployment.users.map(({ name, role }) => [name, role])),
    networks: [...deployment.sources, ...options.networks],
    certificates: new Map(certificates.filter((pair): pair is [string, string] => pair[1] !== undefined)),
    changing: await plannedChange(loaded.folder, now),
    walking: await plannedChange(loaded.folder, now, /^rotate-encryption-keys-/),
    tlsOnly: true,
  };
}

function fingerprintOf(pem: string | undefined): string | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem).fingerprint256;
  } catch {
    return undefined;
  }
}

/** Names with the addresses they resolve to: servers report their peers by either. */
async function addressesOf(hosts: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    [...new Set(hosts)].map(async (host) => {
      if (isIP(host) !== 0) return [host];
      const found = await lookup(host, { all: true }).catch(() => []);
      return [host, ...found.map(({ address }) => address)];
    }),
  );
  return lists.flat();
}

function machineAddresses(): Set<string> {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(['127.0.0.1', '::1', ...own.map(({ address }) => address)]);
}
