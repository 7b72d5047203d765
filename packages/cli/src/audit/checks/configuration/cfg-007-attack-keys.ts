import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { advise } from '../fix.js';

export const cfg007: NodeCheck = {
  id: 'CFG-007',
  title: 'Keys left by known attacks exist',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Miners write crontab lines into keys named backup1 or crackit and save them into cron directories.',
  passes: 'none of the known names exists',
  maps: 'INT',
  dataOnly: true,
  effort: 'days',
  judge(node) {
    if (
      !node.residue.observed &&
      node.info.observed &&
      !Object.keys(node.info.value).some((name) => /^db\d+$/.test(name))
    )
      return pass('the server holds no key at all');
    const found = need(node.residue);
    return found.length === 0
      ? pass('none of the known names exists')
      : fail(
          `found ${found.join(', ')}`,
          advise('Treat the host as broken into: keep evidence, isolate it, rebuild it'),
          advise('Do not delete them first: they are evidence'),
        );
  },
};
