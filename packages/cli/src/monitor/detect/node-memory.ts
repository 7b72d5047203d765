import type { EventName } from './events.js';

/** Calls, refusals and errors of a command, as last seen. */
export type CommandMemory = readonly [calls: number, rejected: number, failed: number];

/** What is remembered of a server from round to round and over restarts of the monitor. Plain JSON; no secret. */
export interface NodeMemory {
  /** Version of this form. */
  readonly format: 1;
  readonly at: number;
  /** When the server was first watched: until `learnMs` later, what is usual is being learned. */
  readonly firstAt: number;
  readonly rounds: number;
  readonly runId: string;
  readonly commands: Readonly<Record<string, CommandMemory>>;
  readonly errors: Readonly<Record<string, number>>;
  /** Counts of ACL LOG entries, newest first, by what identifies them. */
  readonly aclLog: Readonly<Record<string, readonly number[]>>;
  readonly aclLogEntries: number;
  /** Refusals that INFO counted and ACL LOG did not show; at most a round's own below 0, because INFO is asked first. */
  readonly unlogged?: { readonly logins: number; readonly others: number };
  /** Failed logins and refusals that are recent: moment, hash of the name, count. */
  readonly recent: readonly Recent[];
  readonly ownRefusals: Readonly<Record<string, number>>;
  readonly modules: string | undefined;
  readonly libraries: number | undefined;
  readonly replid: string | undefined;
  readonly role: string | undefined;
  readonly primary: string | undefined;
  readonly certificate: string | undefined;
  /** Networks seen by user. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** Moving averages a minute: of commands that serve extraction and of bytes sent. */
  readonly averages: Readonly<Record<string, number>>;
  readonly outputBytes: number | undefined;
  /** Totals since the server was first watched. */
  readonly events: Readonly<Partial<Record<EventName, number>>>;
  readonly refusedLogins: Readonly<Record<string, number>>;
  readonly refusedCommands: Readonly<Record<string, number>>;
}

export interface Recent {
  readonly at: number;
  readonly kind: 'login' | 'noauth';
  /** A short hash of what was sent as a name, to count different ones without keeping them. */
  readonly name: string;
  readonly count: number;
}
