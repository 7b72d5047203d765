import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../../context.js';
import { type CertificateSpec, certificateOf } from '../../deployment/model.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError, explainSystemError } from '../../errors.js';
import { replaceCertificate } from '../../pki/replace-certificate.js';
import { addTrust } from '../../pki/trust-bundle.js';
import type { DirOption } from '../dir-option.js';
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
  const loaded = await loadDeployment(context, options.dir);
  const node = loaded.deployment.nodes.find((candidate) => candidate.name === name);
  if (!node) {
    const known = loaded.deployment.nodes.map((candidate) => candidate.name).join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `There is no node "${name}".`, `The nodes are: ${known}.`);
  }
  const spec = certificateOf(loaded.deployment, node.certificate);
  const [cert, key, ca] = await Promise.all(
    [options.cert, options.key, options.ca].map((file) => readText(path.resolve(context.cwd, file))),
  );
  checkPair({ cert: cert!, key: key!, ca: ca! }, spec, context.clock.now());
  await addTrust(loaded, ca!, context.clock.now());
  const before = await readPair(loaded, spec);
  const fingerprint = await replaceCertificate(loaded, spec, { cert: cert!, key: key! }, context.clock.now());
  const outcome = await reloadNode(context, loaded, node, { fingerprint, before });
  context.terminal.done(`${name}: imported, ${outcome} (${fingerprint.slice(0, 23)}…).`);
}

function checkPair(
  pem: { readonly cert: string; readonly key: string; readonly ca: string },
  spec: CertificateSpec,
  now: Date,
): void {
  const certificate = parse(() => new X509Certificate(pem.cert), 'The certificate');
  const authority = parse(() => new X509Certificate(pem.ca), 'The CA certificate');
  const key = parse(() => createPrivateKey(pem.key), 'The key');
  const missing = [
    ...spec.dnsNames.filter((dns) => certificate.checkHost(dns) === undefined),
    ...spec.ipAddresses.filter((ip) => certificate.checkIP(ip) === undefined),
  ].filter((name) => !['localhost', '127.0.0.1', '::1'].includes(name));
  const loopbackOnly = spec.ipAddresses.every((ip) => ip === '127.0.0.1' || ip === '::1');
  if (!certificate.checkPrivateKey(key)) refuse('The key does not belong to the certificate.');
  if (new Date(certificate.validFrom) > now || new Date(certificate.validTo) < now) {
    refuse(`The certificate is valid from ${certificate.validFrom} to ${certificate.validTo}.`);
  }
  if (certificate.issuer === authority.subject && !certificate.verify(authority.publicKey)) {
    refuse('The certificate is not signed by the CA given.');
  }
  if (missing.length > 0 && !loopbackOnly) refuse(`The certificate lacks the names ${missing.join(', ')}.`);
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
