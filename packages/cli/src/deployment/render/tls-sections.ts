import { certificateOf, type Deployment, type DeploymentNode } from '../model.js';
import { type Section, section } from './conf-sections.js';

/** Suites with forward secrecy and authenticated encryption only: the servers' default still offers CBC suites. */
const tls12Ciphers = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');
const tls13Ciphers = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

/** TLS of a node, the same for data nodes and sentinels. */
export function tlsSections(deployment: Deployment, node: DeploymentNode, locate: (file: string) => string): Section[] {
  const { policy } = deployment;
  const certificate = certificateOf(deployment, node.certificate);
  return [
    section(
      'The private CA decides who is who. The node certificate serves for connections in and out.',
      ['tls-ca-cert-file', locate(deployment.clientCaFile)],
      ['tls-cert-file', locate(certificate.certFile)],
      ['tls-key-file', locate(certificate.keyFile)],
    ),
    policy.clientCertificates === 'required'
      ? section('A client must hold a certificate of the private CA as well as a password.', [
          'tls-auth-clients',
          'yes',
        ])
      : section('A client certificate is checked when shown; development may connect with the password alone.', [
          'tls-auth-clients',
          'optional',
        ]),
    section(
      'TLS 1.2 at least, forward secrecy and authenticated encryption only.',
      ['tls-protocols', policy.tlsVersions.join(' ')],
      ['tls-ciphers', tls12Ciphers],
      ['tls-ciphersuites', tls13Ciphers],
      ['tls-prefer-server-ciphers', 'yes'],
      ['tls-session-caching', policy.tlsSessionCaching ? 'yes' : 'no'],
    ),
    section('Renewed certificates are picked up by themselves.', ['tls-auto-reload-interval', 3600]),
    section('Links between servers are encrypted as well.', ['tls-replication', 'yes'], ['tls-cluster', 'yes']),
  ];
}
