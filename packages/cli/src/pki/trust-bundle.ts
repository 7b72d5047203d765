import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { CliError, explainSystemError } from '../errors.js';
import { replaceFile } from '../files/replace-file.js';

/** Certificates of a PEM text, in its order. */
export function certificatesOf(pem: string): X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return texts.map((text) => new X509Certificate(text));
}

/**
 * Adds a CA to what clients trust and, unless it vouches for servers only, to what servers accept, after those already
 * there: first both are trusted, then certificates are issued anew, then the old one can go. True when it was new.
 */
export async function addTrust(
  loaded: LoadedDeployment,
  pem: string,
  options: { readonly now: Date; readonly serversOnly?: boolean },
): Promise<boolean> {
  const { caFile, clientCaFile } = loaded.deployment;
  const added = parseAuthority(pem, options.now);
  let isNew = false;
  for (const file of options.serversOnly ? [caFile] : [caFile, clientCaFile]) {
    if (await appendCertificate(loaded.locate(file), added)) isNew = true;
  }
  return isNew;
}

async function appendCertificate(file: string, added: X509Certificate): Promise<boolean> {
  try {
    const bundle = await readFile(file, 'utf8');
    if (certificatesOf(bundle).some(({ fingerprint256 }) => fingerprint256 === added.fingerprint256)) return false;
    await replaceFile(file, `${bundle.trimEnd()}\n${added.toString()}`, { mode: 0o644 });
    return true;
  } catch (error) {
    throw explainSystemError(error, file);
  }
}

function parseAuthority(pem: string, now: Date): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new CliError('REDKEEP_CERTIFICATE_UNUSABLE', 'The CA certificate is not valid PEM.', 'Give a PEM file.');
  }
  if (!certificate.ca) {
    throw new CliError('REDKEEP_CERTIFICATE_UNUSABLE', 'The certificate is not one of a CA.', "Give the CA's own.");
  }
  if (new Date(certificate.validTo) < now) {
    throw new CliError('REDKEEP_CERTIFICATE_UNUSABLE', 'The CA certificate has expired.', 'Give a valid one.');
  }
  return certificate;
}
