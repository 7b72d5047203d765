import 'reflect-metadata';
import { createHash, X509Certificate } from 'node:crypto';
import { X509Certificate as ParsedCertificate } from '@peculiar/x509';
import type { CertificateFacts } from '../facts/tls-facts.js';

const usageNames: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '2.5.29.37.0': 'any',
};

const curveBits: Readonly<Record<string, number>> = {
  prime256v1: 256,
  secp384r1: 384,
  secp521r1: 521,
  secp224r1: 224,
  secp256k1: 256,
};

function keyOf(certificate: X509Certificate): Pick<CertificateFacts, 'keyType' | 'keyBits'> {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details } = certificate.publicKey;
  const bits =
    details?.modulusLength ?? curveBits[details?.namedCurve ?? ''] ?? (/ed25519|x25519/.test(type) ? 256 : 448);
  return { keyType: details?.namedCurve ? `${type} ${details.namedCurve}` : type, keyBits: bits };
}

function signatureOf(der: Buffer): string {
  const algorithm: { name?: string; hash?: { name?: string } } = new ParsedCertificate(der).signatureAlgorithm;
  return [algorithm.name, algorithm.hash?.name].filter(Boolean).join(' ');
}

/** Subject alternative names of the certificate, `IP Address` shortened to `IP`. */
function namesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name !== '')
    .map((name) => name.replace(/^IP Address:/, 'IP:'));
}

/** Reads a certificate, PEM or DER. */
export function certificateFacts(source: string | Buffer): CertificateFacts {
  const certificate = new X509Certificate(source);
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return {
    subject: certificate.subject?.replaceAll('\n', ', ') ?? '',
    issuer: certificate.issuer?.replaceAll('\n', ', ') ?? '',
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256,
    spki: createHash('sha256').update(spki).digest('base64'),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    names: namesOf(certificate),
    ...keyOf(certificate),
    signature: signatureOf(certificate.raw),
    isCa: certificate.ca,
    usages: (certificate.keyUsage ?? []).map((oid) => usageNames[oid] ?? oid),
  };
}

/** The certificates of a PEM file, in order. */
export function splitPem(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
