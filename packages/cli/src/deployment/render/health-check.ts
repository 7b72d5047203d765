import { certificateOf, type Deployment, type DeploymentNode, userOf } from '../model.js';

/**
 * A shell command that asks a node for PING as the monitoring user. The password is read inside the shell and handed
 * over in the environment: it is in no process list, no image and no manifest.
 */
export function healthCommand(deployment: Deployment, node: DeploymentNode): string {
  const user = userOf(deployment, 'monitoring')!;
  const certificate = certificateOf(deployment, user.certificate);
  const file = (relativePath: string) => `/etc/redkeep/${relativePath}`;
  const cli = deployment.engine.name === 'valkey' ? 'valkey-cli' : 'redis-cli';
  const tls = `--tls --cacert ${file(deployment.caFile)} --cert ${file(certificate.certFile)} --key ${file(certificate.keyFile)}`;
  return (
    `export REDISCLI_AUTH="$(cat ${file(user.passwordFile)})"; ` +
    `test "$(${cli} -h localhost -p ${node.port} ${tls} --user ${user.name} --no-auth-warning ping)" = PONG`
  );
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
