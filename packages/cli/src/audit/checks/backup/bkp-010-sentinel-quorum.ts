import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, notApplicable, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const bkp010: NodeCheck = {
  id: 'BKP-010',
  title: 'The Sentinels cannot reach a quorum, or see a member down',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Without a quorum no failover happens; with fewer than three one lost machine is enough.',
  passes: 'CKQUORUM ok, three Sentinels or more, no replica or Sentinel down',
  maps: 'AVAIL',
  engines: redisAndValkey,
  judge(node) {
    if (need(node.engine).mode !== 'sentinel') return notApplicable('not a sentinel');
    const { masters } = need(node.sentinel);
    const bad = masters.filter((one) => one.sentinels < 3 || !one.quorum.startsWith('OK'));
    const dead = masters.flatMap((one) => one.down.map((member) => ({ name: one.name, member })));
    return failEach(
      [
        ...bad.map((one) => ({
          about: one.name,
          evidence: `${one.name}: ${one.sentinels} sentinels, ${one.quorum}`,
          fix: [advise('Run three Sentinels on three machines')],
        })),
        ...dead.map(({ name, member }) => ({
          about: member,
          evidence: `${name}: ${member} has been down for longer than down-after-milliseconds`,
          fix: [advise(`Start it again, or forget it if it is gone for good (SENTINEL RESET ${name})`)],
        })),
      ],
      'OK',
    );
  },
};
