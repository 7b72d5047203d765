import { versionAtLeast } from '../../../vocabulary/engines.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { acl } from '../fix.js';
import { enabledUsers } from '../read.js';

export const cfg004: NodeCheck = {
  id: 'CFG-004',
  title: 'On Redis 6 every administrator can load modules and move the data directory',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'The switches of Redis 7 (enable-module-command, enable-protected-configs) do not exist; only ACL rules stand in the way.',
  passes: 'at most one user may run CONFIG SET and MODULE LOAD',
  maps: 'CFG',
  dataOnly: true,
  engines: { redis: '6.0' },
  judge(node) {
    if (versionAtLeast(need(node.engine).version, '7.0'))
      return notApplicable('Redis 7 has switches of its own: CFG-001 to CFG-003');
    const able = enabledUsers(node).filter((user) =>
      (need(node.permissions).powers[user.name] ?? []).some(
        ({ name }) => name === 'CONFIG SET' || name === 'MODULE LOAD',
      ),
    );
    return able.length <= 1
      ? pass(able.map((user) => user.name).join(', ') || 'nobody')
      : fail(
          able.map((user) => user.name).join(', '),
          ...able.slice(1).map((user) => acl(user.name, ['-config', '-module'], user.written)),
        );
  },
};
