import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isLoopback } from 'redkeep';
import type { Context } from '../../context.js';
import { type CertificateSpec, certificateOf } from '../../deployment/model.js';
import { CliError, explainSystemError } from '../../errors.js';
import { replaceCertificate } from '../../pki/replace-certificate.js';
import { addTrust, certificatesOf } from '../../pki/trust-bundle.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { readPair, reloadNode } from './reload-node.js';

interface ImportOptions extends DirOption {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * Uses another CA's certificate for a node. Servers accept a wrong name or an expired certificate without a word
 * (verified on 7.0), so everything is checked before anything is replaced. Fit for a post-renewal hook.
 */
export async function certsImport(context: Context, name: string, options: ImportOptions): Promise<void> {
  const delivery = await openDelivery(context, options.dir);
  const { loaded } = delivery;
  const node = loaded.deployment.nodes.find((candidate) => candidate.name === name);
  if (!node) {
    const known = loaded.deployment.nodes.map((candidate) => candidate.name).join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `There is no node "${name}".`, `The nodes are: ${known}.`);
  }
  const spec = certificateOf(loaded.deployment, node.certificate);
  const [cert, key, ca] = await Promise.all(
    [options.cert, options.key, options.ca].map((file) => readText(path.resolve(context.cwd, file))),
  );
  const now = context.clock.now();
  // Between replicas and cluster peers the same certificate serves on both sides of a connection.
  const serversOnly = loaded.deployment.topology === 'single';
  const root = checkPair({ cert: cert!, key: key!, ca: ca! }, spec, { now, serversOnly });
  await addTrust(loaded, root.toString(), { now, serversOnly });
  const before = await readPair(loaded, spec);
  const fingerprint = await replaceCertificate(loaded, spec, { cert: cert!, key: key! }, now);
  const outcome = await reloadNode(context, delivery, node, {
    fingerprint,
    putBack: () => replaceCertificate(loaded, spec, before, context.clock.now()),
  });
  context.terminal.done(`${name}: imported, ${outcome} (${fingerprint.slice(0, 23)}…).`);
}

/** The root that the certificate leads to; refuses whatever does not fit. */
function checkPair(
  pem: { readonly cert: string; readonly key: string; readonly ca: string },
  spec: CertificateSpec,
  { now, serversOnly }: { readonly now: Date; readonly serversOnly: boolean },
): X509Certificate {
  const [certificate, ...chain] = parse(() => nonEmpty(certificatesOf(pem.cert)), 'The certificate');
  const authorities = parse(() => nonEmpty(certificatesOf(pem.ca)), 'The CA certificate');
  const key = parse(() => createPrivateKey(pem.key), 'The key');
  if (!certificate.checkPrivateKey(key)) refuse('The key does not belong to the certificate.');
  if (new Date(certificate.validFrom) > now || new Date(certificate.validTo) < now) {
    refuse(`The certificate is valid from ${certificate.validFrom} to ${certificate.validTo}.`);
  }
  const roots = authorities.filter((one) => one.checkIssued(one));
  const root = rootOf(certificate, roots, [...chain, ...authorities]);
  if (!root)
    return refuse('The certificate does not lead to a root among the CAs given; an intermediate is not enough.');
  const missing = missingNames(certificate, spec);
  if (missing.length > 0) refuse(`The certificate lacks the names ${missing.join(', ')}.`);
  const usages = certificate.keyUsage ?? [serverAuth, clientAuth];
  if (!usages.includes(serverAuth)) refuse('The certificate is not one for servers.');
  if (!serversOnly && !usages.includes(clientAuth)) {
    refuse('The certificate may not be used by a client, which replicas and cluster nodes are of each other.');
  }
  return root;
}

const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';

/** Names that clients use; loopback names are for the machine's own tools, and no outside CA certifies them. */
function missingNames(certificate: X509Certificate, { dnsNames, ipAddresses }: CertificateSpec): string[] {
  return [
    ...dnsNames.filter((dns) => !isLoopback(dns) && certificate.checkHost(dns) === undefined),
    ...ipAddresses.filter((ip) => !isLoopback(ip) && certificate.checkIP(ip) === undefined),
  ];
}

/** Follows the signatures up from a certificate to a root. */
function rootOf(
  certificate: X509Certificate,
  roots: readonly X509Certificate[],
  between: readonly X509Certificate[],
): X509Certificate | undefined {
  const signed = (by: X509Certificate) => by.ca && certificate.checkIssued(by) && certificate.verify(by.publicKey);
  const issuers = between.filter(signed);
  const rest = between.filter((one) => !issuers.includes(one));
  return roots.find(signed) ?? issuers.map((issuer) => rootOf(issuer, roots, rest)).find((root) => root !== undefined);
}

function nonEmpty<T>(items: readonly T[]): readonly [T, ...T[]] {
  const [first, ...rest] = items;
  if (first === undefined) throw new Error('no PEM');
  return [first, ...rest];
}

function parse<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch {
    return refuse(`${what} is not valid PEM.`);
  }
}

function refuse(problem: string): never {
  throw new CliError('REDKEEP_CERTIFICATE_UNUSABLE', `${problem} Nothing was replaced.`, 'Get a fitting certificate.');
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw explainSystemError(error, file);
  }
}
