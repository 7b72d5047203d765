import type { AclUser } from '../../audit/facts/acl-user.js';
import { guessingLogins } from '../../monitor/detect/detect.js';
import { type Indicator, look } from './indicator.js';

const hasNoPassword = ({ enabled, noPassword }: AclUser): boolean => enabled && noPassword;

export const accessIndicators: readonly Indicator[] = [
  {
    id: 'foreign-access',
    title: 'Users, passwords or logins that nobody gave',
    innocent: 'A user that was made by hand and not written to the ACL file: name it with --known-user.',
    looks: [
      look(
        'live',
        ({ users }) => users,
        (users, { expected }) =>
          expected.known
            ? users
                .filter(({ name, enabled }) => enabled && name !== 'default' && !expected.users.includes(name))
                .map(({ name }) => `user ${name} is not one of the deployment`)
            : [],
      ),
      look(
        'files',
        ({ users, files }) => (users.observed ? files : users),
        ({ users: written, hasRequirePass }, scene) => {
          const live = scene.users.observed ? scene.users.value : [];
          const known = new Map((written ?? []).map((user) => [user.name, user]));
          return live.flatMap((user) => {
            const before = known.get(user.name);
            if (scene.expected.users.includes(user.name) && !before) return [];
            if (user.name === 'default' && !before) {
              return hasRequirePass && hasNoPassword(user)
                ? ['user default needs no password; the configuration file says requirepass']
                : [];
            }
            if (written === undefined) return [];
            if (!before) return user.enabled ? [`user ${user.name} is not in the file of users`] : [];
            const foreign = user.passwordHashes.filter((hash) => !before.passwordHashes.includes(hash));
            return [
              ...(hasNoPassword(user) && !hasNoPassword(before)
                ? [`user ${user.name} needs no password any more`]
                : []),
              ...(foreign.length > 0 ? [`user ${user.name} has a password that is not in the file of users`] : []),
              ...(user.enabled && !before.enabled ? [`user ${user.name} is on; the file of users says off`] : []),
            ];
          });
        },
      ),
      look(
        'live',
        ({ aclLog }) => aclLog,
        (entries, { observedAt }) => {
          const refused = entries.filter(({ reason }) => reason === 'auth');
          const count = refused.reduce((sum, entry) => sum + entry.count, 0);
          const newest = Math.min(...refused.map(({ ageSeconds }) => ageSeconds));
          return count >= guessingLogins
            ? [{ text: `${count} logins were refused`, at: observedAt - newest * 1000 }]
            : [];
        },
      ),
    ],
  },
];
