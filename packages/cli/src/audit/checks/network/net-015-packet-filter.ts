import { need } from '../../facts/fact.js';
import { fail, notApplicable, pass, type SystemCheck } from '../check.js';
import { advise, run } from '../fix.js';
import { onlyLoopback } from '../read.js';

export const net015: SystemCheck = {
  id: 'NET-015',
  title: 'The packet filter does not drop by default',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N',
  why: 'Without a default drop, every new listener is reachable from the network.',
  passes: 'the incoming chain drops by default; not asked where the server listens on loopback only',
  maps: 'NET',
  from: 'production',
  effort: 'hours',
  judgeAll(facts) {
    if (facts.nodes.length > 0 && facts.nodes.every((node) => node.config.observed && onlyLoopback(node)))
      return notApplicable('every server listens on loopback only');
    const { defaultDrop, tool } = need(need(facts.host).firewall);
    return defaultDrop
      ? pass(`${tool} drops by default`)
      : fail(
          `${tool} accepts by default`,
          run('nft list ruleset > before.nft; nft -f RULES', 'nft flush ruleset; nft -f before.nft'),
          advise('RULES is what redkeep init --source NETWORK writes (for iptables and ufw too)'),
        );
  },
};
