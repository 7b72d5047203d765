import { readFile } from 'node:fs/promises';
import type { Delivery } from '../../apply/delivery.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { type CertificateSpec, certificateOf, type DeploymentNode, userOf } from '../../deployment/model.js';
import { serverPath } from '../../deployment/server-path.js';
import { withClient } from '../../engine/connect-node.js';
import { endpointOf } from '../../engine/local-servers.js';
import { probeTls } from '../../engine/probe-tls.js';
import { CliError, explainSystemError } from '../../errors.js';
import type { PemPair } from '../../pki/authority.js';

const probeMilliseconds = 5000;

export type ReloadOutcome = 'served' | 'not running' | 'restart needed';

/** What a node must serve after a reload, and what to put back when it does not. */
export interface CertificateChange {
  readonly fingerprint: string;
  /** Puts the earlier pair back into the folder. */
  putBack?(): Promise<unknown>;
}

/**
 * Has a running node take its certificate files and proves by a handshake that it serves what they hold. Pair and CA
 * go in one CONFIG SET: separately a pair that does not match in between is refused (verified on 7.0). When the proof
 * fails the earlier pair is put back over the same connection: nobody could open another one. A sentinel cannot
 * reload; it has to be restarted.
 */
export async function reloadNode(
  context: Context,
  delivery: Delivery,
  node: DeploymentNode,
  change?: CertificateChange,
): Promise<ReloadOutcome> {
  const { loaded } = delivery;
  if ((await delivery.state(node)) === 'stopped') return 'not running';
  if (node.role === 'sentinel' || loaded.deployment.engine.name === 'dragonfly') return 'restart needed';
  const spec = certificateOf(loaded.deployment, node.certificate);
  const asServerSees = (file: string) => serverPath(loaded.deployment, loaded.folder, file);
  const files = [
    ['tls-cert-file', asServerSees(spec.certFile)],
    ['tls-key-file', asServerSees(spec.keyFile)],
    ['tls-ca-cert-file', asServerSees(loaded.deployment.clientCaFile)],
  ] as const;
  const admin = userOf(loaded.deployment, 'admin')!;
  await withClient(context.connect, loaded, node, admin, async (client) => {
    const reload = async () => {
      await delivery.deliver(node, await delivery.filesOf(node));
      await client.sendCommand(['CONFIG', 'SET', ...files.flat()]);
    };
    try {
      await reload();
      await proveServed(loaded, node, change?.fingerprint);
    } catch (error) {
      if (change?.putBack) {
        await change.putBack();
        await reload();
      }
      throw error;
    }
  });
  await delivery.markTaken(node);
  return 'served';
}

async function proveServed(
  loaded: LoadedDeployment,
  node: DeploymentNode,
  fingerprint: string | undefined,
): Promise<void> {
  const { certificate } = await probeTls(await endpointOf(loaded, node), probeMilliseconds).catch((error: Error) => {
    throw new CliError(
      'REDKEEP_CERTIFICATE_UNUSABLE',
      `${node.name} failed the handshake with the new certificate: ${error.message}. The earlier one was put back.`,
      'The clock of this machine, the CA and the names must fit: redkeep certs check.',
      { cause: error },
    );
  });
  if (fingerprint === undefined || certificate.fingerprint256 === fingerprint) return;
  throw new CliError(
    'REDKEEP_CERTIFICATE_UNUSABLE',
    `${node.name} goes on serving the certificate ${certificate.fingerprint256.slice(0, 23)}….`,
    'Restart it: redkeep down && redkeep up --detach.',
  );
}

export function readPair(loaded: LoadedDeployment, spec: CertificateSpec): Promise<PemPair> {
  return Promise.all([
    readFile(loaded.locate(spec.certFile), 'utf8'),
    readFile(loaded.locate(spec.keyFile), 'utf8'),
  ]).then(
    ([cert, key]) => ({ cert, key }),
    (error: unknown) => {
      throw explainSystemError(error, loaded.locate(spec.certFile));
    },
  );
}
