import { stringify } from 'yaml';
import type { Deployment, DeploymentNode } from '../model.js';
import { healthCommand, nodeFiles, serverCommand } from './health-check.js';
import type { RenderedFile } from './rendered-file.js';

/** compose.yaml: one container a node, nothing more than it needs, reachable from this machine and its own network. */
export function renderCompose(deployment: Deployment): RenderedFile {
  const compose = {
    name: 'redkeep',
    services: Object.fromEntries(deployment.nodes.map((node) => [node.name, service(deployment, node)])),
    networks: { redkeep: { driver: 'bridge' } },
    secrets: Object.fromEntries(
      deployment.nodes
        .flatMap((node) => secretFiles(deployment, node))
        .map((file) => [secretName(file), { file: `./${file}` }]),
    ),
  };
  const head = [
    '# Written by redkeep init. RUNBOOK.md says how to start it.',
    '# The image is named by digest, so that what runs is what was tested: REDKEEP_IMAGE=name:tag@sha256:…',
    '# The containers run as the owner of this folder, who alone may read the keys: REDKEEP_UID and REDKEEP_GID.',
    '',
  ].join('\n');
  return { path: 'compose.yaml', mode: 0o644, content: head + stringify(compose, { lineWidth: 0 }) };
}

/** Passwords and keys that a container reads; they come as Compose secrets, everything else as files. */
function secretFiles(deployment: Deployment, node: DeploymentNode): string[] {
  return sharedFiles(deployment, node).filter((file) => /\.(key|password)$/.test(file));
}

/** What a container only reads. Its own folder it may write: failover and CONFIG REWRITE do. */
function sharedFiles(deployment: Deployment, node: DeploymentNode): string[] {
  return nodeFiles(deployment, node).filter((file) => !file.startsWith(`nodes/${node.name}/`));
}

function secretName(file: string): string {
  return file.replaceAll('/', '-');
}

function service(deployment: Deployment, node: DeploymentNode): Record<string, unknown> {
  const memory = node.role === 'sentinel' ? 128 : Math.ceil(deployment.policy.memoryMegabytes * 1.5) + 64;
  return {
    image: `\${REDKEEP_IMAGE:?name the image by digest, for example ${deployment.engine.name}:${deployment.engine.version}@sha256:...}`,
    entrypoint: serverCommand(deployment, node),
    command: [],
    user: '${REDKEEP_UID:?set to the owner, id -u}:${REDKEEP_GID:?set to the group, id -g}',
    hostname: node.name,
    restart: 'unless-stopped',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    tmpfs: ['/tmp:size=16m,mode=1777,noexec,nosuid,nodev'],
    init: true,
    stop_grace_period: '2m',
    working_dir: '/data',
    volumes: [
      { type: 'bind', source: `./nodes/${node.name}`, target: `/etc/redkeep/nodes/${node.name}` },
      ...sharedFiles(deployment, node)
        .filter((file) => !secretFiles(deployment, node).includes(file))
        .map((file) => ({ type: 'bind', source: `./${file}`, target: `/etc/redkeep/${file}`, read_only: true })),
      { type: 'bind', source: `./${node.dataDir}`, target: '/data' },
    ],
    secrets: secretFiles(deployment, node).map((file) => ({
      source: secretName(file),
      target: `/etc/redkeep/${file}`,
    })),
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
