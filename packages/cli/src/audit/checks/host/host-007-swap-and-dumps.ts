import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise, run, shellQuote } from '../fix.js';

export const host007: NodeCheck = {
  id: 'HOST-007',
  title: 'Memory can reach the disk unencrypted',
  cvss: 'AV:L/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N',
  why: 'Swap and core dumps hold keys, values and passwords.',
  passes: 'swap off or encrypted; core dumps off',
  maps: 'FILE',
  from: 'production',
  sources: ['CWE-528'],
  judge(node, facts) {
    const { coreLimit } = need(node.process);
    const open = need(facts.host).swap.filter((one) => !one.encrypted);
    return failEach(
      [
        ...open.map((one) => ({
          about: one.device,
          evidence: `swap on ${one.device} is not encrypted`,
          fix: [run(`swapoff ${shellQuote(one.device)}`, `swapon ${shellQuote(one.device)}`)],
        })),
        ...(coreLimit === '0'
          ? []
          : [
              {
                about: 'core',
                evidence: `core dumps up to ${coreLimit}`,
                fix: [advise('LimitCORE=0 in the unit, or ulimit -c 0 before the start')],
              },
            ]),
      ],
      'no unencrypted swap, no core dumps',
    );
  },
};
