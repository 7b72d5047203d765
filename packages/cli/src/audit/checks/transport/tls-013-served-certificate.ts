import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';
import { servedTls } from '../tls.js';

export const tls013: NodeCheck = {
  id: 'TLS-013',
  title: 'The server serves a certificate that is no longer on disk',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Renewing the file changes nothing until the server loads it: the old one expires in service.',
  passes: 'served and stored certificate are the same',
  maps: 'PKI',
  sources: ['valkey #2946'],
  judge(node) {
    const [leaf] = servedTls(node).chain;
    const stored = need(need(node.files).certificate);
    if (stored === null) return notApplicable('the server names no certificate file');
    if (stored.fingerprint === leaf!.fingerprint) return pass(leaf!.fingerprint);
    return fail(
      `served until ${leaf!.notAfter.slice(0, 10)}, on disk until ${stored.notAfter.slice(0, 10)}`,
      config('tls-cert-file', setting(node, 'tls-cert-file'), setting(node, 'tls-cert-file')),
    );
  },
};
