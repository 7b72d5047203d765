import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';
import { offeredTls } from '../tls.js';

export const tls017: NodeCheck = {
  id: 'TLS-017',
  title: 'Client certificates are not required',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'With mutual TLS, a stolen password alone is not enough, and clients without a certificate cannot try passwords.',
  passes: 'tls-auth-clients yes (optional is accepted outside of the regulated profile)',
  maps: 'PKI',
  engines: redisAndValkey,
  from: 'production',
  sources: ['redis-baseline a14'],
  judge(node, facts) {
    offeredTls(node);
    const mode = setting(node, 'tls-auth-clients');
    if (mode === 'yes') return pass('tls-auth-clients yes');
    if (mode === 'optional' && facts.expectations.profile !== 'regulated') return pass('optional');
    return fail(`tls-auth-clients ${mode}`, config('tls-auth-clients', 'yes', mode));
  },
};
