import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { run, shellQuote } from '../fix.js';

export const auth017: NodeCheck = {
  id: 'AUTH-017',
  title: 'Connections are older than the last password rotation',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'A connection stays logged in after its password is gone.',
  passes: "no connection is older than its user's last rotation",
  maps: 'AUTHN',
  engines: redisAndValkey,
  sources: ['STIG V-251221'],
  judge(node, facts) {
    const rotations = need(facts.operations.rotations);
    const old = need(node.clients).filter((client) => {
      const at = rotations[client.user];
      return at !== undefined && client.ageSeconds > (Date.parse(facts.observedAt) - Date.parse(at)) / 1000;
    });
    if (old.length === 0) return pass('none');
    return fail(
      `${old.length} connections of ${[...new Set(old.map((client) => client.user))].join(', ')}`,
      ...[...new Set(old.map((client) => client.user))].map((user) =>
        run(
          `redis-cli CLIENT KILL USER ${shellQuote(user)}`,
          '# none is needed: clients connect again with their new password',
        ),
      ),
    );
  },
};
