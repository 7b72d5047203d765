// @peculiar/x509 wants it loaded first.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;

/** A certificate and its private key, PEM. */
export interface Credential {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly commonName: string;
  /** Subject alternative names: DNS names and IP addresses, distinguished by their form. */
  readonly names?: readonly string[];
  readonly usage?: 'server' | 'client' | 'both';
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in 30 days. */
  readonly notAfter?: Date;
  /** Default: EC P-256. */
  readonly keys?: KeyAlgorithm;
  /** Hash of the CA's signature; default SHA-256. */
  readonly hash?: 'SHA-256' | 'SHA-1';
}

/** RSA with so many bits, or EC P-256. */
export type KeyAlgorithm = { readonly rsaBits: number } | 'P-256';

/** A certificate authority that lives in memory only: nothing of it is ever in git. */
export interface Authority {
  /** The CA's own certificate, PEM. */
  readonly cert: string;
  /** Its private key, PEM, for a test that leaves it where it must not lie. */
  readonly key: string;
  issue(options: IssueOptions): Promise<Credential>;
}

/** Every certificate that tests of TLS need. EC P-256, made at run time. */
export interface Pki {
  readonly authority: Authority;
  /** The CA's certificate, PEM. */
  readonly ca: string;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Credential;
  readonly client: Credential;
  /** Right names, but it ended yesterday. */
  readonly expired: Credential;
  /** Valid, but for wrong.example. */
  readonly wrongName: Credential;
  /** A CA that nobody should trust, and a certificate of it with the right names. */
  readonly otherCa: string;
  readonly otherServer: Credential;
}

export type PkiCredential = 'server' | 'client' | 'expired' | 'wrongName' | 'otherServer';

export async function createPki(options: { names?: readonly string[]; authority?: Authority } = {}): Promise<Pki> {
  const names = ['localhost', '127.0.0.1', '::1', ...(options.names ?? [])];
  const [authority, other] = await Promise.all([
    options.authority ?? createAuthority('Redkeep test CA'),
    createAuthority('Other test CA'),
  ]);
  const yesterday = new Date(Date.now() - DAY);
  const [server, client, expired, wrongName, otherServer] = await Promise.all([
    authority.issue({ commonName: 'localhost', names }),
    authority.issue({ commonName: 'client', usage: 'client' }),
    authority.issue({
      commonName: 'localhost',
      names,
      notBefore: new Date(Date.now() - 30 * DAY),
      notAfter: yesterday,
    }),
    authority.issue({ commonName: 'wrong.example', names: ['wrong.example'] }),
    other.issue({ commonName: 'localhost', names }),
  ]);
  return {
    authority,
    ca: authority.cert,
    server,
    client,
    expired,
    wrongName,
    otherCa: other.cert,
    otherServer,
  };
}

let shared: Promise<Pki> | undefined;

/** The process's common PKI, for tests that need any valid one. */
export function sharedPki(): Promise<Pki> {
  shared ??= createPki();
  return shared;
}

export async function createAuthority(commonName: string, options: { notAfter?: Date } = {}): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...serialNumber(),
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 60 * DAY),
    notAfter: options.notAfter ?? new Date(Date.now() + 365 * DAY),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  return {
    cert: certificate.toString('pem'),
    key: await privateKeyPem(keys.privateKey),
    async issue({ commonName, names = [], usage = 'both', notBefore, notAfter, keys: wanted, hash = 'SHA-256' }) {
      const leafKeys = await generateKeys(wanted);
      const purposes = { server: ['serverAuth'], client: ['clientAuth'], both: ['serverAuth', 'clientAuth'] } as const;
      const leaf = await x509.X509CertificateGenerator.create({
        ...serialNumber(),
        subject: `CN=${commonName}`,
        issuer: certificate.subject,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: { ...ALGORITHM, hash },
        notBefore: notBefore ?? new Date(Date.now() - 3_600_000),
        notAfter: notAfter ?? new Date(Date.now() + 30 * DAY),
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(purposes[usage].map((purpose) => x509.ExtendedKeyUsage[purpose])),
          new x509.SubjectAlternativeNameExtension(
            names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value })),
          ),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ].filter((extension) => names.length > 0 || !(extension instanceof x509.SubjectAlternativeNameExtension)),
      });
      return { cert: leaf.toString('pem'), key: await privateKeyPem(leafKeys.privateKey) };
    },
  };
}

/** Writes PEM files (0600) for tests that need paths: `ca.crt`, `<name>.crt` and `<name>.key`. */
export async function writePki(pki: Pki, folder: string, credential: PkiCredential = 'server') {
  const paths = {
    ca: join(folder, 'ca.crt'),
    cert: join(folder, `${credential}.crt`),
    key: join(folder, `${credential}.key`),
  };
  const { cert, key } = pki[credential];
  await writeFile(paths.ca, pki.ca, { mode: 0o600 });
  await writeFile(paths.cert, cert, { mode: 0o600 });
  await writeFile(paths.key, key, { mode: 0o600 });
  return paths;
}

function generateKeys(keys: KeyAlgorithm = 'P-256') {
  const algorithm =
    keys === 'P-256'
      ? ALGORITHM
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: keys.rsaBits,
          publicExponent: new Uint8Array([1, 0, 1]),
        };
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function serialNumber() {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(15)));
  return { serialNumber: `01${bytes.toString('hex')}` };
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}
