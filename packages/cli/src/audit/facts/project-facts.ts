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
    readonly at?: Location;
  }[];
  /** Paths of the host that it mounts. */
  readonly mounts: readonly { readonly path: string; readonly at?: Location }[];
  /** Where single settings are written, by name (`privileged`, `ports`); what is not there is missing from the file. */
  readonly places: Readonly<Record<string, Location>>;
  /** Why its processes are root; absent where they are not, or where only the image decides. */
  readonly root?: string;
  /** Filters of the kernel that are turned off: seccomp, AppArmor, SELinux. */
  readonly unconfined: readonly string[];
  readonly healthCheck?: string;
  readonly command: readonly string[];
  /** Environment variables that carry a secret in clear. */
  readonly secretVariables: readonly { readonly name: string; readonly at: Location }[];
  readonly isServer: boolean;
  readonly isTool: boolean;
}

export interface UnitFacts {
  readonly name: string;
  readonly at: Location;
  /** Settings of the [Service] section; the last value wins, repeated lists are joined with a newline. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where each setting's last value is written. */
  readonly places: Readonly<Record<string, Location>>;
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

/** What a deployment file says that no container, unit or server of it stands for. */
export type FileIssue =
  | 'outside-access'
  | 'no-network-policy'
  | 'secret-in-clear'
  | 'plaintext-url'
  | 'unverified-tls'
  | 'default-user'
  | 'root-user';

export interface FileFinding {
  readonly issue: FileIssue;
  /** What it concerns (a Service, a variable), so that the finding keeps its identity over runs. */
  readonly about: string;
  readonly at: Location;
  /** What was seen, without any secret. */
  readonly detail: string;
  readonly remedy: string;
}

/** A file that was given and could not be read; the others were. */
export interface UnreadableFile {
  readonly file: string;
  readonly reason: string;
}

export interface ProjectFacts {
  /** Findings of deployment files; the reason where none was given. */
  readonly deployment: Fact<readonly FileFinding[]>;
  /** What a reader of the report has to know about the files: what was merged, what was not rendered. */
  readonly remarks: readonly string[];
  readonly unreadable: readonly UnreadableFile[];
  readonly containers: Fact<readonly ContainerFacts[]>;
  readonly units: Fact<readonly UnitFacts[]>;
  readonly source: Fact<SourceFacts>;
  readonly libraries: Fact<readonly { readonly name: string; readonly version: string; readonly at: Location }[]>;
}
