import type { Context } from '../../context.js';
import { certificateOf, type DeploymentNode, userOf } from '../../deployment/model.js';
import { serverPath } from '../../deployment/server-path.js';
import type { LoadedDeployment } from '../../deployment/state.js';
import { withClient } from '../../engine/connect-node.js';
import { endpointOf } from '../../engine/local-servers.js';
import { probeTls } from '../../engine/probe-tls.js';
import { runningProcess } from '../../engine/process-record.js';
import { CliError } from '../../errors.js';

const probeMilliseconds = 5000;

export type ReloadOutcome = 'served' | 'not running' | 'restart needed';

/**
 * Has a running node take its certificate files and proves by a handshake that it serves what they hold. Pair and CA
 * go in one CONFIG SET: separately a pair that does not match in between is refused (verified on 7.0). A sentinel
 * cannot reload; it has to be restarted.
 */
export async function reloadNode(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  fingerprint: string | undefined,
): Promise<ReloadOutcome> {
  if (loaded.deployment.target === 'local' && !(await runningProcess(loaded, node.name))) return 'not running';
  if (node.role === 'sentinel') return 'restart needed';
  const spec = certificateOf(loaded.deployment, node.certificate);
  const asServerSees = (file: string) => serverPath(loaded.deployment.target, loaded.folder, file);
  const files = [
    ['tls-cert-file', asServerSees(spec.certFile)],
    ['tls-key-file', asServerSees(spec.keyFile)],
    ['tls-ca-cert-file', asServerSees(loaded.deployment.caFile)],
  ] as const;
  await withClient(context.connect, loaded, node, userOf(loaded.deployment, 'admin')!, (client) =>
    client.sendCommand(['CONFIG', 'SET', ...files.flat()]),
  );
  const { certificate } = await probeTls(await endpointOf(loaded, node), probeMilliseconds);
  if (fingerprint === undefined || certificate.fingerprint256 === fingerprint) return 'served';
  throw new CliError(
    'REDKEEP_CERTIFICATE_UNUSABLE',
    `${node.name} still serves the certificate ${certificate.fingerprint256.slice(0, 23)}….`,
    'Restart it: redkeep down && redkeep up --detach.',
  );
}
