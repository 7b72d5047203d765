import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { servedTls, settingText } from '../tls.js';

export const tls005: NodeCheck = {
  id: 'TLS-005',
  title: 'TLS renegotiation is allowed',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Renegotiation lets a client make the server do expensive work again and again.',
  passes: 'the server refuses',
  maps: 'TLS',
  judge(node) {
    return servedTls(node).renegotiation
      ? fail('a renegotiation was accepted', config('tls-protocols', 'TLSv1.3', settingText(node, 'tls-protocols')))
      : pass('renegotiation is refused');
  },
};
