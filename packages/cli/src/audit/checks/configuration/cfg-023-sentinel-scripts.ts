import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, notApplicable, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const cfg023: NodeCheck = {
  id: 'CFG-023',
  title: 'The Sentinel runs scripts, or lets others set them',
  cvss: 'AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H',
  why: 'A Sentinel runs its notification and reconfiguration scripts with its own rights; SENTINEL SET changes them unless deny-scripts-reconfig is yes.',
  passes: 'no notification-script or client-reconfig-script, and deny-scripts-reconfig yes',
  maps: 'CFG',
  engines: redisAndValkey,
  judge(node) {
    if (need(node.engine).mode !== 'sentinel') return notApplicable('not a sentinel');
    const { directives } = need(need(node.files).config);
    const lines = directives.filter(({ name }) => name === 'sentinel');
    return failEach(
      lines
        .filter(
          ({ args: [what = '', first = ''] }) =>
            /^(notification-script|client-reconfig-script)$/.test(what) ||
            (what === 'deny-scripts-reconfig' && first === 'no'),
        )
        .map(({ args: [what = ''], file, line }) => ({
          about: what,
          evidence: what === 'deny-scripts-reconfig' ? 'deny-scripts-reconfig is no' : `${what} is set`,
          fix: [
            advise(
              what === 'deny-scripts-reconfig'
                ? 'sentinel deny-scripts-reconfig yes'
                : 'Watch events from outside (monitoring) instead of scripts, or make the script writable by root only',
            ),
          ],
          at: { file, line },
        })),
      'no scripts',
    );
  },
};
