import { connect, type PeerCertificate } from 'node:tls';

export interface TlsProbe {
  readonly protocol: string;
  readonly certificate: PeerCertificate;
}

export interface TlsEndpoint {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** One verified TLS handshake. Rejects with the socket's error: refused, not TLS, untrusted, wrong name, expired. */
export function probeTls(endpoint: TlsEndpoint, timeoutMilliseconds: number): Promise<TlsProbe> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint, minVersion: 'TLSv1.2', servername: serverName(endpoint.host) });
    socket.setTimeout(timeoutMilliseconds, () => socket.destroy(new Error('no answer to the TLS handshake')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve({ protocol: socket.getProtocol() ?? 'unknown', certificate: socket.getPeerCertificate() });
      // Ends with close_notify: a cut connection would leave an error in the server's log.
      socket.end();
      socket.resume();
    });
  });
}

/** SNI may not be an IP address (RFC 6066); the certificate is still checked against the host. */
function serverName(host: string): string {
  return /^[\d.]+$|:/.test(host) ? '' : host;
}
