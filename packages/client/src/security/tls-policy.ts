/**
 * How a connection is encrypted and which certificates it trusts. The rules:
 *  - TLS 1.2 is the floor (RFC 8996 retired what is below), 1.3 preferred; AEAD suites with forward secrecy only;
 *  - chain and name are always verified; `rejectUnauthorized: false` is refused by name, because it is how
 *    verification gets lost by accident. `dangerouslyAcceptAnyCertificate` exists for laboratories and warns.
 */
import { constants, createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContextOptions,
  checkServerIdentity as verifyName,
} from 'node:tls';
import { Secret } from '../credentials/secret.js';
import { InvalidOptionError } from '../errors.js';

type Pem = string | Buffer | readonly (string | Buffer)[];

export interface TlsOptions {
  /** CA certificates, PEM. Replaces the system's list: a private CA is trusted alone. */
  ca?: Pem;
  /** Client certificate, PEM; with `key`, for servers that ask for one. */
  cert?: Pem;
  /** Private key of the client certificate, PEM. */
  key?: string | Buffer | Secret;
  /** Of an encrypted `key`. */
  passphrase?: string | Secret;
  /** File with `ca`; like those of `cert` and `key` it is read at every connect, so that what was renewed is used. */
  caFile?: string;
  /** File with `cert`, read at every connect. */
  certFile?: string;
  /** File with `key`, read at every connect. */
  keyFile?: string;
  /** Certificate and key in one, PKCS #12; `passphrase` opens it. */
  pfx?: Buffer;
  /** Lists of revoked certificates, PEM. */
  crl?: Pem;
  /** Signature algorithms that are accepted, as OpenSSL names them; never with SHA-1 or MD5. */
  sigalgs?: string;
  /** Protocols that are offered (ALPN). */
  ALPNProtocols?: readonly string[];
  /** Name to verify and to send as SNI. Default: the host connected to. */
  servername?: string;
  /** Oldest TLS version. @default 'TLSv1.2' */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Newest TLS version. @default 'TLSv1.3' */
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL cipher list for TLS 1.2 and suites of 1.3. */
  ciphers?: string;
  /** Groups for the key exchange, as Node's option of this name. */
  ecdhCurve?: string;
  /** SHA-256 of the SubjectPublicKeyInfo of the server's key, base64 (RFC 7469, section 2.4). Any one must match. */
  pinnedSpki?: string | readonly string[];
  /** SHA-256 fingerprint (hex, with or without colons) of a CA that must be in the verified chain. */
  pinnedCa?: string | readonly string[];
  /** Extra check after the chain and the name are verified; returns an error to refuse. */
  checkServerIdentity?: (host: string, certificate: PeerCertificate) => Error | undefined;
  /** Laboratories only: neither chain nor name is verified. Warns at every start. */
  dangerouslyAcceptAnyCertificate?: boolean;
}

/** ECDHE key exchange and AEAD ciphers: what RFC 9325 (BCP 195) recommends for TLS 1.2, and the suites of 1.3. */
export const DEFAULT_CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/** Checks what options mean together, as far as that can be before a connection is made. Files are read later. */
export function validateTls(options: TlsOptions, path = 'tls'): void {
  if (options.minVersion === 'TLSv1.3' && options.maxVersion === 'TLSv1.2') {
    throw new InvalidOptionError(`${path}.maxVersion`, 'is below minVersion');
  }
  const hasCert = options.cert !== undefined || options.certFile !== undefined;
  const hasKey = options.key !== undefined || options.keyFile !== undefined;
  if (options.pfx !== undefined && (hasCert || hasKey))
    throw new InvalidOptionError(`${path}.pfx`, 'is given beside a certificate or key: leave one of them out');
  if (hasCert !== hasKey) {
    throw new InvalidOptionError(
      `${path}.${hasCert ? 'keyFile' : 'certFile'}`,
      'a client certificate needs both certificate and key',
    );
  }
  for (const name of ['ca', 'cert', 'key'] as const)
    if (options[name] !== undefined && options[`${name}File`] !== undefined)
      throw new InvalidOptionError(`${path}.${name}File`, `is given beside ${name}: leave one of them out`);
  if (options.passphrase !== undefined && !hasKey && options.pfx === undefined)
    throw new InvalidOptionError(`${path}.passphrase`, 'has no key that it could be for');
  if (options.dangerouslyAcceptAnyCertificate === true)
    for (const name of ['pinnedSpki', 'pinnedCa', 'checkServerIdentity'] as const)
      if (options[name] !== undefined)
        throw new InvalidOptionError(`${path}.${name}`, 'checks nothing beside dangerouslyAcceptAnyCertificate');
  checkPem(options.ca, `${path}.ca`);
  checkPem(options.cert, `${path}.cert`);
  const { ciphers, key, passphrase, ecdhCurve } = options;
  checkContext({ ciphers }, `${path}.ciphers`, 'names no suite that this OpenSSL knows');
  checkContext({ sigalgs: options.sigalgs }, `${path}.sigalgs`, 'names no algorithm that this OpenSSL knows');
  if (options.pfx !== undefined)
    checkContext(
      { pfx: options.pfx, passphrase: revealed(passphrase) },
      `${path}.pfx`,
      'is not a PKCS #12 archive that this passphrase opens',
    );
  checkContext({ ecdhCurve }, `${path}.ecdhCurve`, 'names no curve that this OpenSSL knows');
  if (key === undefined || options.cert === undefined) return;
  checkContext(
    { cert: asArray(options.cert), key: revealed(key), passphrase: revealed(passphrase) },
    `${path}.key`,
    'is not the private key of the certificate, or the passphrase is not its own',
  );
}

