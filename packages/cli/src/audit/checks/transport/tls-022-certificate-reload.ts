import { fail, type NodeCheck, pass, unknown } from '../check.js';
import { config } from '../fix.js';
import { settingIfAny } from '../read.js';
import { offeredTls } from '../tls.js';

export const tls022: NodeCheck = {
  id: 'TLS-022',
  title: 'Renewed certificates are not loaded automatically',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'A certificate renewed on disk has no effect until the server loads it, and the old one expires in service.',
  passes: 'tls-auto-reload-interval is set',
  maps: 'PKI',
  from: 'production',
  engines: { valkey: '9.1' },
  judge(node) {
    offeredTls(node);
    const interval = settingIfAny(node, 'tls-auto-reload-interval');
    if (interval === undefined) return unknown('the server does not report tls-auto-reload-interval');
    return interval === '0'
      ? fail('tls-auto-reload-interval is 0', config('tls-auto-reload-interval', '3600', '0'))
      : pass(`every ${interval} s`);
  },
};
