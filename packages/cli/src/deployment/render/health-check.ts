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
  locate = (relativePath: string) => serverPath(deployment, '', relativePath),
): string {
  const { password, ping } = pingCommand(deployment, node, locate);
  return `${password}; test "$(${ping})" = PONG`;
}

/**
 * A shell command that fails only when nothing answers. A server that loads, that is busy, or whose primary is away
 * answers with an error: it is not ready, and a restart would make an outage longer.
 */
export function liveCommand(deployment: Deployment, node: DeploymentNode): string {
  const locate = (relativePath: string) => serverPath(deployment, '', relativePath);
  const { password, ping } = pingCommand(deployment, node, locate);
  return `${password}; case "$(${ping} 2>&1)" in ''|*'onnection refused'*|*'timed out'*) exit 1;; esac`;
}

function pingCommand(
  deployment: Deployment,
  node: DeploymentNode,
  locate: (relativePath: string) => string,
): { readonly password: string; readonly ping: string } {
  const user = userOf(deployment, 'monitoring')!;
  const certificate = certificateOf(deployment, user.certificate);
  const file = (relativePath: string) => quoteShell(locate(relativePath));
  const cli = deployment.engine.name === 'valkey' ? 'valkey-cli' : 'redis-cli';
  const tls = `--tls --cacert ${file(deployment.caFile)} --cert ${file(certificate.certFile)} --key ${file(certificate.keyFile)}`;
  return {
    password: `export REDISCLI_AUTH="$(cat ${file(user.passwordFile)})"`,
    ping: `${cli} -h localhost -p ${node.port} ${tls} --user ${user.name} --no-auth-warning ping`,
  };
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

/** The configuration a server runs with, which it may rewrite: in a pod on its volume, so that a failover outlives it. */
export function runningConfigPath(deployment: Deployment, node: DeploymentNode): string {
  if (deployment.target === 'kubernetes')
    return `/data/.redkeep/${node.role === 'sentinel' ? 'sentinel' : 'server'}.conf`;
  return serverPath(deployment, '', node.configFile);
}

/** The program and arguments that start a node where something else than redkeep runs it. */
export function serverCommand(deployment: Deployment, node: DeploymentNode): string[] {
  const config = runningConfigPath(deployment, node);
  if (deployment.engine.name === 'dragonfly') return ['dragonfly', '--logtostderr', `--flagfile=${config}`];
  return [`${deployment.engine.name}-server`, config, ...(node.role === 'sentinel' ? ['--sentinel'] : [])];
}

/**
 * The same in a container, whose mask is the image's. Servers write their configuration anew, with the password of the
 * replication user in it, in the mode that the mask leaves.
 */
export function containerCommand(deployment: Deployment, node: DeploymentNode): string[] {
  return ['sh', '-c', `umask 077; exec ${serverCommand(deployment, node).join(' ')}`];
}
