import type { PowerCommand } from '../../acl/powers.js';
import type { ServerCommands } from '../../acl/server-commands.js';
import type { ProfileName, RoleName } from '../../vocabulary/names.js';
import type { AclUser } from './acl-user.js';
import type { CveData } from './cves.js';
import type { EngineFacts } from './engine-facts.js';
import type { ExposureFacts } from './exposure-facts.js';
import type { Fact } from './fact.js';
import type { Location, ProjectFacts } from './project-facts.js';
import type { CertificateFacts, TlsFacts } from './tls-facts.js';

/** Everything one audit saw. Plain data: a recorded audit can be judged again, later and elsewhere. */
export interface Facts {
  /** ISO 8601 instant at which gathering began; every judgement about dates uses it. */
  readonly observedAt: string;
  readonly expectations: Expectations;
  readonly nodes: readonly NodeFacts[];
  readonly host: Fact<HostFacts>;
  readonly project: ProjectFacts;
  /** Who can read and change the files of the deployment's folders and of servers on this machine. */
  readonly exposure: Fact<ExposureFacts>;
  readonly operations: OperationFacts;
  readonly cves: CveData;
}

/** What the deployment is judged as; a staging deployment is judged as production. */
export type AuditProfile = Exclude<ProfileName, 'staging'>;

/** What the operator says the deployment is meant to be; facts are judged against it. */
export interface Expectations {
  readonly profile: AuditProfile;
  readonly roles: Readonly<Record<string, RoleName>>;
  /** Commands (`eval`, `config|get`) and categories (`@scripting`) that the deployment grants a user by name. */
  readonly granted?: Readonly<Record<string, readonly string[]>>;
  /** Commands that the components of `@redkeep/guard` which a user is given cannot do without. */
  readonly needed?: Readonly<Record<string, readonly string[]>>;
  /** Whether the servers run in containers or pods, whose network is their own; unknown where nobody said. */
  readonly inContainers?: boolean;
  /** Addresses or host names of peers that belong to the deployment. */
  readonly peers: readonly string[];
  /** What the data is: a cache may vanish, a store may not. */
  readonly dataRole?: 'cache' | 'store';
  /** Module and function library names that are meant to be loaded. */
  readonly modules: readonly string[];
  readonly libraries: readonly string[];
  readonly minReplicas?: number;
  /** Names clients use to reach the server, beside the address that was audited. */
  readonly names: readonly string[];
}

export interface ProbeFacts {
  /** First line of the reply, by command, of a connection that never authenticated. */
  readonly replies: Readonly<Record<string, string>>;
  /** Names that log in with any password, of those that were tried; only tried where the audit has no credentials. */
  readonly openUsers?: readonly string[];
  /** Commands that were carried out for a stranger. */
  readonly accepted: readonly string[];
}

export interface PortFacts {
  readonly port: number;
  readonly open: boolean;
  /** Whether the open port spoke the protocol in clear. */
  readonly plaintext: boolean;
  /** How the answer began, where it was that of another protocol. */
  readonly foreign?: string;
}

export interface NodeFacts {
  /** `host:port` as it was audited. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Described by files alone: nothing was connected to, so it is judged but not graded. */
  readonly fromFiles?: true;
  /** Where it is described, when files describe it. */
  readonly at?: Location;
  /** Described as a container: its own network, unless it has the host's. */
  readonly container?: { readonly hostNetwork: boolean };
  /** The node that named this one; absent where the operator named it. */
  readonly foundThrough?: string;
  /** Named by the operator, or logged in to over TLS that the operator's CA vouches for: surely part of the deployment. */
  readonly vouched: boolean;
  readonly engine: Fact<EngineFacts>;
  /** How a person's command line reaches it, for printed commands: options of redis-cli, never a secret. */
  readonly cliOptions?: readonly string[];
  /** The user this audit logged in as; absent where it had no credentials. */
  readonly auditedAs?: string;
  readonly anonymous: Fact<ProbeFacts>;
  /** The audited port and, when known, the configured plaintext port. */
  readonly plaintext: Fact<PortFacts>;
  readonly tls: Fact<TlsFacts>;
  /** Whether the port answers HTTP (Dragonfly's console), and what it gives away. */
  readonly http: Fact<{ readonly root: boolean; readonly metrics: boolean }>;
  readonly busPort: Fact<PortFacts>;
  /** Settings as the server runs with; a named list, never a secret. */
  readonly config: Fact<Readonly<Record<string, string>>>;
  readonly info: Fact<Readonly<Record<string, string>>>;
  readonly users: Fact<readonly AclUser[]>;
  readonly permissions: Fact<Permissions>;
  /** Every command and subcommand the server has (`config|get`), with what it says of them. */
  readonly commands: Fact<ServerCommands>;
  readonly aclLog: Fact<readonly AclLogEntry[]>;
  readonly clients: Fact<readonly ClientFacts[]>;
  readonly modules: Fact<readonly ModuleFacts[]>;
  readonly libraries: Fact<readonly string[]>;
  readonly replication: Fact<ReplicationFacts>;
  readonly sentinel: Fact<SentinelFacts>;
  /** The other nodes of its cluster. */
  readonly clusterPeers: Fact<readonly Address[]>;
  /** Names of keys that known attacks leave behind and that exist here. */
  readonly residue: Fact<readonly string[]>;
  /** Share of sampled keys without expiry (0 to 1), by declared prefix; only when sampling was asked for. */
  readonly keySample: Fact<Readonly<Record<string, number>>>;
  readonly process: Fact<ProcessFacts>;
  readonly files: Fact<ServerFiles>;
}

