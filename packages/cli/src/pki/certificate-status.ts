import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { CertificateSpec } from '../deployment/model.js';
import { explainSystemError } from '../errors.js';

const dayMilliseconds = 86_400_000;
/** Days left at which `check` warns, and at which it fails loudly. */
export const warningDays = 30;
export const criticalDays = 7;
/** Renewal is due at two thirds of the lifetime, as ACME clients do. */
const renewAfter = 2 / 3;

export interface CertificateStatus {
  readonly name: string;
  readonly usage: 'ca' | 'node' | 'client';
  readonly subject: string;
  readonly names: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly renewalDue: boolean;
  /** SHA-256 of the certificate, hex with colons. */
  readonly fingerprint: string;
}

export function statusOf(name: string, usage: CertificateStatus['usage'], pem: string, now: Date): CertificateStatus {
  const certificate = new X509Certificate(pem);
  const notBefore = new Date(certificate.validFrom);
  const notAfter = new Date(certificate.validTo);
  const lifetime = notAfter.getTime() - notBefore.getTime();
  return {
    name,
    usage,
    subject: certificate.subject,
    names: certificate.subjectAltName ?? '',
    notBefore,
    notAfter,
    daysLeft: Math.floor((notAfter.getTime() - now.getTime()) / dayMilliseconds),
    renewalDue: now.getTime() >= notBefore.getTime() + lifetime * renewAfter * (1 - jitterOf(certificate)),
    fingerprint: certificate.fingerprint256,
  };
}

/** Up to a tenth earlier, fixed for each certificate: a fleet does not renew at one moment, and a test can repeat it. */
function jitterOf(certificate: X509Certificate): number {
  return (Number.parseInt(certificate.serialNumber.slice(-4), 16) / 0xffff) * 0.1;
}

/** The CA and every certificate of a deployment, as they are on disk. */
export async function readStatuses(loaded: LoadedDeployment, now: Date): Promise<CertificateStatus[]> {
  const { caFile, certificates } = loaded.deployment;
  const read = async (file: string) => {
    try {
      return await readFile(loaded.locate(file), 'utf8');
    } catch (error) {
      throw explainSystemError(error, loaded.locate(file));
    }
  };
  return [
    statusOf('ca', 'ca', await read(caFile), now),
    ...(await Promise.all(
      certificates.map(async (spec: CertificateSpec) =>
        statusOf(spec.name, spec.usage, await read(spec.certFile), now),
      ),
    )),
  ];
}
