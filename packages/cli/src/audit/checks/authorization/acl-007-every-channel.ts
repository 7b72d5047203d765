import { Rights } from '../../../acl/rights.js';
import { ruleSetsOf } from '../../facts/acl-user.js';
import { failEach, type NodeCheck } from '../check.js';
import { config } from '../fix.js';
import { enabledUsers, isAdministrator, restrict, settingIfAny } from '../read.js';

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
      .filter((user) => !isAdministrator(user.name, node, facts))
      .flatMap((user) =>
        ruleSetsOf(user).flatMap((set, index) =>
          new Rights(set, {}).reachesEveryChannel()
            ? [
                {
                  about: index === 0 ? user.name : `${user.name} selectors`,
                  evidence: `${user.name} can access every channel${index === 0 ? '' : ` by selector ${index}`}: ${set.channels.join(' ')}`,
                  fix:
                    index === 0
                      ? restrict(user, { node, facts }, ['resetchannels'], ['resetchannels', ...user.channels])
                      : restrict(user, { node, facts }, ['clearselectors'], user.selectors),
                },
              ]
            : [],
        ),
      );
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
