import type { AclUser } from '../../audit/facts/acl-user.js';
import type { Fact } from '../../audit/facts/fact.js';
import type { AclLogEntry, ModuleFacts } from '../../audit/facts/facts.js';
import type { Payload } from './payloads.js';

/** Where evidence is looked for. */
export const places = ['live', 'log', 'files', 'host', 'archive'] as const;
export type Place = (typeof places)[number];

export interface Connection {
  /** This tool's own. A name proves nothing: an intruder can take it. */
  readonly isOwn: boolean;
  readonly address: string;
  readonly user: string;
  readonly name: string;
  readonly flags: string;
  readonly ageSeconds: number;
  readonly lastCommand: string;
}

export interface Library {
  readonly name: string;
  readonly code: string;
}

/** Values of sampled keys that carry a payload. */
export interface ValueSearch {
  readonly looked: number;
  /** Keys of the server; more than `looked` where not all were. */
  readonly total: number;
  readonly found: readonly { readonly key: string; readonly database: string; readonly payload: Payload }[];
}

export interface SlowCommand {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly words: readonly string[];
  readonly address: string;
}

export interface LogLine {
  /** Milliseconds since 1970; undefined where the line has no time of its own. */
  readonly at?: number;
  readonly text: string;
}

/** What the configuration and ACL files say, and what lies beside the data. */
export interface FileScene {
  readonly settings: Readonly<Record<string, string>>;
  /** Commands that the configuration renames or removes, lower case. */
  readonly renamed: readonly string[];
  /** Users of the ACL file or of `user` lines; undefined where neither exists. */
  readonly users?: readonly AclUser[];
  /** When the file that names the users was last written, milliseconds since 1970. */
  readonly usersWrittenAt?: number;
  readonly hasRequirePass: boolean;
  /** Files of the data folder, and what their first bytes say they are. */
  readonly beside: readonly { readonly file: string; readonly isProgram: boolean; readonly modifiedAt: number }[];
}

export interface HostScene {
  readonly user: string;
  /** Crontabs, authorized_keys and their like that exist, with their text. */
  readonly footholds: readonly { readonly file: string; readonly text: string; readonly modifiedAt: number }[];
  /** Accounts with the rights of root. */
  readonly rootAccounts: readonly string[];
  readonly processes: readonly { readonly pid: number; readonly name: string; readonly parent: number }[];
  readonly serverPid: number;
  readonly temporaryNames: readonly string[];
  /** Rules of the packet filter. */
  readonly packetFilter: Fact<string>;
  readonly ports: readonly number[];
}

/** A command in the archive that an intruder, or a mistake, would have run. */
export interface BadCommand {
  readonly indicator: string;
  readonly shard: string;
  readonly offset: number;
  /** Second since 1970, by the clock of the archiving host. */
  readonly second: number;
  readonly text: string;
}

export interface ArchiveScene {
  readonly bad: readonly BadCommand[];
  readonly from: number;
  readonly to: number;
}

/** What a server of this owner is expected to have. */
export interface Expected {
  /** A deployment of Redkeep, or names given by the operator: what is not named is foreign. */
  readonly known: boolean;
  readonly users: readonly string[];
  readonly peers: readonly string[];
  readonly modules: readonly string[];
  readonly libraries: readonly string[];
}

/** One server as an assessment sees it. Each part was observed, or says why not. */
export interface Scene {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly observedAt: number;
  readonly expected: Expected;
  readonly info: Fact<Readonly<Record<string, string>>>;
  readonly settings: Fact<Readonly<Record<string, string>>>;
  readonly users: Fact<readonly AclUser[]>;
  readonly commands: Fact<readonly string[]>;
  readonly connections: Fact<readonly Connection[]>;
  readonly aclLog: Fact<readonly AclLogEntry[]>;
  readonly slowLog: Fact<readonly SlowCommand[]>;
  readonly modules: Fact<readonly ModuleFacts[]>;
  readonly libraries: Fact<readonly Library[]>;
  readonly residue: Fact<readonly string[]>;
  readonly values: Fact<ValueSearch>;
  readonly log: Fact<readonly LogLine[]>;
  readonly files: Fact<FileScene>;
  readonly machine: Fact<HostScene>;
  readonly archive: Fact<ArchiveScene>;
}
