import { failEach, type NodeCheck } from '../check.js';
import { run } from '../fix.js';
import { servedTls } from '../tls.js';

export const tls007: NodeCheck = {
  id: 'TLS-007',
  title: 'A certificate is signed with an outdated hash',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'SHA-1 and MD5 signatures can be forged.',
  passes: 'SHA-256 or stronger throughout',
  maps: 'PKI',
  judge(node) {
    const weak = servedTls(node).chain.filter(
      (one) => /SHA-?1\b|MD5/i.test(one.signature) && one.subject !== one.issuer,
    );
    return failEach(
      weak.map((one) => ({
        about: one.subject,
        evidence: `${one.subject}: ${one.signature}`,
        fix: [run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder')],
      })),
      servedTls(node)
        .chain.map((one) => one.signature)
        .join(', '),
    );
  },
};
