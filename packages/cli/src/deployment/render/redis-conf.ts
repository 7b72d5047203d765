import { type Material, passwordOf } from '../material.js';
import { type Deployment, type DeploymentNode, userOf } from '../model.js';
import { megabyte } from '../profiles.js';
import { oneLine } from '../quote.js';
import { renderSections, type Section, section } from './conf-sections.js';
import type { RenderedFile } from './rendered-file.js';
import { tlsSections } from './tls-sections.js';

/** The redis.conf or valkey.conf of a data node, each directive under the reason for it. */
export function renderRedisConf(input: {
  readonly deployment: Deployment;
  readonly node: DeploymentNode;
  readonly material: Material;
  /** Turns a path of the model into the path as the server will see it. */
  readonly locate: (relativePath: string) => string;
}): RenderedFile {
  const { deployment, node } = input;
  const sections = [
    ...networkSections(deployment, node),
    ...tlsSections(deployment, node, input.locate),
    ...accessSections(deployment, node, input.locate),
    ...limitSections(deployment),
    ...persistenceSections(deployment, node, input.locate),
    ...observationSections(deployment, node, input.locate),
    ...replicationSections(deployment, node, input.material),
    ...clusterSections(deployment, node),
  ];
  const head = `# ${oneLine(deployment.name)}: ${node.name}, ${deployment.profile} profile. Written by redkeep init.\n`;
  return { path: node.configFile, mode: 0o600, content: `${head}\n${renderSections(sections, deployment.engine)}` };
}

function networkSections({ policy }: Deployment, node: DeploymentNode): Section[] {
  return [
    section('Only these addresses are listened on; a dash in front: skipped where the machine does not have it.', [
      'bind',
      ...node.bind,
    ]),
    section('Refuses other machines should the users ever be lost.', ['protected-mode', 'yes']),
    section(
      'No plaintext port: passwords and data cross the wire under TLS only.',
      ['port', 0],
      ['tls-port', node.port],
    ),
    section(
      'Bounded connections; idle and dead ones are given up.',
      ['maxclients', policy.maxClients],
      ['timeout', policy.idleTimeoutSeconds],
      ['tcp-keepalive', 60],
      ['tcp-backlog', 511],
    ),
  ];
}

function accessSections(_: Deployment, node: DeploymentNode, locate: (file: string) => string): Section[] {
  return [
    section('Users and what they may do. The default user is off.', ['aclfile', locate(node.aclFile)]),
    section('A user made later reads no channel unless a rule allows it.', ['acl-pubsub-default', 'resetchannels']),
    section(
      'DEBUG, MODULE LOAD and moving the data files stay impossible even for an administrator whose session is stolen.',
      ['enable-debug-command', 'no'],
      ['enable-module-command', 'no'],
      ['enable-protected-configs', 'no'],
    ),
    section('RESTORE checks what it is given before it is taken.', ['sanitize-dump-payload', 'yes']),
  ];
}

function limitSections({ policy }: Deployment): Section[] {
  return [
    section(
      'A full server refuses writes instead of bringing the machine down.',
      ['maxmemory', policy.memoryMegabytes * megabyte],
      ['maxmemory-policy', policy.evictionPolicy],
    ),
    section(
      'No client may take the memory of all: replies it does not read, commands it does not finish.',
      ['client-output-buffer-limit', 'normal', 64 * megabyte, 16 * megabyte, 60],
      ['client-output-buffer-limit', 'replica', 256 * megabyte, 64 * megabyte, 60],
      ['client-output-buffer-limit', 'pubsub', 32 * megabyte, 8 * megabyte, 60],
      ['client-query-buffer-limit', 256 * megabyte],
      ['proto-max-bulk-len', 128 * megabyte],
      ['maxmemory-clients', '20%'],
    ),
    section('Scripts that run longer can be stopped.', ['busy-reply-threshold', 2000]),
    section('Databases do not separate applications; ACL users do.', ['databases', policy.databases]),
  ];
}

function persistenceSections(
  { policy }: Deployment,
  node: DeploymentNode,
  locate: (file: string) => string,
): Section[] {
  return [
    section(
      'Data lives in a folder of its own.',
      ['dir', locate(node.dataDir)],
      ['dbfilename', 'dump.rdb'],
      ['rdbchecksum', 'yes'],
    ),
    section(
      'Every write is in the append-only file; snapshots beside it serve backups.',
      ['appendonly', 'yes'],
      ['appendfsync', policy.fsync],
      ['save', 900, 1],
      ['save', 300, 100],
      ['stop-writes-on-bgsave-error', 'yes'],
    ),
    section('Timestamps in the append-only file allow going back to a moment.', ['aof-timestamp-enabled', 'yes']),
  ];
}

function observationSections(
  { policy }: Deployment,
  node: DeploymentNode,
  locate: (file: string) => string,
): Section[] {
  return [
    section(
      'What happened can be read afterwards.',
      ['logfile', node.logFile && locate(node.logFile)],
      ['loglevel', policy.logLevel],
      ['acllog-max-len', policy.aclLogEntries],
      ['slowlog-log-slower-than', policy.slowlogMicroseconds],
      ['slowlog-max-len', 1024],
      ['latency-monitor-threshold', policy.latencyMonitorMilliseconds],
    ),
    section('Neither values nor user names in the log.', ['hide-user-data-from-log', 'yes']),
    section('Not a banner, and nothing in the process title but the address.', ['always-show-logo', 'no']),
  ];
}

function replicationSections(deployment: Deployment, node: DeploymentNode, material: Material): Section[] {
  const user = userOf(deployment, 'replication');
  if (!user) return [];
  const primary = deployment.nodes.find(({ name }) => name === node.replicaOf);
  const follows = primary && deployment.topology === 'sentinel';
  return [
    section(
      'Replicas log in under a name of their own that can do nothing else.',
      ['masteruser', user.name],
      ['masterauth', passwordOf(material, user.name)],
      ['replica-read-only', 'yes'],
      ['replica-serve-stale-data', 'no'],
    ),
    ...(deployment.topology === 'sentinel'
      ? [
          section(
            'The address under which Sentinel and clients find this node; its certificate carries it.',
            ['replica-announce-ip', node.host],
            ['replica-announce-port', node.port],
          ),
        ]
      : []),
    section(
      'A primary cut off from its replicas stops taking writes that a failover would lose.',
      ['min-replicas-to-write', deployment.policy.minReplicasToWrite],
      ['min-replicas-max-lag', 10],
    ),
    ...(follows ? [section('Starts as a replica.', ['replicaof', primary.host, primary.port])] : []),
  ];
}

function clusterSections(deployment: Deployment, node: DeploymentNode): Section[] {
  if (deployment.topology !== 'cluster') return [];
  return [
    section(
      'Cluster: the bus is encrypted (tls-cluster above) and its port is for the nodes alone.',
      ['cluster-enabled', 'yes'],
      ['cluster-config-file', 'nodes.conf'],
      ['cluster-node-timeout', 5000],
      ['cluster-port', node.busPort ?? 0],
      ['cluster-require-full-coverage', 'yes'],
      ['cluster-allow-replica-migration', 'no'],
    ),
    /^[\d.:a-f]+$/i.test(node.host)
      ? section('The address the node is announced under; its certificate carries it.', [
          'cluster-announce-ip',
          node.host,
        ])
      : section(
          'The name the node is announced under; its certificate carries it.',
          ['cluster-announce-hostname', node.host],
          ['cluster-preferred-endpoint-type', 'hostname'],
        ),
  ];
}
