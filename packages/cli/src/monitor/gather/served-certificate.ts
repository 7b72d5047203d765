import { checkServerIdentity, type DetailedPeerCertificate } from 'node:tls';
import { type Endpoint, openTls } from '../../audit/gather/endpoint.js';
import type { ServedCertificate } from '../snapshot.js';

/**
 * The certificate that a new client is served. The handshake itself verifies nothing, so that an expired or foreign
 * certificate can be described; what verification would have said is in `trusted` and `problem`. Nothing is sent.
 */
export async function servedCertificate(endpoint: Endpoint): Promise<ServedCertificate> {
  const { ca, cert, key, host, servername } = endpoint;
  const socket = await openTls(endpoint, {
    minVersion: 'TLSv1.2',
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  });
  try {
    const certificate = socket.getPeerCertificate(true);
    const chainProblem = socket.authorized ? undefined : codeOf(socket.authorizationError);
    const nameProblem = checkServerIdentity(servername ?? host, certificate) && 'ERR_TLS_CERT_ALTNAME_INVALID';
    const problem = chainProblem ?? nameProblem;
    return {
      fingerprint: certificate.fingerprint256,
      notBefore: new Date(certificate.valid_from),
      notAfter: firstEnd(certificate),
      trusted: problem === undefined,
      problem,
      protocol: socket.getProtocol() ?? 'unknown',
    };
  } finally {
    socket.end();
    socket.destroySoon();
  }
}

/** Node gives the code as text or as an error. */
function codeOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
}

function firstEnd(certificate: DetailedPeerCertificate): Date {
  let end = new Date(certificate.valid_to);
  const seen = new Set([certificate.fingerprint256]);
  let next: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
  while (next?.valid_to !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    const itsEnd = new Date(next.valid_to);
    if (itsEnd < end) end = itsEnd;
    next = next.issuerCertificate;
  }
  return end;
}
