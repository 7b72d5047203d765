import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Delivery } from '../../apply/delivery.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { isForeign } from '../../deployment/make-material.js';
import { type CertificateSpec, certificateOf, type DeploymentNode } from '../../deployment/model.js';
import { sha256 } from '../../deployment/write-files.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import { readStatuses } from '../../pki/certificate-status.js';
import { renewCertificate, replaceCertificate } from '../../pki/replace-certificate.js';
import { applyNow } from '../apply/apply.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { type CertificateChange, readPair, reloadNode } from './reload-node.js';

interface RenewOptions extends DirOption {
  readonly all?: boolean;
}

/**
 * Issues everything first, so that one delivery carries all where it carries all anyway (Kubernetes); then one node
 * after the other takes its own.
 */
export async function certsRenew(context: Context, names: readonly string[], options: RenewOptions): Promise<void> {
  const delivery = await openDelivery(context, options.dir);
  const { loaded } = delivery;
  await withFolderLock(loaded.folder, 'certs renew', () => renew(context, delivery, names, options));
}

async function renew(
  context: Context,
  delivery: Delivery,
  names: readonly string[],
  options: RenewOptions,
): Promise<void> {
  const { terminal, clock, signal } = context;
  const { loaded } = delivery;
  const { certificates, nodes } = loaded.deployment;
  const unknown = names.find((name) => !certificates.some((spec) => spec.name === name));
  if (unknown !== undefined) {
    const known = certificates.map(({ name }) => name).join(', ');
    throw new CliError('REDKEEP_CERTIFICATE_UNUSABLE', `There is no certificate "${unknown}".`, `There are: ${known}.`);
  }
  const now = clock.now();
  const due = new Set((await readStatuses(loaded, now)).filter(({ renewalDue }) => renewalDue).map(({ name }) => name));
  if (due.has('ca')) terminal.warn('The CA itself is due: make a new one and add it with "redkeep certs trust".');
  const authority = await readFile(loaded.locate(loaded.deployment.caFile), 'utf8');
  const wanted: CertificateSpec[] = [];
  for (const spec of certificates) {
    if (!(names.length > 0 ? names.includes(spec.name) : options.all || due.has(spec.name))) continue;
    const imported = isForeign((await readPair(loaded, spec)).cert, authority);
    // Asked for by name it is issued anew; a timer must not swap the CA of a server behind its clients' back.
    if (imported && names.length === 0) {
      terminal.warn(`${spec.name} comes from another CA: renew it there, then "redkeep certs import ${spec.name}".`);
    } else wanted.push(spec);
  }
  const isWanted = ({ certificate }: DeploymentNode) => wanted.some(({ name }) => name === certificate);
  const behind = names.length > 0 ? [] : (await behindFolder(delivery)).filter((node) => !isWanted(node));
  if (wanted.length + behind.length === 0) return terminal.done('No certificate is due.');
  const issued: Issued[] = [];
  const clients: (() => Promise<unknown>)[] = [];
  for (const spec of wanted) {
    stopIfInterrupted(signal);
    const before = await readPair(loaded, spec);
    const fingerprint = await renewCertificate(loaded, spec, { now });
    const node = nodes.find(({ certificate }) => certificate === spec.name);
    const putBack = () => replaceCertificate(loaded, spec, before, clock.now());
    if (node) issued.push({ node, fingerprint, putBack });
    else {
      clients.push(putBack);
      terminal.done(`${spec.name}: issued (${fingerprint.slice(0, 23)}…).`);
    }
  }
  for (const node of behind) {
    const { cert } = await readPair(loaded, certificateOf(loaded.deployment, node.certificate));
    issued.push({ node, fingerprint: new X509Certificate(cert).fingerprint256 });
  }
  const restarts = await haveTaken(context, delivery, issued, clients);
  // One at a time, each proved before the next: the others keep the quorum.
  if (restarts.length > 0) await applyNow(context, delivery, { yes: true, kind: 'certs', only: restarts });
}

/** A node with the certificate it is to serve. */
interface Issued extends CertificateChange {
  readonly node: DeploymentNode;
}

/** Running nodes whose servers have not taken the certificate in the folder, because an earlier renewal was cut off. */
async function behindFolder(delivery: Delivery): Promise<DeploymentNode[]> {
  const { deployment } = delivery.loaded;
  const behind: DeploymentNode[] = [];
  for (const node of deployment.nodes) {
    const spec = certificateOf(deployment, node.certificate);
    const taken = (await delivery.record(node))?.taken[spec.certFile];
    if (taken === undefined || taken === sha256((await readPair(delivery.loaded, spec)).cert)) continue;
    if ((await delivery.state(node)) === 'running') behind.push(node);
  }
  return behind;
}

/**
 * Has one node after the other take its certificate. When one fails, it and those after it get the earlier pairs back;
 * those before it keep their new ones. Returns the names of the nodes that take theirs at a restart only.
 */
async function haveTaken(
  context: Context,
  delivery: Delivery,
  issued: readonly Issued[],
  clients: readonly (() => Promise<unknown>)[],
): Promise<string[]> {
  const { terminal, signal } = context;
  const restarts: string[] = [];
  const waiting = [...issued];
  const putBack = async () => {
    for (const each of [...waiting, ...issued.filter(({ node }) => restarts.includes(node.name))])
      await each.putBack?.();
  };
  try {
    for (const { node, fingerprint } of issued) {
      stopIfInterrupted(signal);
      const outcome = await terminal.during(`give ${node.name} its certificate`, () =>
        reloadNode(context, delivery, node, { fingerprint, putBack }),
      );
      waiting.shift();
      if (outcome === 'restart needed') restarts.push(node.name);
      terminal.done(`${node.name}: issued, ${outcome} (${fingerprint.slice(0, 23)}…).`);
    }
  } catch (error) {
    if (!signal.aborted) await putBack();
    // With a clock that is wrong no node can be reached by what was issued for its administrator.
    if (!signal.aborted && waiting.length === issued.length) for (const each of clients) await each();
    terminal.note('Nodes that have not taken their certificates do so with "redkeep certs renew" or "redkeep apply".');
    throw error;
  }
  return restarts;
}
