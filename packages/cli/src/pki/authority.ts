// First: the decorators below x509 need it.
import 'reflect-metadata';
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CertificateSpec } from '../deployment/model.js';

/** A certificate and its key, PEM. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

export const keyTypes = ['ec-p256', 'rsa-3072'] as const;
export type KeyType = (typeof keyTypes)[number];

const algorithms = {
  'ec-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'rsa-3072': {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 3072,
  },
} as const;

const dayMilliseconds = 86_400_000;
/** Certificates start a little in the past, so that a peer whose clock is slightly behind accepts them. */
const clockSkewMilliseconds = 5 * 60_000;

const { digitalSignature, keyEncipherment, keyCertSign, cRLSign } = x509.KeyUsageFlags;

/** Makes a private CA: it may sign node and client certificates and nothing below them (path length 0). */
export async function createAuthority(options: {
  readonly commonName: string;
  readonly days: number;
  readonly now: Date;
  readonly keyType?: KeyType;
}): Promise<PemPair> {
  const algorithm = algorithms[options.keyType ?? 'ec-p256'];
  const keys = await generateKeys(algorithm);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [options.commonName] }],
    ...lifetime(options.now, options.days),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

/**
 * Issues a certificate. A node's serves both ends (serverAuth and clientAuth): replicas and cluster peers are clients
 * of each other, and a certificate for serving alone breaks replication under mutual TLS. A client's may only connect.
 */
export async function issueCertificate(
  authority: PemPair,
  spec: CertificateSpec,
  options: { readonly now: Date; readonly keyType?: KeyType },
): Promise<PemPair> {
  const caCert = new x509.X509Certificate(authority.cert);
  const caAlgorithm = algorithmOf(caCert);
  const caKey = await importKey(authority.key, caAlgorithm);
  const algorithm = algorithms[options.keyType ?? 'ec-p256'];
  const keys = await generateKeys(algorithm);
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const names = [
    ...spec.dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...spec.ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [spec.commonName] }],
    issuer: caCert.subjectName,
    ...lifetime(options.now, spec.days, caCert.notAfter),
    signingAlgorithm: caAlgorithm,
    publicKey: keys.publicKey,
    signingKey: caKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        algorithm.name === 'ECDSA' ? digitalSignature : digitalSignature | keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension(spec.usage === 'node' ? [serverAuth, clientAuth] : [clientAuth]),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(caCert.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

type Algorithm = (typeof algorithms)[KeyType];

function algorithmOf(certificate: x509.X509Certificate): Algorithm {
  return certificate.publicKey.algorithm.name === 'ECDSA' ? algorithms['ec-p256'] : algorithms['rsa-3072'];
}

function generateKeys(algorithm: Algorithm): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function importKey(pem: string, algorithm: Algorithm): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), algorithm, false, ['sign']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

/** 16 random bytes with the top bit clear: positive, and unguessable as the CA/Browser Forum asks. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return bytes.toString('hex');
}

/** A leaf never outlives its CA. */
function lifetime(now: Date, days: number, limit?: Date): { notBefore: Date; notAfter: Date } {
  const notAfter = new Date(now.getTime() + days * dayMilliseconds);
  return {
    notBefore: new Date(now.getTime() - clockSkewMilliseconds),
    notAfter: limit && limit < notAfter ? limit : notAfter,
  };
}
