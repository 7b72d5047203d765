import type { RoleName, TopologyName } from '../../vocabulary/names.js';

/** What a deployment is planned to look like; everything else is worth a word. */
export interface Expectations {
  readonly topology: TopologyName | undefined;
  /** Addresses of the deployment's own nodes and of replicas that an operator has allowed. */
  readonly replicaAddresses: ReadonlySet<string>;
  /** Addresses from which the deployment's own programs come: the nodes and the monitor. */
  readonly ownAddresses: ReadonlySet<string>;
  /** Users by name; undefined where there is no deployment to say. */
  readonly users: ReadonlyMap<string, RoleName> | undefined;
  /** Networks that clients may come from, as CIDR. With none, the monitor learns them. */
  readonly networks: readonly string[];
  /** SHA-256 of the certificate file, by node; undefined where it is not on this machine. */
  readonly certificates: ReadonlyMap<string, string>;
  /** True while redkeep itself changes the deployment: its own logins and changes are not an attack then. */
  readonly changing: boolean;
  /** True while redkeep seals everything anew, for which it walks all keys. */
  readonly walking: boolean;
  /** Whether clients must use TLS. */
  readonly tlsOnly: boolean;
}

/** A user's name where it is known, else one word: the text of a login is the client's choice and never a label. */
export function userLabel({ users }: Expectations, name: string): string {
  if (name === 'default' || users?.has(name)) return name;
  return users === undefined && /^[\w.-]{1,32}$/.test(name) ? 'named' : 'unknown';
}
