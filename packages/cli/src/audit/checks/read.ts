import { type HostClass, hostClass } from 'redkeep';
import { aclRuleOf, commandsOfRole, type PowerCommand } from '../../acl/powers.js';
import type { RoleName } from '../../vocabulary/names.js';
import type { AclUser } from '../facts/acl-user.js';
import { maybe, NotObserved, need, unobserved } from '../facts/fact.js';
import type { Directive, Facts, FileFacts, NodeFacts } from '../facts/facts.js';
import { fail, pass, type Verdict } from './check.js';
import { acl, advise, chmod, type FixStep } from './fix.js';

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
 * Addresses the server listens on: as the kernel says where it runs here, else as its configuration says. An empty setting and `*`
 * mean every interface.
 */
export function boundAddresses(node: NodeFacts): string[] {
  const sockets = maybe(maybe(node.process)?.listening ?? unobserved(''));
  const real = [...new Set((sockets ?? []).filter(({ port }) => port === node.port).map(({ address }) => address))];
  const configured = node.config.observed || real.length === 0 ? setting(node, 'bind').trim() : undefined;
  if (configured === undefined) return real;
  const addresses = configured === '' ? ['*'] : configured.split(/\s+/);
  // A server whose setting was changed after its start, or whose port is somebody else's, shows here.
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

/** Passes while nobody but the owner and its group reads a file. */
export function judgePrivate({ path, mode }: Pick<FileFacts, 'path' | 'mode'>): Verdict {
  const evidence = `${path} is ${octal(mode)}`;
  return exceeds(mode, 0o640) ? fail(evidence, chmod(path, 0o600, mode)) : pass(evidence);
}

/** Whether the mode gives more than `most` allows. */
export function exceeds(mode: number, most: number): boolean {
  return (mode & 0o777 & ~most) !== 0;
}
