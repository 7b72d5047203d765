import type { GuardComponentName } from '@redkeep/guard/needs';
import type { Engine } from '../vocabulary/engines.js';
import {
  applicationRoles,
  type ProfileName,
  type RoleName,
  type TargetName,
  type TopologyName,
} from '../vocabulary/names.js';
import type { Policy } from './profiles.js';

/**
 * The deployment model: what `init` decides, every renderer writes down, and `up`, `audit`, `acl`, `certs` and
 * `rotate` read back. It names secrets and never holds one. Paths are relative to the deployment's folder.
 */
export interface Deployment {
  /** Version of this format. */
  readonly format: 1;
  readonly name: string;
  readonly profile: ProfileName;
  readonly engine: Engine;
  readonly topology: TopologyName;
  readonly target: TargetName;
  readonly nodes: readonly DeploymentNode[];
  readonly users: readonly User[];
  /** The file of the private CA's certificate: what a client must trust. */
  readonly caFile: string;
  /** CAs whose certificates the servers accept from clients, replicas and peers. A public CA has no place in it. */
  readonly clientCaFile: string;
  /** The file of the CA's private key; it issues certificates and no server needs it. */
  readonly caKeyFile: string;
  readonly certificates: readonly CertificateSpec[];
  readonly policy: Policy;
  readonly decisions: readonly Decision[];
  /** Networks that may reach the servers, as CIDR; empty means this machine only. */
  readonly sources: readonly string[];
  /** Kubernetes: where its objects are. */
  readonly namespace?: string;
  /** Containers and pods: the image, best by digest. Default: the engine's own, of the release line. */
  readonly image?: string;
  /** The server program to start, where `init` was given one; else it is looked for at every start. */
  readonly serverProgram?: string;
  /** Under Sentinel: the name the primary is watched under, and how many sentinels must agree that it is gone. */
  readonly sentinel?: { readonly primaryName: string; readonly quorum: number };
}

export type NodeRole = 'primary' | 'replica' | 'sentinel';

export interface DeploymentNode {
  readonly name: string;
  readonly role: NodeRole;
  /** The address clients and peers use; a name or an IP address. */
  readonly host: string;
  /** The TLS port. There is no plaintext port. */
  readonly port: number;
  /** The cluster bus, Cluster only. */
  readonly busPort?: number;
  /** The node a replica copies. */
  readonly replicaOf?: string;
  /** Addresses the server listens on, in redis.conf's notation. */
  readonly bind: readonly string[];
  readonly configFile: string;
  /** Dragonfly and Redis-like servers read their users from here. */
  readonly aclFile: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** Name of its certificate in `certificates`. */
  readonly certificate: string;
}

/** A component of `@redkeep/guard` that an application uses, with the prefix of its keys. */
export interface UserComponent {
  readonly name: GuardComponentName;
  readonly prefix: string;
  /** Of `locks`: prefixes of the values that its holders write with `guardedSet`. */
  readonly guards?: readonly string[];
}

export interface User {
  readonly name: string;
  readonly role: RoleName;
  /** Key patterns this user may touch, for example `app:*`. */
  readonly keys: readonly string[];
  /** Pub/sub channel patterns. */
  readonly channels: readonly string[];
  /** Commands beyond the role's own, in ACL notation without the sign. */
  readonly extraCommands: readonly string[];
  /** Exactly these commands instead of the role's own, beside what every client sends when it connects. */
  readonly onlyCommands?: readonly string[];
  /** Components of `@redkeep/guard` that the application uses; each brings its keys, commands and channels. */
  readonly components?: readonly UserComponent[];
  readonly passwordFile: string;
  /** Name of the client certificate in `certificates`. */
  readonly certificate: string;
}

export interface CertificateSpec {
  readonly name: string;
  readonly usage: 'node' | 'client';
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly certFile: string;
  readonly keyFile: string;
  readonly days: number;
}

/** A hardening choice, kept beside the deployment in DECISIONS.md. */
export interface Decision {
  readonly id: string;
  readonly title: string;
  readonly choice: string;
  readonly reason: string;
  readonly riskBefore: 'critical' | 'high' | 'medium' | 'low';
  readonly riskAfter: 'high' | 'medium' | 'low' | 'none';
  /** How anyone can see that the choice holds. */
  readonly proof: string;
}

export function dataNodes(deployment: Deployment): readonly DeploymentNode[] {
  return deployment.nodes.filter((node) => node.role !== 'sentinel');
}

export function sentinelNodes(deployment: Deployment): readonly DeploymentNode[] {
  return deployment.nodes.filter((node) => node.role === 'sentinel');
}

/** The certificate a node or user names; the model always has it. */
export function certificateOf(deployment: Deployment, name: string): CertificateSpec {
  const found = deployment.certificates.find((certificate) => certificate.name === name);
  if (!found) throw new Error(`The deployment has no certificate named ${name}.`);
  return found;
}

/** True for a user that an application connects as, false for operators and the servers themselves. */
export function isApplication({ role }: User): boolean {
  return (applicationRoles as readonly RoleName[]).includes(role);
}

export function userOf(deployment: Deployment, role: RoleName): User | undefined {
  return deployment.users.find((user) => user.role === role);
}
