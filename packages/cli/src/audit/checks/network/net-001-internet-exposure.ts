import { maybe, unobserved } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, unknown } from '../check.js';
import { config } from '../fix.js';
import { boundAddresses, isContainerized, isLoopbackBind, isPrivate, isWildcard } from '../read.js';

export const net001: NodeCheck = {
  id: 'NET-001',
  title: 'The server is reachable from the Internet',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Open servers are found by scanners within hours; each flaw of this list then has the whole world as attackers.',
  passes: 'listens on loopback or private addresses only',
  maps: 'NET',
  sources: ['CWE-668'],
  judge(node, facts) {
    const bound = boundAddresses(node);
    if (bound.every(isLoopbackBind)) return pass(`listens on loopback only: ${bound.join(' ')}`);
    if (bound.every((address) => isPrivate(address)))
      return pass(`listens on private addresses only: ${bound.join(' ')}`);
    const published = (maybe(facts.project.containers) ?? []).filter((one) => one.isServer);
    if (
      isContainerized(node, facts) &&
      published.length > 0 &&
      published.every((one) => one.publishedPorts.every((port) => isPrivate(port.hostAddress)))
    ) {
      return pass('inside a container whose ports are published on private addresses only');
    }
    if (maybe(maybe(facts.host)?.firewall ?? unobserved(''))?.defaultDrop)
      return pass('public or wildcard address behind a packet filter that drops by default');
    if (bound.some(isWildcard))
      return unknown(
        'listens on every interface; whether a firewall or cloud rule protects it shows only from outside',
      );
    return fail(
      `listens on ${bound.filter((address) => !isPrivate(address)).join(' ')}`,
      config('bind', '127.0.0.1 -::1', bound.join(' ')),
    );
  },
};
