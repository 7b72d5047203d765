import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const net009: NodeCheck = {
  id: 'NET-009',
  title: 'The Sentinel answers unauthenticated clients',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Anyone who can command a Sentinel can name the primary, and clients then send their passwords there.',
  passes: 'the Sentinel asks for credentials',
  maps: 'AUTHN',
  engines: redisAndValkey,
  sources: ['CWE-306'],
  judge(node) {
    if (need(node.engine).mode !== 'sentinel') return notApplicable('not a sentinel');
    if (node.fromFiles) {
      const open = need(node.users).some((user) => user.name === 'default' && user.enabled && user.noPassword);
      return open
        ? fail(
            'no requirepass and no ACL file: everyone who reaches the port commands the failover',
            advise('requirepass (or an aclfile) in sentinel.conf of every Sentinel, one after the other'),
          )
        : pass('a password is set');
    }
    const { accepted } = need(node.anonymous);
    return accepted.length === 0
      ? pass('strangers get NOAUTH')
      : fail(
          `strangers can run ${accepted.join(', ')}`,
          advise('requirepass (or an aclfile) in sentinel.conf of every Sentinel, one after the other'),
        );
  },
};
