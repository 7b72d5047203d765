import { readFile } from 'node:fs/promises';
import type { Context } from '../../context.js';
import { isForeign } from '../../deployment/make-material.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import { readStatuses } from '../../pki/certificate-status.js';
import { renewCertificate } from '../../pki/replace-certificate.js';
import type { DirOption } from '../dir-option.js';
import { readPair, reloadNode } from './reload-node.js';

interface RenewOptions extends DirOption {
  readonly all?: boolean;
}

/** One node at a time: if one fails to serve its new certificate, the others still have theirs. */
export async function certsRenew(context: Context, names: readonly string[], options: RenewOptions): Promise<void> {
  const { terminal, clock, signal } = context;
  const loaded = await loadDeployment(context, options.dir);
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
  for (const spec of wanted) {
    stopIfInterrupted(signal);
    const before = await readPair(loaded, spec);
    const fingerprint = await renewCertificate(loaded, spec, { now });
    const node = nodes.find(({ certificate }) => certificate === spec.name);
    const outcome = node ? await reloadNode(context, loaded, node, { fingerprint, before }) : undefined;
    terminal.done(`${spec.name}: issued${outcome ? `, ${outcome}` : ''} (${fingerprint.slice(0, 23)}…).`);
  }
}
