import { residueKeys } from '../vocabulary/residue-keys.js';

const commands =
  'ping hello info role exists config|get acl|list acl|users acl|getuser acl|dryrun acl|cat acl|log acl|whoami client|list client|info client|setname module|list function|list command slowlog|get slowlog|len latency|latest latency|histogram latency|doctor memory|doctor memory|stats cluster|info cluster|nodes dbsize lastsave time';

/** Rules of the audit's own user: it reads settings and states, no data. The only keys it may ask for are those that attacks leave behind. */
export function auditorRules(): string[] {
  return [
    'resetkeys',
    'resetchannels',
    ...residueKeys.map((key) => `%R~${key}`),
    '-@all',
    ...commands.split(' ').map((name) => `+${name}`),
  ];
}

/** The same for a Sentinel, whose users are its own: it has few commands and no keys. */
export function sentinelAuditorRules(): string[] {
  const names =
    'ping hello info role acl|list acl|users acl|getuser acl|dryrun acl|cat acl|log acl|whoami client|list client|info client|setname command sentinel|masters sentinel|replicas sentinel|sentinels sentinel|ckquorum';
  return ['resetkeys', 'resetchannels', '-@all', ...names.split(' ').map((name) => `+${name}`)];
}

function setUser(rules: readonly string[]): string {
  return `ACL SETUSER auditor on '#<SHA-256 of its password>' ${rules
    .map((rule) => (/[|%~]/.test(rule) ? `'${rule}'` : rule))
    .join(' ')}`;
}

/** The commands that make the users, for servers and for Sentinels; the password is for the operator to fill in. */
export function printAuditorAcl(): string {
  return `# On every server:\n${setUser(auditorRules())}\n# On every Sentinel:\n${setUser(sentinelAuditorRules())}`;
}
