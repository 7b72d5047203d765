import { maybe, need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const net008: NodeCheck = {
  id: 'NET-008',
  title: 'The cluster bus is open or unencrypted',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H',
  why: 'The bus has no password: without TLS, anyone who can reach it can act as a node.',
  passes: 'tls-cluster yes',
  maps: 'NET',
  dataOnly: true,
  engines: redisAndValkey,
  sources: ['CVE-2026-21863', 'CVE-2026-92925'],
  judge(node) {
    if (need(node.engine).mode !== 'cluster') return notApplicable('not a cluster');
    if (setting(node, 'tls-cluster') === 'yes') return pass('tls-cluster yes');
    return fail(
      `tls-cluster is no${maybe(node.busPort)?.open ? `; the bus answers on port ${need(node.busPort).port}` : ''}`,
      config('tls-cluster', 'yes', 'no'),
    );
  },
};
