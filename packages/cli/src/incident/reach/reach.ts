import { type Power, powers as powerWords } from '../../acl/powers.js';
import type { AclUser } from '../../audit/facts/acl-user.js';
import { selectorPatterns } from '../../audit/facts/acl-user.js';
import { type Fact, observe, unobserved } from '../../audit/facts/fact.js';
import { type Ask, permissionsOf, readCommands } from '../../audit/gather/live.js';
import type { Scene } from '../indicators/scene.js';

/** Which data somebody could reach, since when, and whether it was seen. */
export interface Reach {
  readonly user: string;
  /** Who could log in as this user. */
  readonly open: 'to anybody who reaches the port' | 'to anyone who knows a password' | 'to nobody: it is off';
  readonly keys: readonly string[];
  readonly channels: readonly string[];
  readonly powers: readonly string[];
  /** The earliest moment that is known, ISO; null where nothing says. */
  readonly since: string | null;
  /** What that is concluded from. */
  readonly because: string;
  /** Addresses that are connected as this user now, without ports. */
  readonly connectedFrom: readonly string[];
  readonly refusedLogins: number;
}

/** Powers of rules × history of the users × logs and connections. */
export async function reachOf(scene: Scene, ask: Ask): Promise<Fact<readonly Reach[]>> {
  if (!scene.users.observed) return unobserved(scene.users.reason);
  const users = scene.users.value;
  return observe('ACL LIST, COMMAND, the file of users, CLIENT LIST, ACL LOG', async () => {
    const commands = await readCommands(ask).catch(() => undefined);
    const permissions = await permissionsOf(users, commands);
    return users.map((user): Reach => {
      const granted = permissions.powers[user.name] ?? [];
      const kinds = [...new Set(granted.map(({ power }) => power))] as Power[];
      const selectors = selectorPatterns(user);
      return {
        user: user.name,
        open: !user.enabled
          ? 'to nobody: it is off'
          : user.noPassword
            ? 'to anybody who reaches the port'
            : 'to anyone who knows a password',
        keys: [...new Set([...user.keys, ...selectors.keys])],
        channels: [...new Set([...user.channels, ...selectors.channels])],
        powers: kinds.map((power) => powerWords[power]),
        ...sinceOf(user, scene),
        connectedFrom: connectedAs(user.name, scene),
        refusedLogins: refusedAs(user.name, scene),
      };
    });
  });
}

function sinceOf(user: AclUser, { info, files, observedAt }: Scene): Pick<Reach, 'since' | 'because'> {
  const uptime = info.observed ? Number(info.value['uptime_in_seconds'] ?? Number.NaN) : Number.NaN;
  const started = Number.isFinite(uptime) ? new Date(observedAt - uptime * 1000).toISOString() : null;
  const written = files.observed ? files.value.users?.find(({ name }) => name === user.name) : undefined;
  const at = files.observed ? files.value.usersWrittenAt : undefined;
  if (written && at !== undefined && sameRules(written, user))
    return {
      since: new Date(at).toISOString(),
      because: 'the file of users says the same and was last written then; before that, look at its backups',
    };
  if (written)
    return { since: started, because: 'changed after the server started: the file of users says something else' };
  if (files.observed && user.name !== 'default')
    return { since: started, because: 'made after the server started: the file of users does not have it' };
  return {
    since: started,
    because:
      user.name === 'default'
        ? 'no file names it: it was like this at the start, or was changed since'
        : 'the files could not be read; the server started then',
  };
}

function sameRules(a: AclUser, b: AclUser): boolean {
  const text = (user: AclUser): string =>
    JSON.stringify([
      user.enabled,
      user.noPassword,
      [...user.passwordHashes].sort(),
      [...user.keys].sort(),
      [...user.channels].sort(),
      [...user.commands].sort(),
      [...user.selectors].sort(),
    ]);
  return text(a) === text(b);
}

function connectedAs(name: string, { connections }: Scene): string[] {
  if (!connections.observed) return [];
  const others = connections.value.filter(({ user, isOwn }) => user === name && !isOwn);
  return [...new Set(others.map(({ address }) => address.replace(/:\d+$/, '')))];
}

function refusedAs(name: string, { aclLog }: Scene): number {
  if (!aclLog.observed) return 0;
  return aclLog.value
    .filter(({ username, reason }) => username === name && reason === 'auth')
    .reduce((sum, { count }) => sum + count, 0);
}
