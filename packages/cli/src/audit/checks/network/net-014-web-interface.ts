import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';
import { isLoopbackBind } from '../read.js';

export const net014: SystemCheck = {
  id: 'NET-014',
  title: 'A web interface to the data is published',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'redis-commander, RedisInsight and exporters show the data or its structure, usually without a login.',
  passes: 'such tools listen on loopback only',
  maps: 'NET',
  sources: ['nuclei redis-commander', 'CWE-306'],
  judgeAll(facts) {
    const tools = need(facts.project.containers).filter((one) => one.isTool);
    return failEach(
      tools.flatMap((one) =>
        one.publishedPorts
          .filter((port) => !isLoopbackBind(port.hostAddress))
          .map((port) => ({
            about: `${one.name}:${port.port}`,
            evidence: `${one.name} (${one.image}) publishes ${port.port} on ${port.hostAddress}`,
            fix: [advise(`publish it on 127.0.0.1: "127.0.0.1:${port.hostPort}:${port.port}"`)],
            at: port.at ?? one.at,
          })),
      ),
      tools.length === 0 ? 'no such container' : 'such containers publish on loopback only',
    );
  },
};
