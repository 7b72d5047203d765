import type { Fact } from './fact.js';

/** A place in a file, for reports that point there. Lines count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
}

/** One container as Compose or Kubernetes describes it, reduced to what the checks ask. */
export interface ContainerFacts {
  readonly name: string;
  readonly at: Location;
  readonly kind: 'compose' | 'kubernetes';
  readonly image: string;
  readonly privileged: boolean;
  readonly user?: string;
  readonly dropsAll: boolean;
  readonly addedCapabilities: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly limits: { readonly memory: boolean; readonly cpu: boolean; readonly pids: boolean };
  readonly hostNamespaces: readonly string[];
  readonly publishedPorts: readonly {
    readonly hostAddress: string;
    readonly hostPort: string;
    readonly port: number;
  }[];
  readonly mounts: readonly string[];
  readonly seccomp: 'default' | 'unconfined';
  readonly healthCheck?: string;
  readonly command: readonly string[];
  /** Environment variables that carry a secret in clear, by name. */
  readonly secretVariables: readonly string[];
  readonly isServer: boolean;
  readonly isTool: boolean;
}

export interface UnitFacts {
  readonly name: string;
  readonly at: Location;
  /** Settings of the [Service] section; the last value wins, repeated lists are joined with a space. */
  readonly settings: Readonly<Record<string, string>>;
}

export type SourceIssue =
  | 'plaintext-url'
  | 'unverified-tls'
  | 'missing-ca'
  | 'old-tls'
  | 'default-user'
  | 'credential'
  | 'unbounded'
  | 'built-command'
  | 'interpolated-script'
  | 'dangerous-call'
  | 'logged-secret';

export interface SourceFinding {
  readonly issue: SourceIssue;
  readonly at: Location;
  /** What was seen, without any secret. */
  readonly detail: string;
}

export interface SourceFacts {
  readonly files: number;
  /** Files that could not be parsed; they are not counted as clean. */
  readonly unparsed: readonly string[];
  readonly clients: readonly { readonly library: string; readonly at: Location }[];
  readonly findings: readonly SourceFinding[];
  readonly commands: readonly string[];
}

/** A file that was given and could not be read; the others were. */
export interface UnreadableFile {
  readonly file: string;
  readonly reason: string;
}

export interface ProjectFacts {
  readonly unreadable: readonly UnreadableFile[];
  readonly containers: Fact<readonly ContainerFacts[]>;
  readonly units: Fact<readonly UnitFacts[]>;
  readonly source: Fact<SourceFacts>;
  readonly libraries: Fact<readonly { readonly name: string; readonly version: string; readonly at: Location }[]>;
}
