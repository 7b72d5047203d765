import { maybe } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { boundAddresses, isContainerized, isWildcard, settingIfAny } from '../read.js';

export const net002: NodeCheck = {
  id: 'NET-002',
  title: 'The server listens on every network interface',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'The server is reachable on every interface of the host, so one firewall mistake exposes it to the Internet.',
  passes: 'bind names loopback or private addresses; a wildcard only inside a container with a network of its own',
  maps: 'NET',
  sources: ['CWE-1327', 'Lynis DBS-1888', 'redis-baseline a76'],
  judge(node, facts) {
    const bound = boundAddresses(node);
    if (!bound.some(isWildcard)) return pass(`listens on ${bound.join(' ')}`);
    if (node.container && !node.container.hostNetwork)
      return pass('wildcard inside a container: what is published is judged by CTR-007 and NET-017');
    const guarded = settingIfAny(node, 'port') === '0' && maybe(node.anonymous)?.accepted.length === 0;
    if (isContainerized(node, facts) && guarded) return pass('wildcard inside a container, TLS only, passwords on');
    return fail(`bind is "${bound.join(' ')}"`, config('bind', '127.0.0.1 -::1', bound.join(' ')));
  },
};
