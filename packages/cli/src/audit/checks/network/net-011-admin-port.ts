import { dragonfly, fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { isLoopbackBind, setting, settingIfAny } from '../read.js';

export const net011: NodeCheck = {
  id: 'NET-011',
  title: 'The admin port requires no password',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'The admin port takes every command.',
  passes: '--admin_nopass=false, or the admin port bound to loopback',
  maps: 'AUTHN',
  engines: dragonfly,
  sources: ['CWE-306'],
  judge(node) {
    if (setting(node, 'admin_port') === '0') return pass('there is no admin port');
    const open =
      settingIfAny(node, 'admin_nopass') === 'true' && !isLoopbackBind(settingIfAny(node, 'admin_bind') ?? '');
    return open
      ? fail(
          'admin_nopass is on and the port is not bound to loopback',
          run('dragonfly --admin_nopass=false --admin_bind=127.0.0.1', '# start Dragonfly with the flags it had'),
        )
      : pass('the admin port asks for a password or is local');
  },
};
