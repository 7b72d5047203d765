import { isIP } from 'node:net';
import { isLoopback } from 'redkeep';
import { CliError } from '../errors.js';
import type { Engine } from '../vocabulary/engines.js';
import type { RoleName, TargetName } from '../vocabulary/names.js';
import { residueKeys } from '../vocabulary/residue-keys.js';
import type { Answers } from './answers.js';
import { componentOf } from './components.js';
import { decisionsFor } from './decisions.js';
import { knowsDirective } from './directives.js';
import type { CertificateSpec, Deployment, DeploymentNode, NodeRole, User } from './model.js';
import { prefixOf } from './naming.js';
import { type Policy, profiles } from './profiles.js';

/** The model that follows from the answers. Pure: the same answers give the same model. */
export function buildDeployment(answers: Answers, engine: Engine): Deployment {
  const policy = policyOf(answers, engine);
  const nodes = nodesOf(answers, engine);
  const users = usersOf(answers);
  const draft = {
    format: 1,
    name: answers.name,
    profile: answers.profile,
    engine,
    topology: answers.topology,
    target: answers.target,
    nodes,
    users,
    caFile: 'pki/ca.crt',
    clientCaFile: 'pki/client-ca.crt',
    caKeyFile: 'authority/ca.key',
    certificates: [
      ...nodes.map((node) => nodeCertificate(node, answers, policy)),
      ...users.map((user) => clientCertificate(user, policy)),
    ],
    policy,
    sources: answers.sources,
    ...(answers.target === 'kubernetes' ? { namespace: answers.namespace } : {}),
    ...(answers.image === undefined ? {} : { image: answers.image }),
    ...(answers.topology === 'sentinel' ? { sentinel: { primaryName: 'primary', quorum: 2 } } : {}),
  } as const;
  return { ...draft, decisions: decisionsFor(draft) };
}

function policyOf(answers: Answers, engine: Engine): Policy {
  const profile = profiles[answers.profile];
  return {
    ...profile,
    // Dragonfly has no switch for either: with a CA it asks every client for a certificate, and takes TLS 1.2.
    ...(engine.name === 'dragonfly' ? dragonflyTls : {}),
    memoryMegabytes: answers.memoryMegabytes ?? profile.memoryMegabytes,
    evictionPolicy: answers.eviction ?? profile.evictionPolicy,
    databases: answers.topology === 'cluster' ? 1 : (answers.databases ?? profile.databases),
  };
}

const dragonflyTls = { clientCertificates: 'required', tlsVersions: ['TLSv1.2', 'TLSv1.3'] } as const;

/** The customary distance of sentinels and of the cluster bus from the data port. */
const sentinelPortOffset = 20_000;
const busPortOffset = 10_000;
/** From here on systems hand out ports for outgoing connections, which may take a listener's. */
const firstEphemeralPort = 32_768;

/** The customary port, or the next free ones above the data ports where that would be an ephemeral one. */
function offsetPort(port: number, offset: number, dataPorts: number): number {
  return port + offset < firstEphemeralPort ? port + offset : port + dataPorts;
}

/** Redis 6.2 has no setting for its bus port: it is always the port + 10000. */
function busPortOf(port: number, dataPorts: number, engine: Engine): number {
  if (knowsDirective(engine, 'cluster-port')) return offsetPort(port, busPortOffset, dataPorts);
  if (port + busPortOffset <= 65_535) return port + busPortOffset;
  throw new CliError(
    'REDKEEP_COMBINATION_IMPOSSIBLE',
    `A cluster node of ${engine.name} ${engine.version} on port ${port} has no room for its bus, 10000 above.`,
    'Choose a port up to 55535.',
  );
}

function nodesOf(answers: Answers, engine: Engine): DeploymentNode[] {
  const primaries = answers.topology === 'cluster' ? answers.shards : 1;
  const replicas = answers.topology === 'single' ? 0 : (answers.replicas ?? (answers.topology === 'cluster' ? 1 : 2));
  const hosts = hostsOf(answers);
  const dataNodeCount = primaries * (1 + replicas);
  const dataPorts = hosts.length === 0 ? dataNodeCount : Math.ceil(dataNodeCount / hosts.length);
  const nodes: DeploymentNode[] = [];
  const add = (name: string, role: NodeRole, index: number, firstPort: number, more: Partial<DeploymentNode>) => {
    // Containers and pods are found under their own name, each with an address of its own.
    const host = hosts.length === 0 ? ownName(name, answers) : hosts[index % hosts.length]!;
    const port = firstPort + portStep(index, hosts);
    nodes.push({ ...placeNode(name, role, host, port, answers.target), ...more });
  };
  for (let index = 0; index < primaries * (1 + replicas); index += 1) {
    const shard = index % primaries;
    const isPrimary = index < primaries;
    const port = answers.port + portStep(index, hosts);
    add(`node-${index + 1}`, isPrimary ? 'primary' : 'replica', index, answers.port, {
      ...(isPrimary ? {} : { replicaOf: `node-${shard + 1}` }),
      ...(answers.topology === 'cluster' ? { busPort: busPortOf(port, dataPorts, engine) } : {}),
    });
  }
  if (answers.topology === 'sentinel') {
    for (let index = 0; index < 3; index += 1) {
      add(`sentinel-${index + 1}`, 'sentinel', index, offsetPort(answers.port, sentinelPortOffset, dataPorts), {});
    }
  }
  return nodes;
}

