import type { webcrypto } from 'node:crypto';
import type { PemPair } from '../pki/authority.js';
// First: the decorators below x509 need what it imports.
import '../pki/authority.js';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const { keyCertSign, cRLSign } = x509.KeyUsageFlags;

/** A root and an intermediate CA, as public CAs have them. */
export async function createChain(now: Date): Promise<{ readonly root: PemPair; readonly intermediate: PemPair }> {
  const rootKeys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const dates = { notBefore: new Date(now.getTime() - 60_000), notAfter: new Date(now.getTime() + 40 * 86_400_000) };
  const usages = new x509.KeyUsagesExtension(keyCertSign | cRLSign, true);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Example Root',
    ...dates,
    signingAlgorithm: algorithm,
    keys: rootKeys,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true), usages],
  });
  const intermediate = await x509.X509CertificateGenerator.create({
    subject: 'CN=Example Intermediate',
    issuer: root.subjectName,
    ...dates,
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), usages],
  });
  return { root: await pem(root, rootKeys.privateKey), intermediate: await pem(intermediate, keys.privateKey) };
}

async function pem(certificate: x509.X509Certificate, key: webcrypto.CryptoKey): Promise<PemPair> {
  const text = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
  return { cert: `${certificate.toString('pem')}\n`, key: `${text}\n` };
}
