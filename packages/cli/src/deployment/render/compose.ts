import { stringify } from 'yaml';
import type { Deployment, DeploymentNode } from '../model.js';
import { prefixOf } from '../naming.js';
import { serverImage } from '../server-image.js';
import { confined } from './compose-service.js';
import { containerCommand, healthCommand } from './health-check.js';
import type { RenderedFile } from './rendered-file.js';

/** compose.yaml: one container a node, nothing more than it needs, reachable from this machine and its own network. */
export function renderCompose(deployment: Deployment): RenderedFile {
  const compose = {
    name: prefixOf(deployment),
    services: Object.fromEntries(deployment.nodes.map((node) => [node.name, service(deployment, node)])),
    networks: { redkeep: { driver: 'bridge' } },
  };
  const head = [
    '# Written by redkeep init. "redkeep up" starts it; RUNBOOK.md says what else there is to know.',
    '# The image is named by digest, so that what runs is what was tested: REDKEEP_IMAGE=name:tag@sha256:…',
    '# The containers run as the owner of this folder, who alone may read the keys: REDKEEP_UID and REDKEEP_GID.',
    '# "redkeep up" finds all three, writes them to .env, and puts the files of each node into containers/.',
    '',
  ].join('\n');
  return { path: 'compose.yaml', mode: 0o644, content: head + stringify(compose, { lineWidth: 0 }) };
}

/** Where the files of one node are for its container: a folder, because a file that is replaced keeps its old inode. */
export function containerFolder(node: Pick<DeploymentNode, 'name'>): string {
  return `containers/${node.name}`;
}

export function containerName(deployment: Deployment, node: DeploymentNode): string {
  return `${prefixOf(deployment)}-${node.name}`;
}

function service(deployment: Deployment, node: DeploymentNode): Record<string, unknown> {
  const memory = node.role === 'sentinel' ? 128 : Math.ceil(deployment.policy.memoryMegabytes * 1.5) + 64;
  return {
    image: `\${REDKEEP_IMAGE:?name the image by digest, for example ${serverImage(deployment)}@sha256:...}`,
    entrypoint: containerCommand(deployment, node),
    command: [],
    user: '${REDKEEP_UID:?set to the owner, id -u}:${REDKEEP_GID:?set to the group, id -g}',
    container_name: containerName(deployment, node),
    hostname: node.name,
    ...confined,
    stop_grace_period: '2m',
    working_dir: '/data',
    volumes: [
      // Its own folder it may write: failover and CONFIG REWRITE do. Certificates and secrets it only reads.
      ...['pki', 'secrets'].map((folder) => ({
        type: 'bind',
        source: `./${containerFolder(node)}/${folder}`,
        target: `/etc/redkeep/${folder}`,
        read_only: true,
      })),
      {
        type: 'bind',
        source: `./${containerFolder(node)}/nodes/${node.name}`,
        target: `/etc/redkeep/nodes/${node.name}`,
      },
      { type: 'bind', source: `./${node.dataDir}`, target: '/data' },
    ],
    networks: ['redkeep'],
    // Docker's port rules come before ufw's: only a loopback address keeps the port off the network.
    ports: [`127.0.0.1:${node.port}:${node.port}`],
    healthcheck: {
      test: ['CMD-SHELL', healthCommand(deployment, node).replaceAll('$', '$$$$')],
      interval: '10s',
      timeout: '5s',
      retries: 5,
      start_period: '30s',
    },
    mem_limit: `${memory}m`,
    memswap_limit: `${memory}m`,
    cpus: 2,
    pids_limit: 64,
    ulimits: { nofile: deployment.policy.maxClients + 1024, core: 0 },
    logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } },
  };
}
