import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { createAuthority, issueCertificate, type KeyType, type PemPair } from '../pki/authority.js';
import { createPassword } from '../secrets/password.js';
import { type Material, passwordHash } from './material.js';
import type { CertificateSpec, Deployment, User } from './model.js';

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
  const alsoAccepted = new Map<string, string[]>();
  for (const user of deployment.users) {
    const others = await Promise.all([nextPasswordFile(user), previousPasswordFile(user)].map(read));
    alsoAccepted.set(
      user.name,
      others.flatMap((text) => (text?.trim() ? [passwordHash(text.trim())] : [])),
    );
  }
  const ca = await authorityOf(deployment, read, options);
  const certificates = new Map<string, PemPair>();
  for (const spec of deployment.certificates) {
    const existing = pairOf(await read(spec.certFile), await read(spec.keyFile));
    const fits = existing && (isForeign(existing.cert, ca.cert) || carriesNames(existing.cert, spec));
    certificates.set(spec.name, fits ? existing : await issueCertificate(withKey(ca, deployment), spec, options));
  }
  return { passwords, alsoAccepted, certificates, ca, clientCa: (await read(deployment.clientCaFile)) ?? ca.cert };
}

/** While a user's password is rotated: the one that is to come. Servers accept it beside the current one. */
export function nextPasswordFile({ name }: Pick<User, 'name'>): string {
  return `secrets/rotation/${name}.next.password`;
}

/** While a user's password is rotated: the one that goes. Servers accept it until then. */
export function previousPasswordFile({ name }: Pick<User, 'name'>): string {
  return `secrets/rotation/${name}.previous.password`;
}

type Authority = Material['ca'];

/** The CA of the folder, with or without its key: it may have been moved off the machine, as the runbook says. */
async function authorityOf(
  { caFile, caKeyFile, policy }: Deployment,
  read: (file: string) => Promise<string | undefined>,
  options: { readonly now: Date; readonly keyType: KeyType },
): Promise<Authority> {
  const cert = await read(caFile);
  if (cert !== undefined) return { cert, key: await read(caKeyFile) };
  return createAuthority({ commonName: 'redkeep private CA', days: policy.caDays, ...options });
}

function withKey({ cert, key }: Authority, { caKeyFile }: Deployment): PemPair {
  if (key !== undefined) return { cert, key };
  throw new CliError(
    'REDKEEP_CERTIFICATE_UNUSABLE',
    `A certificate has to be issued, and the CA's key is not at ${caKeyFile}. Nothing was written.`,
    'Put the key back for as long as this takes, and run it again.',
  );
}

/** True for a certificate that another CA issued: it was imported and is renewed there, whatever names it carries. */
export function isForeign(pem: string, ownAuthority: string): boolean {
  try {
    return !new X509Certificate(pem).verify(new X509Certificate(ownAuthority).publicKey);
  } catch {
    return false;
  }
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