/** In a namespace that others use too, a pod's name begins with the deployment's. */
function ownName(node: string, { target, name }: Answers): string {
  return target === 'kubernetes' && name !== 'redkeep' ? `${prefixOf({ name })}-${node}` : node;
}

/** Every name under which a pod is found: by its headless Service, with and without the namespace, and by its own. */
function podNames(host: string, { target, namespace }: Answers): string[] {
  if (target !== 'kubernetes' || isIP(host) !== 0) return [];
  const service = `${host}.${namespace}.svc`;
  return [service, `${service}.cluster.local`, `${host}-0.${service}.cluster.local`];
}

/** The hosts given; none given: this machine, or for containers their own names. */
function hostsOf(answers: Answers): readonly string[] {
  const named = answers.target === 'compose' || answers.target === 'kubernetes';
  return answers.hosts ?? (named ? [] : ['127.0.0.1']);
}

/** Containers could all use one port, but published side by side on one machine each needs its own. */
function portStep(index: number, hosts: readonly string[]): number {
  return hosts.length === 0 ? index : Math.floor(index / hosts.length);
}

function placeNode(name: string, role: NodeRole, host: string, port: number, target: TargetName): DeploymentNode {
  const folder = `nodes/${name}`;
  return {
    name,
    role,
    host,
    port,
    bind: bindAddresses(host, target),
    configFile: `${folder}/${role === 'sentinel' ? 'sentinel' : 'server'}.conf`,
    aclFile: `${folder}/users.acl`,
    dataDir: `${folder}/data`,
    // Containers and units write to where their manager collects.
    logFile: target === 'local' ? `${folder}/server.log` : '',
    certificate: name,
  };
}

/**
 * Loopback always, so that the machine's own tools reach the server; the node's address where it has one. A container
 * does not know its address beforehand: its network is its own, and only what is published leads there.
 */
function bindAddresses(host: string, target: TargetName): string[] {
  if (target === 'compose' || target === 'kubernetes') return ['0.0.0.0', '-::'];
  return isLoopback(host) || isIP(host) === 0 ? ['127.0.0.1', '-::1'] : ['127.0.0.1', '-::1', host];
}

function nodeCertificate(node: DeploymentNode, answers: Answers, policy: Policy): CertificateSpec {
  const names = [
    ...new Set([node.host, ...podNames(node.host, answers), ...answers.names, 'localhost', '127.0.0.1', '::1']),
  ];
  return {
    name: node.certificate,
    usage: 'node',
    commonName: node.name,
    dnsNames: names.filter((name) => isIP(name) === 0),
    ipAddresses: names.filter((name) => isIP(name) !== 0),
    certFile: `pki/${node.name}.crt`,
    keyFile: `pki/${node.name}.key`,
    days: policy.certificateDays,
  };
}

function usersOf(answers: Answers): User[] {
  const operators: RoleName[] = ['admin', 'monitoring', 'auditor', 'backup'];
  const peers: RoleName[] =
    answers.topology === 'sentinel'
      ? ['replication', 'sentinel']
      : answers.topology === 'cluster'
        ? ['replication']
        : [];
  return [
    ...operators.map((role) => ({ ...user(role, role), keys: role === 'auditor' ? residueKeys : [] })),
    ...peers.map((role) => ({ ...user(role, role), channels: role === 'sentinel' ? ['__sentinel__:hello'] : [] })),
    ...answers.applications.map(({ name, role, keys, channels, allow, only, components }) => ({
      ...user(name, role),
      keys,
      channels,
      extraCommands: allow,
      ...(only === undefined ? {} : { onlyCommands: only }),
      ...(components.length === 0 ? {} : { components: components.map(componentOf) }),
    })),
  ];
}

function user(name: string, role: RoleName): User {
  return {
    name,
    role,
    keys: [],
    channels: [],
    extraCommands: [],
    passwordFile: `secrets/${name}.password`,
    certificate: `client-${name}`,
  };
}

function clientCertificate({ name, certificate }: User, policy: Policy): CertificateSpec {
  return {
    name: certificate,
    usage: 'client',
    commonName: name,
    dnsNames: [],
    ipAddresses: [],
    certFile: `pki/clients/${name}.crt`,
    keyFile: `pki/clients/${name}.key`,
    days: policy.certificateDays,
  };
}
