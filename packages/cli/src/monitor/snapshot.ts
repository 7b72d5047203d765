import type { NodeRole } from '../deployment/model.js';
import type { Info } from './info.js';

/** A server that is watched, and where it belongs. */
export interface WatchedNode {
  /** Name of the deployment; the label `deployment` of every metric. */
  readonly deployment: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What the deployment planned it as; undefined for a server named by its URL. */
  readonly role?: NodeRole;
}

export interface AclLogEntry {
  /** Unique from Redis 7.2 on; undefined before. */
  readonly id: string | undefined;
  readonly count: number;
  readonly reason: string;
  readonly context: string;
  /** The command, key or channel that was refused; for a login the word AUTH. */
  readonly object: string;
  /** Text of the client for a failed login: never used as a label. */
  readonly username: string;
  /** Address of the client without its port. */
  readonly address: string;
  readonly ageSeconds: number;
}

export interface ConnectedClient {
  readonly id: string;
  readonly user: string;
  /** Address without the port; empty for a Unix socket. */
  readonly address: string;
  /** Port of the server that it connected to. */
  readonly localPort: number;
  readonly ageSeconds: number;
  readonly type: 'normal' | 'pubsub' | 'replica' | 'primary' | 'monitor';
}

export interface LoadedModule {
  readonly name: string;
  readonly version: string;
  readonly path: string;
}

/** The certificate of a new handshake. */
export interface ServedCertificate {
  /** SHA-256, hex with colons. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  /** The first end in the served chain. */
  readonly notAfter: Date;
  /** Chain and host name verified against the CA of the deployment. */
  readonly trusted: boolean;
  /** The verification's code, such as CERT_HAS_EXPIRED; undefined when trusted. */
  readonly problem: string | undefined;
  readonly protocol: string;
}

export interface LatencyEvent {
  readonly name: string;
  readonly lastSeconds: number;
  readonly durationMs: number;
}

/** What a sentinel says of a primary that it watches. */
export interface SentinelView {
  /** Fields of SENTINEL MASTERS. */
  readonly fields: Readonly<Record<string, string>>;
  readonly quorumMet: boolean;
  readonly quorumMessage: string;
  /** Flags of the other sentinels and of the replicas. */
  readonly sentinelFlags: readonly string[];
  readonly replicaFlags: readonly string[];
}

/** What one round saw of one server. A part that was not due or not allowed is undefined. */
export interface NodeSnapshot {
  readonly node: WatchedNode;
  readonly at: number;
  readonly durationMs: number;
  readonly up: boolean;
  /** Code of the failure when the server is not up. */
  readonly problem?: string;
  readonly info?: Info;
  readonly clusterInfo?: Info;
  readonly aclLog?: readonly AclLogEntry[];
  readonly clients?: readonly ConnectedClient[];
  readonly modules?: readonly LoadedModule[];
  readonly slowlogLength?: number;
  readonly latency?: readonly LatencyEvent[];
  readonly certificate?: ServedCertificate;
  readonly sentinel?: readonly SentinelView[];
  /** Commands of this monitor that the server refused since it was started, by name. */
  readonly ownRefusals: ReadonlyMap<string, number>;
  /** The name under which the monitor is logged in. */
  readonly ownUser: string | undefined;
}
