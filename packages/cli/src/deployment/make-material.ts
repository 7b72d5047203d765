import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { explainSystemError } from '../errors.js';
import { createAuthority, issueCertificate, type KeyType, type PemPair } from '../pki/authority.js';
import { createPassword } from '../secrets/password.js';
import type { Material } from './material.js';
import type { CertificateSpec, Deployment } from './model.js';

/** Takes the passwords and certificates the folder already has and makes the missing ones. Writes nothing. */
export async function makeMaterial(
  deployment: Deployment,
  folder: string,
  options: { readonly now: Date; readonly keyType: KeyType },
): Promise<Material> {
  const read = (file: string) => readIfPresent(path.join(folder, file));
  const passwords = new Map<string, string>();
  for (const { name, passwordFile } of deployment.users) {
    passwords.set(name, (await read(passwordFile))?.trimEnd() || createPassword());
  }
  const ca =
    pairOf(await read(deployment.caFile), await read(deployment.caKeyFile)) ??
    (await createAuthority({
      commonName: 'redkeep private CA',
      days: deployment.policy.caDays,
      ...options,
    }));
  const certificates = new Map<string, PemPair>();
  for (const spec of deployment.certificates) {
    const existing = pairOf(await read(spec.certFile), await read(spec.keyFile));
    const fits = existing && carriesNames(existing.cert, spec);
    certificates.set(spec.name, fits ? existing : await issueCertificate(ca, spec, options));
  }
  return { passwords, certificates, ca };
}

/** False when an answer has added a name or address that the certificate does not carry. */
function carriesNames(pem: string, { dnsNames, ipAddresses }: CertificateSpec): boolean {
  try {
    const certificate = new X509Certificate(pem);
    const carried = new Set((certificate.subjectAltName ?? '').split(', '));
    return (
      dnsNames.every((name) => carried.has(`DNS:${name}`)) &&
      ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
    );
  } catch {
    return false;
  }
}

function pairOf(cert: string | undefined, key: string | undefined): PemPair | undefined {
  return cert !== undefined && key !== undefined ? { cert, key } : undefined;
}

/** A file's text, or undefined where there is none. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw explainSystemError(error, file);
  }
}
