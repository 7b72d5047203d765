import { fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { servedTls } from '../tls.js';

export const tls006: NodeCheck = {
  id: 'TLS-006',
  title: "The certificate's key is too small",
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'RSA below 2048 bits is within reach of those who can pay for it.',
  passes: 'EC P-256 or larger, Ed25519, or RSA from 2048 bits (3072 preferred)',
  maps: 'PKI',
  judge(node) {
    const [leaf] = servedTls(node).chain;
    const enough = leaf!.keyType.startsWith('rsa') ? leaf!.keyBits >= 2048 : leaf!.keyBits >= 256;
    const text = `${leaf!.keyType}, ${leaf!.keyBits} bits`;
    return enough
      ? pass(text)
      : fail(text, run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder'));
  },
};
