import type { Fact } from './fact.js';

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** SHA-256 over the certificate, colon-separated upper-case hex. */
  readonly fingerprint: string;
  /** SHA-256 over the public key (SPKI), base64. */
  readonly spki: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Subject alternative names as `DNS:name` or `IP:address`. */
  readonly names: readonly string[];
  readonly keyType: string;
  /** Bits of the modulus (RSA) or of the curve (EC, Ed25519: 256). */
  readonly keyBits: number;
  readonly signature: string;
  readonly isCa: boolean;
  /** Extended key usages by name: `serverAuth`, `clientAuth`; empty when there is no such extension. */
  readonly usages: readonly string[];
}

/** What handshakes of our own showed. */
export interface TlsFacts {
  readonly port: number;
  readonly versions: Readonly<Record<TlsVersion, boolean>>;
  /** Suites the server agreed to, by OpenSSL name, per version. */
  readonly suites: Readonly<Partial<Record<TlsVersion, readonly string[]>>>;
  readonly groups: readonly string[];
  /** Bits of the smallest finite-field group offered, when there is one. */
  readonly dhBits?: number;
  readonly renegotiation: boolean;
  /** Leaf first, as served. */
  readonly chain: readonly CertificateFacts[];
  /** Against the CA that was given (never the web's store): `null` when it verifies, else why not. */
  readonly chainError: Fact<string | null>;
  /** Names and addresses that were checked, and whether the certificate covers them. */
  readonly nameMatches: Readonly<Record<string, boolean>>;
  /** Whether the server let a client without a certificate in (a reply came back). */
  readonly withoutClientCertificate: boolean;
}
