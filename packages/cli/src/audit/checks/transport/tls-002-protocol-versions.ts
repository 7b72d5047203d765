import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { offeredTls, settingText } from '../tls.js';

export const tls002: NodeCheck = {
  id: 'TLS-002',
  title: 'Outdated TLS versions are accepted',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'TLS 1.0 and 1.1 rest on SHA-1 and MD5 and are forbidden by PCI DSS and RFC 8996.',
  passes: 'TLS 1.2 and 1.3 only',
  maps: 'TLS',
  sources: ['CWE-327', 'RFC 8996'],
  judge(node) {
    const offered = offeredTls(node);
    const old = offered.filter((version) => version === 'TLSv1' || version === 'TLSv1.1');
    if (old.length === 0) return pass(offered.join(', '));
    return fail(
      `accepts ${old.join(', ')}`,
      config('tls-protocols', 'TLSv1.2 TLSv1.3', settingText(node, 'tls-protocols')),
    );
  },
};
