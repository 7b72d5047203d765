import { readFile } from 'node:fs/promises';
import type { Delivery } from '../../apply/delivery.js';
import type { Context } from '../../context.js';
import { withFolderLock } from '../../deployment/folder-lock.js';
import { isForeign } from '../../deployment/make-material.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import { readStatuses } from '../../pki/certificate-status.js';
import { renewCertificate } from '../../pki/replace-certificate.js';
import { applyNow } from '../apply/apply.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { readPair, reloadNode } from './reload-node.js';

interface RenewOptions extends DirOption {
  readonly all?: boolean;
}

/** One node at a time: if one fails to serve its new certificate, the others still have theirs. */
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
  const wanted = [];
  for (const spec of certificates) {
    if (!(names.length > 0 ? names.includes(spec.name) : options.all || due.has(spec.name))) continue;
    const imported = isForeign((await readPair(loaded, spec)).cert, authority);
    // Asked for by name it is issued anew; a timer must not swap the CA of a server behind its clients' back.
    if (imported && names.length === 0) {
      terminal.warn(`${spec.name} comes from another CA: renew it there, then "redkeep certs import ${spec.name}".`);
    } else wanted.push(spec);
  }
  if (wanted.length === 0) return terminal.done('No certificate is due.');
  const restarts: string[] = [];
  for (const spec of wanted) {
    stopIfInterrupted(signal);
    const before = await readPair(loaded, spec);
    const fingerprint = await renewCertificate(loaded, spec, { now });
    const node = nodes.find(({ certificate }) => certificate === spec.name);
    const outcome = node
      ? await terminal.during(`give ${node.name} its certificate`, () =>
          reloadNode(context, delivery, node, { fingerprint, before }),
        )
      : undefined;
    if (node && outcome === 'restart needed') restarts.push(node.name);
    terminal.done(`${spec.name}: issued${outcome ? `, ${outcome}` : ''} (${fingerprint.slice(0, 23)}…).`);
  } // One at a time, each proved before the next: the others keep the quorum.
  if (restarts.length > 0) await applyNow(context, delivery, { yes: true, kind: 'certs', only: restarts });
}
