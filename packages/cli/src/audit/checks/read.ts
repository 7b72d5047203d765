import { type DangerGroup, type HostClass, hostClass } from 'redkeep';
import { aclRuleOf, commandsOfRole, type Power, type PowerCommand, powers } from '../../acl/powers.js';
import type { RoleName } from '../../vocabulary/names.js';
import type { AclUser } from '../facts/acl-user.js';
import { maybe, NotObserved, need, unobserved } from '../facts/fact.js';
import type { Directive, Facts, NodeFacts } from '../facts/facts.js';
import { acl, advise, type FixStep } from './fix.js';

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

/** The class of an entry of `bind`: `-` marks an address that may be missing; `*` and `::*` are every interface. */
export function bindClass(address: string): HostClass {
  const bare = address.replace(/^-/, '');
  return bare === '*' || bare === '::*' ? 'unspecified' : hostClass(bare);
}

/** The server listens on this machine alone. */
export function isLoopbackBind(address: string): boolean {
  return bindClass(address) === 'loopback';
}

/** The server listens on every interface. */
export function isWildcard(address: string): boolean {
  return bindClass(address) === 'unspecified';
}

/** An address that is not routed on the Internet. */
export function isPrivate(address: string): boolean {
  return ['loopback', 'link-local', 'private'].includes(bindClass(address));
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

export function onlyLoopback(node: NodeFacts): boolean {
  return boundAddresses(node).every(isLoopbackBind);
}

export function isContainerized(node: NodeFacts, facts: Facts): boolean {
  return (
    facts.expectations.inContainers === true ||
    maybe(node.process)?.containerized === true ||
    (maybe(facts.project.containers)?.some((container) => container.isServer) ?? false)
  );
}

/** Users that can log in, with what they are for. The default user is judged by its own checks when it is off. */
export function enabledUsers(node: NodeFacts): readonly AclUser[] {
  return need(node.users).filter((user) => user.enabled);
}

const notDeclared = 'role not declared';

export interface Excess {
  readonly user: AclUser;
  readonly role: string;
  readonly commands: readonly PowerCommand[];
}

/**
 * What a user is for: as the deployment or the operator declares it, as the server is set up (the user that replicas
 * log in with), or as this audit itself shows (the user it logged in with, while it can do no more than audits need).
 * Never by its name: `readonly-admin` says nothing. A user nobody declares has no use for any power.
 */
export function roleOf(name: string, node: NodeFacts, { expectations }: Facts): RoleName | undefined {
  const declared = expectations.roles[name];
  if (declared !== undefined) return declared;
  if (maybe(node.config)?.['masteruser'] === name) return 'replication';
  const own = maybe(node.permissions)?.powers[name];
  const fitting = commandsOfRole.auditor;
  return name === node.auditedAs && own?.every((one) => fitting.includes(one.name)) ? 'auditor' : undefined;
}

export function isAdministrator(name: string, node: NodeFacts, facts: Facts): boolean {
  return roleOf(name, node, facts) === 'admin';
}

/** Commands of the groups that a user can run and that its role does not exist for. */
export function excesses(node: NodeFacts, facts: Facts, ...groups: readonly DangerGroup[]): Excess[] {
  const permissions = need(node.permissions);
  return enabledUsers(node).flatMap((user) => {
    const role = roleOf(user.name, node, facts);
    const fitting = role === undefined ? [] : commandsOfRole[role];
    if (fitting === 'all') return [];
    const granted = facts.expectations.granted?.[user.name] ?? [];
    const needed = facts.expectations.needed?.[user.name] ?? [];
    const commands = (permissions.powers[user.name] ?? []).filter(
      ({ name, group }) =>
        groups.includes(group) &&
        !fitting.includes(name) &&
        !needed.includes(aclRuleOf(name)) &&
        !(group === 'scripting' && granted.includes(aclRuleOf(name))),
    );
    return commands.length > 0 ? [{ user, role: role ?? notDeclared, commands }] : [];
  });
}

/** "app (application) can run code inside the server: EVAL, FCALL; stop or block the service: KEYS". */
export function describeExcess({ user, role, commands }: Excess): string {
  const byPower = new Map<Power, string[]>();
  for (const { name, power } of commands) byPower.set(power, [...(byPower.get(power) ?? []), name]);
  const parts = [...byPower].map(([power, names]) => `${powers[power]}: ${names.join(', ')}`);
  return `${user.name} (${role}) can ${parts.join('; ')}`;
}

/**
 * Takes rights from a user. Of a user nobody declared, the first step is to say what it is for: it may be the
 * operator's own, and `--fix` must not lock anybody out.
 */
export function restrict(
  user: AclUser,
  { node, facts }: { readonly node: NodeFacts; readonly facts: Facts },
  rules: readonly string[],
  undo: readonly string[],
): FixStep[] {
  if (roleOf(user.name, node, facts) !== undefined) return [acl(user.name, rules, undo)];
  const command = `ACL SETUSER ${user.name} ${rules.join(' ')}`;
  return [advise(`Declare what ${user.name} is for (--roles ${user.name}=ROLE); if it needs none of this: ${command}`)];
}

/** Takes away the commands that a user's role does not exist for. */
export function remedyOf(
  { user, commands }: Excess,
  node: NodeFacts,
  facts: Facts,
  rules: readonly string[] = denials(commands),
): FixStep[] {
  return restrict(user, { node, facts }, rules, user.written);
}

/** Rules that take commands away again. */
export function denials(commands: readonly PowerCommand[]): string[] {
  return commands.map(({ name }) => `-${aclRuleOf(name)}`);
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
