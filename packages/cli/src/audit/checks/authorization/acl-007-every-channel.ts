import { selectorPatterns } from '../../facts/acl-user.js';
import { roleOf } from '../../facts/dangerous-commands.js';
import { failEach, type NodeCheck } from '../check.js';
import { acl, config } from '../fix.js';
import { enabledUsers, settingIfAny } from '../read.js';

export const acl007: NodeCheck = {
  id: 'ACL-007',
  title: 'A non-admin user can access every channel',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Pub/sub carries data and commands of other services too; new users get every channel unless acl-pubsub-default says otherwise.',
  passes: 'channel patterns for everyone but administrators; acl-pubsub-default resetchannels',
  maps: 'AUTHZ',
  dataOnly: true,
  engines: { redis: '6.2', valkey: '7.2' },
  judge(node, facts) {
    const standard = settingIfAny(node, 'acl-pubsub-default');
    const wide = enabledUsers(node)
      .filter((user) => roleOf(user.name, facts.expectations.roles) !== 'admin')
      .flatMap((user) => [
        ...(user.channels.includes('&*')
          ? [
              {
                about: user.name,
                evidence: `${user.name} reaches every channel`,
                fix: [acl(user.name, ['resetchannels'], ['resetchannels', ...user.channels])],
              },
            ]
          : []),
        ...(selectorPatterns(user).channels.includes('&*')
          ? [
              {
                about: `${user.name} selectors`,
                evidence: `${user.name} reaches every channel by a selector: ${user.selectors.join(' ')}`,
                fix: [acl(user.name, ['clearselectors'], user.selectors)],
              },
            ]
          : []),
      ]);
    const setting =
      standard === 'allchannels'
        ? [
            {
              about: 'acl-pubsub-default',
              evidence: 'acl-pubsub-default is allchannels',
              fix: [config('acl-pubsub-default', 'resetchannels', standard)],
            },
          ]
        : [];
    return failEach([...wide, ...setting], 'only administrators can access every channel');
  },
};
