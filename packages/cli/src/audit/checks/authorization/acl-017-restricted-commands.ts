import { dragonfly, fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { setting } from '../read.js';

export const acl017: NodeCheck = {
  id: 'ACL-017',
  title: 'No command is reserved for the admin port',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Dragonfly can keep FLUSHALL, CONFIG and DEBUG off the data port altogether.',
  passes: '--restricted_commands names them',
  maps: 'AUTHZ',
  engines: dragonfly,
  judge(node) {
    const restricted = setting(node, 'restricted_commands');
    return restricted === ''
      ? fail(
          'restricted_commands is empty',
          run(
            'dragonfly --restricted_commands=FLUSHALL,CONFIG,DEBUG --admin_port=PORT',
            '# start Dragonfly with the flags it had',
          ),
        )
      : pass(restricted);
  },
};
