import { residueKeys } from './facts/residue-keys.js';

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

/** The command that makes the user; its password is for the operator to fill in. */
export function printAuditorAcl(): string {
  return `ACL SETUSER auditor on '#<SHA-256 of its password>' ${auditorRules()
    .map((rule) => (/[|%~]/.test(rule) ? `'${rule}'` : rule))
    .join(' ')}`;
}
