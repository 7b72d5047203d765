import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const net009: NodeCheck = {
  id: 'NET-009',
  title: 'The Sentinel answers strangers',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Whoever talks to a Sentinel names the primary: clients then send their passwords wherever it says.',
  passes: 'the Sentinel asks for credentials',
  maps: 'AUTHN',
  engines: redisAndValkey,
  sources: ['CWE-306'],
  judge(node) {
    if (need(node.engine).mode !== 'sentinel') return notApplicable('not a sentinel');
    const { accepted } = need(node.anonymous);
    return accepted.length === 0
      ? pass('strangers get NOAUTH')
      : fail(
          `strangers can run ${accepted.join(', ')}`,
          advise('requirepass (or an aclfile) in sentinel.conf of every Sentinel, one after the other'),
        );
  },
};
