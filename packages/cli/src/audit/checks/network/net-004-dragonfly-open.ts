import { need } from '../../facts/fact.js';
import { dragonfly, fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { boundAddresses, isWildcard } from '../read.js';

export const net004: NodeCheck = {
  id: 'NET-004',
  title: 'Dragonfly listens on every interface without a password',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  why: 'Dragonfly has no protected mode of its own: an empty bind and no password is an open server.',
  passes: 'bind or a password is set',
  maps: 'NET',
  engines: dragonfly,
  sources: ['CWE-1188'],
  judge(node) {
    const open = boundAddresses(node).some(isWildcard) && need(node.anonymous).accepted.length > 0;
    return open
      ? fail(
          'no bind address and no password',
          run('dragonfly --bind 127.0.0.1 --requirepass "$(cat FILE)"', '# start Dragonfly with the flags it had'),
        )
      : pass('bind or a password is set');
  },
};
