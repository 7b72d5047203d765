import { type Context, stopIfInterrupted } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
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
  const wanted = certificates.filter(
    ({ name }) => options.all || (names.length > 0 ? names.includes(name) : due.has(name)),
  );
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
