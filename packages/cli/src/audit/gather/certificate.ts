import { createHash, X509Certificate } from 'node:crypto';
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

const signatureNames: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'RSA MD5',
  '1.2.840.113549.1.1.5': 'RSA SHA-1',
  '1.2.840.113549.1.1.10': 'RSA-PSS',
  '1.2.840.113549.1.1.11': 'RSA SHA-256',
  '1.2.840.113549.1.1.12': 'RSA SHA-384',
  '1.2.840.113549.1.1.13': 'RSA SHA-512',
  '1.2.840.10045.4.1': 'ECDSA SHA-1',
  '1.2.840.10045.4.3.2': 'ECDSA SHA-256',
  '1.2.840.10045.4.3.3': 'ECDSA SHA-384',
  '1.2.840.10045.4.3.4': 'ECDSA SHA-512',
  '1.3.101.112': 'Ed25519',
  '1.3.101.113': 'Ed448',
};

/** Content of the DER element at `start`, and where the next one begins. */
function element(der: Buffer, start: number): { content: Buffer; end: number } {
  const first = der.readUInt8(start + 1);
  const more = first < 128 ? 0 : first & 0x7f;
  const length = more === 0 ? first : der.readUIntBE(start + 2, more);
  const begin = start + 2 + more;
  return { content: der.subarray(begin, begin + length), end: begin + length };
}

function oidText(bytes: Buffer): string {
  const [first = 0, ...rest] = bytes;
  const parts = [Math.min(Math.floor(first / 40), 2)];
  parts.push(first - parts[0]! * 40);
  let value = 0;
  for (const byte of rest) {
    value = value * 128 + (byte & 0x7f);
    if (byte < 128) {
      parts.push(value);
      value = 0;
    }
  }
  return parts.join('.');
}

/**
 * The algorithm of a certificate's signature (RFC 5280, 4.1.1.2), which Node gives from version 24 on only: the second
 * element of the certificate. OpenSSL has parsed it before.
 */
function signatureOf(der: Buffer): string {
  const { content } = element(der, 0);
  const algorithm = element(content, element(content, 0).end).content;
  const oid = oidText(element(algorithm, 0).content);
  return signatureNames[oid] ?? oid;
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
