import { NotObserved, need } from '../../facts/fact.js';
import type { NodeFacts } from '../../facts/facts.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { offeredTls, settingText } from '../tls.js';

/** The suites that a configuration names; groups (`DEFAULT`, `HIGH`) hold weak ones. */
function configuredSuites(node: NodeFacts): string[] {
  const written = settingText(node, 'tls-ciphers')?.replaceAll('"', '') ?? '';
  if (written === '') throw new NotObserved('the files leave the suites to OpenSSL');
  return written.split(/[:\s]+/).filter((suite) => !/^[!@+-]|^$/.test(suite));
}

export const tls003: NodeCheck = {
  id: 'TLS-003',
  title: 'Weak cipher suites are accepted',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Suites without authenticated encryption or forward secrecy fall to padding attacks, or to a key stolen later. Redis 7.0 offers four of them by default.',
  passes: 'ECDHE with AES-GCM or ChaCha20-Poly1305, nothing else',
  maps: 'TLS',
  sources: ['testssl LUCKY13'],
  judge(node) {
    offeredTls(node);
    const suites = node.fromFiles ? configuredSuites(node) : Object.values(need(node.tls).suites).flat();
    const weak = suites.filter((suite) => !/^TLS_|^ECDHE-.*(GCM|CHACHA20)/.test(suite));
    if (weak.length === 0) return pass(suites.join(', '));
    return fail(
      `accepts ${weak.join(', ')}`,
      config(
        'tls-ciphers',
        'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
        settingText(node, 'tls-ciphers'),
      ),
    );
  },
};
