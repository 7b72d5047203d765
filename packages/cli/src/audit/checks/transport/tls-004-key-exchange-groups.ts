import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';
import { servedTls } from '../tls.js';

export const tls004: NodeCheck = {
  id: 'TLS-004',
  title: 'Weak key exchange groups are offered',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Small Diffie-Hellman groups can be broken by precomputation, and recorded traffic can then be decrypted.',
  passes: 'X25519 or P-256 and up; no finite field below 2048 bits',
  maps: 'TLS',
  judge(node) {
    const { groups, dhBits } = servedTls(node);
    if (dhBits !== undefined && dhBits < 2048)
      return fail(`Diffie-Hellman with ${dhBits} bits`, advise('Remove tls-dh-params-file, or make one of 3072 bits'));
    return pass(
      `${groups.join(', ') || 'no named group'}${groups.includes('X25519MLKEM768') ? ' (post-quantum hybrid)' : ''}`,
    );
  },
};
