import { certificateOf, type Deployment, type DeploymentNode, userOf } from '../model.js';
import { serverPath } from '../server-path.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';

/**
 * A shell command that asks a node for PING as the monitoring user. The password is read inside the shell and handed
 * over in the environment: it is in no process list, no image and no manifest.
 */
export function healthCommand(
  deployment: Deployment,
  node: DeploymentNode,
  locate = (relativePath: string) => `/etc/redkeep/${relativePath}`,
): string {
  const user = userOf(deployment, 'monitoring')!;
  const certificate = certificateOf(deployment, user.certificate);
  const file = (relativePath: string) => quoteShell(locate(relativePath));
  const cli = deployment.engine.name === 'valkey' ? 'valkey-cli' : 'redis-cli';
  const tls = `--tls --cacert ${file(deployment.caFile)} --cert ${file(certificate.certFile)} --key ${file(certificate.keyFile)}`;
  return (
    `export REDISCLI_AUTH="$(cat ${file(user.passwordFile)})"; ` +
    `test "$(${cli} -h localhost -p ${node.port} ${tls} --user ${user.name} --no-auth-warning ping)" = PONG`
  );
}

/** For load balancers and monitors outside a container: one script a node, exit code 0 when it answers. */
export function renderHealthScripts(deployment: Deployment, folder: string): RenderedFile[] {
  if (deployment.target !== 'local' && deployment.target !== 'systemd') return [];
  const locate = (relativePath: string) => serverPath(deployment, folder, relativePath);
  return deployment.nodes.map((node) => ({
    path: `health/${node.name}.sh`,
    mode: 0o755,
    content: `#!/bin/sh\n# Written by redkeep init. Exit code 0: ${node.name} answers over TLS, to the monitoring user.\nset -eu\n${healthCommand(deployment, node, locate)}\n`,
  }));
}

/** Files a node needs: its own, the CA, and what the health check reads. */
export function nodeFiles(deployment: Deployment, node: DeploymentNode): string[] {
  const own = certificateOf(deployment, node.certificate);
  const user = userOf(deployment, 'monitoring')!;
  const health = certificateOf(deployment, user.certificate);
  return [
    node.configFile,
    node.aclFile,
    deployment.caFile,
    deployment.clientCaFile,
    own.certFile,
    own.keyFile,
    user.passwordFile,
    health.certFile,
    health.keyFile,
  ];
}

/** The program and arguments that start a node where its files are under /etc/redkeep. */
export function serverCommand(deployment: Deployment, node: DeploymentNode): string[] {
  const config = `/etc/redkeep/${node.configFile}`;
  if (deployment.engine.name === 'dragonfly') return ['dragonfly', '--logtostderr', `--flagfile=${config}`];
  return [`${deployment.engine.name}-server`, config, ...(node.role === 'sentinel' ? ['--sentinel'] : [])];
}
