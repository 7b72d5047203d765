import { versionAtLeast } from '../../../vocabulary/engines.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise, config } from '../fix.js';
import { settingIfAny } from '../read.js';

export const auth016: NodeCheck = {
  id: 'AUTH-016',
  title: 'Client certificates are not mapped to users',
  cvss: null,
  why: 'Redis 8.6 and Valkey 9 can take the user from the client certificate, which then replaces the password; mind the NUL-byte flaw before Redis 8.6.6 and Valkey 9.0.6.',
  passes: 'not used, or used on a fixed version',
  maps: 'PKI',
  engines: { redis: '8.6', valkey: '9.0' },
  judge(node) {
    const mode = settingIfAny(node, 'tls-auth-clients-user') ?? '';
    if (mode === '' || mode.toLowerCase() === 'off') return pass('not used: passwords decide');
    const { name, version } = need(node.engine);
    const fixed = versionAtLeast(version, name === 'valkey' ? '9.0.6' : '8.6.6');
    return fixed
      ? pass(`tls-auth-clients-user ${mode} on ${version}`)
      : fail(
          `tls-auth-clients-user ${mode} on ${version}, where a NUL byte in a name impersonates another user`,
          advise('Update, or turn it off'),
          config('tls-auth-clients-user', 'off', mode),
        );
  },
};
