import { maybe } from '../../facts/fact.js';
import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { isContainerized, setting, settingIfAny } from '../read.js';

export const net003: NodeCheck = {
  id: 'NET-003',
  title: 'Protected mode is off',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:N',
  why: 'Protected mode refuses clients from other hosts when no password is set, for example after a configuration mistake.',
  passes: 'protected-mode yes; off only with TLS and a password',
  maps: 'NET',
  engines: redisAndValkey,
  sources: ['CWE-1188'],
  judge(node, facts) {
    if (setting(node, 'protected-mode') === 'yes') return pass('protected-mode yes');
    const written = maybe(node.files)?.config;
    const isWritten = written?.observed && written.value.directives.some(({ name }) => name === 'protected-mode');
    // Protected mode only guards a server that has no password.
    const needsIt = (maybe(node.users) ?? []).some(
      (user) => user.name === 'default' && user.enabled && user.noPassword,
    );
    if (node.fromFiles && !needsIt && (!isWritten || settingIfAny(node, 'port') === '0'))
      return pass(
        isWritten ? 'off, with TLS only and a password' : 'off in the image, and the default user has a password',
      );
    const guarded = settingIfAny(node, 'port') === '0' && maybe(node.anonymous)?.accepted.length === 0;
    if (isContainerized(node, facts) && guarded) return pass('off inside a container, TLS only, passwords on');
    return fail('protected-mode is no', config('protected-mode', 'yes', 'no'));
  },
};
