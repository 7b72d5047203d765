import { type Material, passwordRules } from '../material.js';
import type { Deployment, DeploymentNode, User } from '../model.js';
import { commandRules, dragonflyLogin, scopeRules, sentinelAclRules } from '../roles.js';
import type { RenderedFile } from './rendered-file.js';

/** The ACL file of a data node. The servers allow no comment in it; DECISIONS.md and `acl explain` say what it means. */
export function renderUsersAcl(deployment: Deployment, node: DeploymentNode, material: Material): RenderedFile {
  const login = deployment.engine.name === 'dragonfly' ? ` ${dragonflyLogin.join(' ')}` : '';
  const lines = [disabledDefault + login, ...deployment.users.map((user) => aclLine(deployment, user, material))];
  return { path: node.aclFile, mode: 0o600, content: `${lines.join('\n')}\n` };
}

/**
 * Without this line a server that has an ACL file lets everybody in as `default`, whatever `requirepass` says
 * (verified on 7.0.15).
 */
export const disabledDefault = 'user default off resetpass resetkeys resetchannels -@all';

export function aclLine(deployment: Deployment, user: User, material: Material): string {
  return ['user', user.name, ...aclRules(deployment, user, passwordRules(material, user.name))].join(' ');
}

/** The ACL file of a sentinel: the same people, and what each needs of a sentinel. */
export function renderSentinelAcl(deployment: Deployment, node: DeploymentNode, material: Material): RenderedFile {
  const lines = deployment.users
    .filter(({ role }) => role !== 'replication' && role !== 'backup')
    .map((user) => {
      const head = ['user', user.name, 'on', ...passwordRules(material, user.name)];
      return [...head, ...sentinelAclRules(user, deployment.engine)].join(' ');
    });
  return { path: node.aclFile, mode: 0o600, content: `${[disabledDefault, ...lines].join('\n')}\n` };
}

/** The rules after `user NAME` or `ACL SETUSER NAME`. */
export function aclRules(deployment: Deployment, user: User, passwords: readonly string[]): string[] {
  const { engine, topology } = deployment;
  return ['on', ...passwords, ...scopeRules(user, engine), ...commandRules(user, engine, topology)];
}
