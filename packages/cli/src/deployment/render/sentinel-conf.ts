import { isIP } from 'node:net';
import { type Material, passwordOf } from '../material.js';
import { type Deployment, type DeploymentNode, dataNodes, userOf } from '../model.js';
import { oneLine } from '../quote.js';
import { renderSections, type Section, section } from './conf-sections.js';
import type { RenderedFile } from './rendered-file.js';
import { tlsSections } from './tls-sections.js';

/** How long a primary must be silent before a sentinel thinks it gone, and what a failover may take. */
const downAfterMilliseconds = 5000;
const failoverMilliseconds = 60_000;

/** The sentinel.conf of a sentinel. Sentinel rewrites the file itself as the topology changes. */
export function renderSentinelConf(input: {
  readonly deployment: Deployment;
  readonly node: DeploymentNode;
  readonly material: Material;
  readonly locate: (relativePath: string) => string;
}): RenderedFile {
  const { deployment, node, locate } = input;
  const head = `# ${oneLine(deployment.name)}: ${node.name}, ${deployment.profile} profile. Written by redkeep init.\n`;
  const sections = [
    section(
      'Only these addresses are listened on, under TLS only.',
      ['bind', ...node.bind],
      ['port', 0],
      ['tls-port', node.port],
    ),
    section('Refuses other machines should the users ever be lost.', ['protected-mode', 'yes']),
    ...tlsSections(deployment, node, locate),
    section('A sentinel decides where clients connect: its clients have a user name and a password.', [
      'aclfile',
      locate(node.aclFile),
    ]),
    section('Its folder and log.', ['dir', locate(node.dataDir)], ['logfile', node.logFile && locate(node.logFile)]),
    ...watchSections(deployment, node, input.material),
  ];
  return { path: node.configFile, mode: 0o600, content: `${head}\n${renderSections(sections, deployment.engine)}` };
}

function watchSections(deployment: Deployment, node: DeploymentNode, material: Material): Section[] {
  const user = userOf(deployment, 'sentinel');
  const primary = dataNodes(deployment)[0];
  if (!deployment.sentinel || !user || !primary) throw new Error('The deployment has no sentinel user or primary.');
  const { primaryName, quorum } = deployment.sentinel;
  const password = passwordOf(material, user.name);
  const named = deployment.nodes.some(({ host }) => isIP(host) === 0);
  return [
    ...(named
      ? [
          section(
            'Nodes are known by name, which is what their certificates carry.',
            ['sentinel', 'resolve-hostnames', 'yes'],
            ['sentinel', 'announce-hostnames', 'yes'],
          ),
        ]
      : []),
    section(
      'The address other sentinels and clients use.',
      ['sentinel', 'announce-ip', node.host],
      ['sentinel', 'announce-port', node.port],
    ),
    section('What is watched, and how many must agree that it is gone.', [
      'sentinel',
      'monitor',
      primaryName,
      primary.host,
      primary.port,
      quorum,
    ]),
    section(
      'The name under which it logs in to the servers and to the other sentinels.',
      ['sentinel', 'auth-user', primaryName, user.name],
      ['sentinel', 'auth-pass', primaryName, password],
      ['sentinel', 'sentinel-user', user.name],
      ['sentinel', 'sentinel-pass', password],
    ),
    section(
      'Silence before action, one replica at a time afterwards.',
      ['sentinel', 'down-after-milliseconds', primaryName, downAfterMilliseconds],
      ['sentinel', 'failover-timeout', primaryName, failoverMilliseconds],
      ['sentinel', 'parallel-syncs', primaryName, 1],
    ),
    section('Nobody can make a sentinel run a program.', ['sentinel', 'deny-scripts-reconfig', 'yes']),
  ];
}
