import { certificateOf, type Deployment, type DeploymentNode } from '../model.js';
import { megabyte } from '../profiles.js';
import type { RenderedFile } from './rendered-file.js';

/** The flag file of a Dragonfly node. Flag files take one flag a line and know no quoting: values hold no newline. */
export function renderDragonflyFlags(
  { policy, certificates, ...deployment }: Deployment,
  node: DeploymentNode,
  locate: (relativePath: string) => string,
): RenderedFile {
  const certificate = certificateOf({ policy, certificates, ...deployment }, node.certificate);
  const flags: [reason: string, ...flags: [string, string | number | boolean][]][] = [
    [
      'An empty bind would listen everywhere, and there is no protected mode.',
      ['bind', node.bind[0] ?? '127.0.0.1'],
      ['port', node.port],
    ],
    [
      'TLS only, on every port. Naming the CA makes every client show a certificate of it.',
      ['tls', true],
      ['tls_cert_file', locate(certificate.certFile)],
      ['tls_key_file', locate(certificate.keyFile)],
      ['tls_ca_cert_file', locate(deployment.clientCaFile)],
      ['tls_replication', true],
      ['no_tls_on_admin_port', false],
    ],
    ['Users and what they may do. The default user is off.', ['aclfile', locate(node.aclFile)]],
    [
      'No console, no metrics and no memcached on the data port.',
      ['primary_port_http_enabled', false],
      ['admin_nopass', false],
      ['memcached_port', 0],
    ],
    [
      'Bounded memory and clients.',
      ['maxmemory', policy.memoryMegabytes * megabyte],
      ['maxclients', policy.maxClients],
    ],
    ['Databases do not separate applications; ACL users do.', ['dbnum', policy.databases]],
    [
      'Data lives in a folder of its own, saved every quarter of an hour.',
      ['dir', locate(node.dataDir)],
      ['dbfilename', 'dump'],
      ['snapshot_cron', '*/15 * * * *'],
    ],
  ];
  const text = flags.map(([reason, ...list]) =>
    [`# ${reason}`, ...list.map(([name, value]) => `--${name}=${oneFlagLine(String(value))}`), ''].join('\n'),
  );
  return { path: node.configFile, mode: 0o600, content: text.join('\n') };
}

function oneFlagLine(value: string): string {
  if (/[\r\n]/.test(value)) throw new Error('A Dragonfly flag file cannot hold a path with a line break.');
  return value;
}
