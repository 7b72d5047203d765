import { maybe, need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise, run } from '../fix.js';

export const host008: NodeCheck = {
  id: 'HOST-008',
  title: 'Kernel settings do not fit the server',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'Huge pages make forks expensive, strict overcommit makes saves fail, a short backlog drops connections.',
  passes:
    'transparent huge pages not always; vm.overcommit_memory 1; somaxconn from 511; 10032 open files for the default maxclients',
  maps: 'AVAIL',
  from: 'production',
  judge(node, facts) {
    const { transparentHugePages, overcommitMemory, somaxconn } = need(facts.host);
    const { openFiles } = need(node.process);
    const needed = Number(maybe(node.config)?.['maxclients'] ?? 0) + 32;
    return failEach(
      [
        ...(transparentHugePages === 'always'
          ? [
              {
                about: 'thp',
                evidence: 'transparent huge pages: always',
                fix: [
                  run(
                    'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled',
                    'echo always > /sys/kernel/mm/transparent_hugepage/enabled',
                  ),
                ],
              },
            ]
          : []),
        ...(overcommitMemory === '2' || overcommitMemory === '0'
          ? [
              {
                about: 'overcommit',
                evidence: `vm.overcommit_memory ${overcommitMemory}`,
                fix: [run('sysctl vm.overcommit_memory=1', `sysctl vm.overcommit_memory=${overcommitMemory}`)],
              },
            ]
          : []),
        ...(somaxconn < 511
          ? [
              {
                about: 'somaxconn',
                evidence: `net.core.somaxconn ${somaxconn}`,
                fix: [run('sysctl net.core.somaxconn=1024', `sysctl net.core.somaxconn=${somaxconn}`)],
              },
            ]
          : []),
        ...(openFiles < needed
          ? [
              {
                about: 'files',
                evidence: `${openFiles} open files for ${needed - 32} clients`,
                fix: [advise(`LimitNOFILE=${needed} in the unit`)],
              },
            ]
          : []),
      ],
      'as recommended',
    );
  },
};
