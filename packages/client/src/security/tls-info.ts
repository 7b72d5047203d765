import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

export interface CertificateInfo {
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names as in the certificate: `DNS:host`, `IP Address:10.0.0.1`. */
  readonly names: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
  /** SHA-256, hex with colons. */
  readonly fingerprint: string;
}

/** What the live connection really uses; nothing is asked of the server. */
export interface TlsInfo {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly protocol: string;
  readonly cipher: string;
  /** Chain and name were verified (false only under `dangerouslyAcceptAnyCertificate`). */
  readonly verified: boolean;
  /** The server's certificate first. */
  readonly chain: readonly CertificateInfo[];
  /** When the first certificate of the chain ends. */
  readonly validTo: Date;
  /** Whole days until then; negative when it has. */
  readonly daysLeft: number;
}

const DAY_MS = 86_400_000;

export function tlsInfoOf(socket: TLSSocket, now: number = Date.now()): TlsInfo {
  const chain: CertificateInfo[] = [];
  const seen = new Set<string>();
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // A root is its own issuer.
  while (certificate?.fingerprint256 !== undefined && !seen.has(certificate.fingerprint256)) {
    seen.add(certificate.fingerprint256);
    chain.push({
      subject: commonName(certificate.subject),
      issuer: commonName(certificate.issuer),
      names: certificate.subjectaltname?.split(', ') ?? [],
      validFrom: new Date(certificate.valid_from),
      validTo: new Date(certificate.valid_to),
      fingerprint: certificate.fingerprint256,
    });
    certificate = certificate.issuerCertificate;
  }
  const end = Math.min(...chain.map(({ validTo }) => validTo.getTime()));
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName ?? socket.getCipher().name,
    verified: socket.authorized,
    chain,
    validTo: new Date(end),
    daysLeft: Math.floor((end - now) / DAY_MS),
  };
}

function commonName(name: { CN?: string | string[]; O?: string | string[] }): string {
  return [name.CN ?? name.O ?? ''].flat().join(', ');
}
