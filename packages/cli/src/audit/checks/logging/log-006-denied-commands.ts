import { isProbe } from '../../../acl/probe-user.js';
import { need } from '../../facts/fact.js';
import type { AclLogEntry, Facts, NodeFacts } from '../../facts/facts.js';
import { strangerCommands } from '../../facts/stranger-commands.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise } from '../fix.js';
import { roleOf } from '../read.js';

/** As ACL LOG names them: `info`, `acl|whoami`. */
const strangerObjects = strangerCommands.map((command) =>
  command.toLowerCase().replace(/^acl /, 'acl|').replace(/ .*/, ''),
);

/** A command by its name; of keys and channels, whose names can be personal data, only the part before the first colon. */
function objectOf({ reason, object }: AclLogEntry): string {
  if (reason === 'command') return `command ${object}`;
  const [prefix, ...rest] = object.split(':');
  return rest.length > 0 ? `${reason} ${prefix}:…` : `a ${reason}`;
}

/** What audits themselves tried, this one or one before: as a stranger, or as an auditor with too few rights. */
function isOwnDoing({ username, object }: AclLogEntry, node: NodeFacts, facts: Facts): boolean {
  return (
    (username === 'default' && strangerObjects.includes(object)) ||
    roleOf(username, node, facts) === 'auditor' ||
    // "redkeep acl test" asks Redis 6.2 with users that exist for what they are denied.
    isProbe(username)
  );
}

export const log006: NodeCheck = {
  id: 'LOG-006',
  title: 'Users were denied commands or keys',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Either a role lacks a permission it needs, or someone is probing.',
  passes: 'no denial of commands, keys or channels in the last hour',
  maps: 'LOG',
  judge(node, facts) {
    const recent = need(node.aclLog).filter(
      (entry) =>
        ['command', 'key', 'channel'].includes(entry.reason) &&
        entry.ageSeconds < 3600 &&
        !isOwnDoing(entry, node, facts),
    );
    return failEach(
      [...new Set(recent.map((entry) => entry.username))].map((name) => ({
        about: name,
        evidence: `${name}: ${[...new Set(recent.filter((entry) => entry.username === name).map((entry) => objectOf(entry)))].slice(0, 6).join(', ')}`,
        fix: [advise('Explain each; redkeep acl learn proposes what the application really needs')],
      })),
      'none in the last hour',
    );
  },
};