function checkPem(pem: Pem | undefined, path: string): void {
  for (const part of asArray(pem) ?? []) {
    const blocks = String(part).match(/-----BEGIN [A-Z ]*CERTIFICATE-----[^-]*-----END [A-Z ]*CERTIFICATE-----/g);
    try {
      if (blocks === null) throw new TypeError('no certificate');
      for (const block of blocks) new X509Certificate(block);
    } catch {
      throw new InvalidOptionError(
        path,
        'is not a certificate in PEM; for the path of a file there are caFile and certFile',
      );
    }
  }
}

function checkContext(context: SecureContextOptions, path: string, problem: string): void {
  if (Object.values(context).every((value) => value === undefined)) return;
  try {
    createSecureContext(context);
  } catch {
    // OpenSSL's own words can quote what it was given.
    throw new InvalidOptionError(path, problem);
  }
}

/** A secret's value, for OpenSSL. */
export function revealed<T>(value: T | Secret): T | string {
  return value instanceof Secret ? value.reveal() : value;
}

/**
 * Options for `tls.connect`. Files are read here, so every connect sees the present ones. The certificate must be for
 * `servername` if given, else for `host` or one of `aliases`.
 */
export function tlsConnectOptions(
  options: TlsOptions,
  host: string | undefined,
  aliases: readonly string[] = [],
): ConnectionOptions {
  const identity = options.servername ?? host ?? 'localhost';
  const identities = options.servername === undefined ? [identity, ...aliases] : [identity];
  const servername =
    options.servername ?? (host === undefined ? undefined : identities.find((name) => isIP(name) === 0));
  return {
    // A context and not its parts: sockets keep the options that they were made with, where they can be printed.
    secureContext: createSecureContext({
      ca: asArray(options.ca) ?? read(options.caFile, 'tls.caFile'),
      cert: asArray(options.cert) ?? read(options.certFile, 'tls.certFile'),
      pfx: options.pfx,
      crl: asArray(options.crl),
      sigalgs: options.sigalgs,
      key: revealed(options.key ?? read(options.keyFile, 'tls.keyFile')),
      passphrase: revealed(options.passphrase),
      minVersion: options.minVersion ?? 'TLSv1.2',
      maxVersion: options.maxVersion ?? 'TLSv1.3',
      ciphers: options.ciphers ?? DEFAULT_CIPHERS,
      ecdhCurve: options.ecdhCurve ?? 'auto',
      // TLS 1.3 has none, and in 1.2 a server that asks for one again and again only costs.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    }),
    servername,
    ...(options.ALPNProtocols === undefined ? {} : { ALPNProtocols: [...options.ALPNProtocols] }),
    rejectUnauthorized: options.dangerouslyAcceptAnyCertificate !== true,
    checkServerIdentity: (_, certificate) => {
      if (options.dangerouslyAcceptAnyCertificate === true) return undefined;
      return (
        verifyAny(identities, certificate) ??
        checkPins(options, certificate) ??
        options.checkServerIdentity?.(identity, certificate)
      );
    },
  };
}

/** The error about the first name, unless the certificate is for any. */
function verifyAny(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  const refusals = names.map((name) => verifyName(name, certificate));
  return refusals.includes(undefined) ? undefined : refusals[0];
}

function checkPins(options: TlsOptions, certificate: PeerCertificate): Error | undefined {
  const spki = toList(options.pinnedSpki);
  if (spki.length > 0) {
    const key = new X509Certificate(certificate.raw).publicKey.export({ type: 'spki', format: 'der' });
    if (!spki.includes(createHash('sha256').update(key).digest('base64')))
      return new Error('The public key is not a pinned one');
  }
  const pinnedCas = toList(options.pinnedCa).map((pin) => pin.replaceAll(':', '').toUpperCase());
  if (pinnedCas.length > 0) {
    let issuer: (PeerCertificate & { issuerCertificate?: PeerCertificate }) | undefined = certificate;
    const seen = new Set<string>();
    while (issuer?.fingerprint256 !== undefined && !seen.has(issuer.fingerprint256)) {
      if (pinnedCas.includes(issuer.fingerprint256.replaceAll(':', ''))) return undefined;
      seen.add(issuer.fingerprint256);
      issuer = issuer.issuerCertificate;
    }
    return new Error('No pinned CA is in the chain');
  }
  return undefined;
}

function toList(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

function asArray(pem: Pem | undefined): (string | Buffer)[] | undefined {
  if (pem === undefined) return undefined;
  return Array.isArray(pem) ? [...pem] : [pem as string | Buffer];
}

function read(file: string | undefined, option: string): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InvalidOptionError(option, `cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