/** What each user can do with the commands of its server. */
export interface Permissions {
  /** Which table of commands the rules were applied to: the server's own, or the one that comes with Redkeep. */
  readonly decidedBy: 'COMMAND' | 'built-in table';
  /** Commands that give power over more than the user's own keys, by user; each of these users can run it. */
  readonly powers: Readonly<Record<string, readonly PowerCommand[]>>;
  /** How many commands of the server the user can run, by user. */
  readonly runnable: Readonly<Record<string, number>>;
}

export interface AclLogEntry {
  readonly reason: string;
  readonly username: string;
  readonly object: string;
  readonly count: number;
  readonly ageSeconds: number;
}

export interface ClientFacts {
  readonly user: string;
  readonly address: string;
  readonly localPort: number;
  readonly name: string;
  readonly ageSeconds: number;
  /** Seconds since its last command. */
  readonly idleSeconds: number;
  /** Its last command: `get`, `config|set`. */
  readonly lastCommand: string;
  readonly type: 'normal' | 'replica' | 'pubsub';
}

export interface ModuleFacts {
  readonly name: string;
  readonly path: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ReplicationFacts {
  readonly primaryHost?: string;
  readonly primaryPort?: number;
  readonly replicas: readonly string[];
  readonly linkUp?: boolean;
}

export interface SentinelFacts {
  readonly masters: readonly {
    readonly name: string;
    readonly sentinels: number;
    readonly quorum: string;
    /** Replicas and Sentinels that this one sees down, by the name it gives them. */
    readonly down: readonly string[];
    /** The primary, its replicas and the other Sentinels. */
    readonly members: readonly Address[];
  }[];
}

export interface FileFacts {
  readonly path: string;
  /** Permission bits, e.g. 0o640. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  readonly file: string;
  readonly line: number;
}

export interface ConfigFile {
  /** Absent where the settings are part of another file: a command, a ConfigMap. */
  readonly file?: FileFacts;
  readonly directives: readonly Directive[];
  readonly includes: readonly FileFacts[];
}

export interface AclFile {
  readonly file: FileFacts;
  readonly users: readonly AclUser[];
}

export interface KeyFileFacts extends FileFacts {
  readonly fingerprint: string;
}

/** Files of the server that can be read from here. A part that is not used by the server is absent. */
export interface ServerFiles {
  readonly config: Fact<ConfigFile>;
  readonly acl: Fact<AclFile | null>;
  readonly certificate: Fact<CertificateFacts | null>;
  readonly key: Fact<KeyFileFacts | null>;
  /** Private keys of certificate authorities found beside the server's own key. */
  readonly caKeys: Fact<readonly string[]>;
  /** RDB, AOF, log files and the directory itself. */
  readonly data: Fact<readonly FileFacts[]>;
  readonly directory: Fact<FileFacts>;
  readonly socket: Fact<FileFacts | null>;
  readonly modules: Fact<readonly FileFacts[]>;
  /** Log lines of interest, counted. */
  readonly log: Fact<{ readonly crossProtocol: number }>;
}

export interface ProcessFacts {
  readonly pid: number;
  readonly uid: number;
  readonly executable: string;
  readonly argv: readonly string[];
  /** Names (never values) of environment variables that look like they hold a secret. */
  readonly secretVariables: Fact<readonly string[]>;
  /** Whether it runs in a mount namespace of its own, as containers do. */
  readonly containerized: boolean;
  /** Soft limit of a core dump in bytes, or `unlimited`. */
  readonly coreLimit: string;
  readonly openFiles: number;
  readonly noNewPrivileges: boolean;
  /** Effective capabilities, as the kernel prints them (hexadecimal). */
  readonly capabilities: string;
  readonly seccomp: boolean;
  readonly umask: string;
  /** Where it listens, as the kernel says. */
  readonly listening: Fact<readonly { readonly address: string; readonly port: number }[]>;
  /** The systemd unit it belongs to, if any. */
  readonly unit?: string;
}

export interface HostFacts {
  readonly swap: readonly { readonly device: string; readonly encrypted: boolean }[];
  readonly transparentHugePages: string;
  readonly overcommitMemory: string;
  readonly somaxconn: number;
  readonly memoryBytes: number;
  readonly timeSynchronized: Fact<boolean>;
  /** The packet filter's policy for incoming connections, in words. */
  readonly firewall: Fact<{ readonly defaultDrop: boolean; readonly tool: string }>;
  readonly dataEncrypted: Fact<boolean>;
  /** Programs that ship logs elsewhere and run here. */
  readonly logShippers: Fact<readonly string[]>;
  /** Installed packages that have a newer version, as `name installed -> candidate`. */
  readonly updates: Fact<readonly string[]>;
  /** Whether the server's package came from a repository with signatures. */
  readonly packageSigned: Fact<boolean>;
}

/** What the deployment's own records say: rotations, backups, monitoring. */
export interface OperationFacts {
  readonly rotations: Fact<Readonly<Record<string, string>>>;
  readonly keyRotations: Fact<Readonly<Record<string, string>>>;
  readonly backups: Fact<readonly BackupFacts[]>;
  readonly restoreTest: Fact<string>;
  readonly monitoring: Fact<{
    readonly seenAt: string;
    readonly rules: boolean;
    readonly aclLog: boolean;
    readonly changes: boolean;
    readonly throttles: boolean;
  }>;
  readonly commandsUsed: Fact<Readonly<Record<string, readonly string[]>>>;
  readonly dormant: Fact<readonly string[]>;
}

export interface BackupFacts {
  readonly takenAt: string;
  readonly encrypted: boolean;
  readonly offHost: boolean;
  readonly keyBeside: boolean;
}
