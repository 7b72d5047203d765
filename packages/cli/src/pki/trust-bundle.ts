import { randomBytes, X509Certificate } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import type { LoadedDeployment } from '../deployment/state.js';
import { CliError, explainSystemError } from '../errors.js';

/**
 * Adds a CA to the file that servers and clients trust, after those already there: first both are trusted, then
 * certificates are issued anew, then the old one can go. True when it was not there yet.
 */
export async function addTrust(loaded: LoadedDeployment, pem: string, now: Date): Promise<boolean> {
  const file = loaded.locate(loaded.deployment.caFile);
  const added = parseAuthority(pem, now);
  const bundle = await readFile(file, 'utf8');
  const known = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (known.some((text) => new X509Certificate(text).fingerprint256 === added.fingerprint256)) return false;
  const staging = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(staging, 'wx', 0o644);
    await handle.writeFile(`${bundle.trimEnd()}\n${added.toString()}`);
    await handle.sync();
    await handle.close();
    await rename(staging, file);
  } catch (error) {
    throw explainSystemError(error, file);
  }
  return true;
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
