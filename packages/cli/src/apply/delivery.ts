import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../deployment/model.js';

/** SHA-256 of files by path, as the deployment's folder had them. */
export type Hashes = Readonly<Record<string, string>>;

/** What is known of a node's files where its server reads them. */
export interface NodeRecord {
  /** What was put there last. */
  readonly delivered: Hashes;
  /** What the running server has read: at its start, or at a reload that was proved. */
  readonly taken: Hashes;
}

export interface NodeFile {
  readonly path: string;
  readonly mode: number;
  readonly content: string;
}

export type NodeState = 'running' | 'stopped' | 'unknown';

export interface PrimaryAddress {
  readonly host: string;
  readonly port: number;
}

export interface LogOptions {
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

/**
 * How one target is changed: files reach a node's server, and the server is started and stopped. Everything that is
 * the same everywhere (what differs, in which order, what proves it, the journal) is above this interface; everything
 * that is said to a server over its own protocol goes through `withClient`. Each method is safe to repeat.
 */
export interface Delivery {
  readonly loaded: LoadedDeployment;
  /** Fails with the next step where the target's tool or a host cannot be used. Changes nothing. */
  check(): Promise<void>;
  /** The files a node's server needs here, with what runs it (a unit, a manifest). */
  filesOf(node: DeploymentNode): Promise<readonly NodeFile[]>;
  record(node: DeploymentNode): Promise<NodeRecord | undefined>;
  /**
   * Puts the files where the server reads them. What the server wrote into its configuration (its role, a sentinel's
   * epochs) stays, unless `primary` says which node is to be primary when it starts. The record's `delivered` is
   * written last.
   */
  deliver(node: DeploymentNode, files: readonly NodeFile[], primary?: PrimaryAddress): Promise<void>;
  /** Notes that the server runs with what was delivered. */
  markTaken(node: DeploymentNode): Promise<void>;
  state(node: DeploymentNode): Promise<NodeState>;
  /** Starts a node that is stopped and returns when its server answers a verified TLS handshake. */
  start(node: DeploymentNode): Promise<void>;
  /** Asks the server to write its data and end, and waits for it. False when it was not running. */
  stop(node: DeploymentNode): Promise<boolean>;
  /** True when the node's data folder holds a data set; undefined where that cannot be seen. */
  hasData(node: DeploymentNode): Promise<boolean | undefined>;
  /** The configuration file as the server left it; undefined where there is none or it cannot be read. */
  serverConfig(node: DeploymentNode): Promise<string | undefined>;
  logs(node: DeploymentNode, options: LogOptions): Promise<void>;
}
