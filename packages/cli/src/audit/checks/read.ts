import { hostClass, isLoopback } from 'redkeep';
import type { AclUser } from '../facts/acl-user.js';
import { commandsOfRole, type DangerGroup, dangerousCommands, roleOf } from '../facts/dangerous-commands.js';
import { maybe, NotObserved, need, unobserved } from '../facts/fact.js';
import type { Directive, Facts, NodeFacts } from '../facts/facts.js';

/** A setting of the running server. Unknown, and so is the check, when the server does not report it. */
export function setting(node: NodeFacts, name: string): string {
  const value = need(node.config)[name];
  if (value === undefined) throw new NotObserved(`the server does not report ${name}`);
  return value;
}

/** A setting of the running server, or `undefined` when it has no such setting; unknown when it could not be asked. */
export function settingIfAny(node: NodeFacts, name: string): string | undefined {
  return need(node.config)[name];
}

export function info(node: NodeFacts, name: string): string {
  const value = need(node.info)[name];
  if (value === undefined) throw new NotObserved(`INFO does not report ${name}`);
  return value;
}

/** The arguments of a directive's last appearance in the configuration file. */
export function directive(node: NodeFacts, name: string): Directive | undefined {
  const files = need(node.files);
  return need(files.config).directives.findLast((one) => one.name === name);
}

/** A listed address leads to this machine alone. `bind` marks addresses that may be missing with a `-`. */
export function isLoopbackBind(address: string): boolean {
  return isLoopback(address.replace(/^-/, ''));
}

/** An address that is not routed on the Internet. */
export function isPrivate(address: string): boolean {
  return ['loopback', 'link-local', 'private'].includes(hostClass(address.replace(/^-/, '')));
}

/**
 * Addresses the server listens on: as the kernel says where it runs here, else as it was told. An empty setting and `*`
 * mean every interface.
 */
export function boundAddresses(node: NodeFacts): string[] {
  const sockets = maybe(maybe(node.process)?.listening ?? unobserved(''));
  const real = [...new Set((sockets ?? []).filter(({ port }) => port === node.port).map(({ address }) => address))];
  const told = node.config.observed || real.length === 0 ? setting(node, 'bind').trim() : undefined;
  if (told === undefined) return real;
  const addresses = told === '' ? ['*'] : told.split(/\s+/);
  // A server that was told otherwise after its start, or whose port is somebody else's, shows here.
  return [...addresses, ...real.filter((address) => isWildcard(address) && !addresses.some(isWildcard))];
}

export function isWildcard(address: string): boolean {
  return ['*', '-::*', '::*', '0.0.0.0', '::', '-::'].includes(address);
}

export function onlyLoopback(node: NodeFacts): boolean {
  return boundAddresses(node).every(isLoopbackBind);
}

export function isContainerized(node: NodeFacts, facts: Facts): boolean {
  return (
    maybe(node.process)?.containerized === true ||
    (maybe(facts.project.containers)?.some((container) => container.isServer) ?? false)
  );
}

/** Users that can log in, with what they are for. The default user is judged by its own checks when it is off. */
export function enabledUsers(node: NodeFacts): readonly AclUser[] {
  return need(node.users).filter((user) => user.enabled);
}

export interface Excess {
  readonly user: AclUser;
  readonly role: string;
  readonly commands: readonly string[];
}

/** Users that can run commands of a group which their role does not exist for. */
export function excesses(node: NodeFacts, facts: Facts, ...groups: readonly DangerGroup[]): Excess[] {
  const permissions = need(node.permissions);
  const labels = dangerousCommands.filter((one) => groups.includes(one.group)).map((one) => one.label);
  return enabledUsers(node).flatMap((user) => {
    const role = roleOf(user.name, facts.expectations.roles);
    const fitting = commandsOfRole[role];
    if (fitting === 'all') return [];
    const commands = (permissions.allowed[user.name] ?? []).filter(
      (label) => labels.includes(label) && !fitting.includes(label),
    );
    return commands.length > 0 ? [{ user, role, commands }] : [];
  });
}

/** `CONFIG SET` as an ACL rule: `config|set`. */
export function aclRuleOf(label: string): string {
  return label.toLowerCase().replace(' ', '|');
}

export function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000;
}

export function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}

/** Whether the mode gives more than `most` allows. */
export function exceeds(mode: number, most: number): boolean {
  return (mode & 0o777 & ~most) !== 0;
}
