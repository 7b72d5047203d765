import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';
import { onlyLoopback } from '../read.js';

export const tls001: NodeCheck = {
  id: 'TLS-001',
  title: 'The server does not offer TLS',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'Without TLS, passwords and data are readable on the network, and clients cannot verify the server.',
  passes: 'a TLS handshake succeeds',
  maps: 'TLS',
  sources: ['CWE-319'],
  effort: 'hours',
  judge(node, facts) {
    const { versions, port } = need(node.tls);
    const offered = Object.entries(versions)
      .filter(([, on]) => on)
      .map(([version]) => version);
    if (offered.length > 0) return pass(`${offered.join(', ')} on port ${port}`);
    if (node.config.observed && onlyLoopback(node) && facts.expectations.profile === 'development')
      return pass('no TLS, on loopback only');
    return fail(
      `no TLS handshake succeeds on port ${port}`,
      advise(
        'Write certificates and a TLS configuration with redkeep init, start the server on them, move the clients, then close the port in clear',
      ),
    );
  },
};
