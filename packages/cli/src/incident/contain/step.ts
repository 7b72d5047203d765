import type { Endpoint } from '../../audit/gather/endpoint.js';
import type { Ask } from '../../audit/gather/live.js';

export interface ContainOptions {
  /** How long writes wait; the server lets them go by itself afterwards. */
  readonly pauseMs: number;
  /** Addresses and networks that may go on connecting. */
  readonly allowFrom: readonly string[];
  /** Users to switch off beside the default user. */
  readonly usersOff: readonly string[];
  readonly killReplicas: boolean;
  readonly stopReplication: boolean;
  readonly firewall: boolean;
  /** The user that this tool makes where its own would be switched off. */
  readonly rescue: { readonly name: string; readonly password: string };
}

export interface StepNode {
  readonly address: string;
  readonly endpoint: Endpoint;
  readonly ask: Ask;
  /** A login of its own must work; opens and closes a second connection. */
  readonly canLogIn: (username: string, password: string) => Promise<boolean>;
}

/** One measure on one server: what it replaces is read and kept first, so that it can be taken back. */
export interface ContainStep {
  readonly id: string;
  readonly title: string;
  /** What clients notice. */
  readonly effect: string;
  readonly undoText: string;
  /** The commands that it runs, or why it is not needed here. Only reads. */
  plan(
    node: StepNode,
    options: ContainOptions,
  ): Promise<{ readonly runs: readonly string[]; readonly warnings?: readonly string[] } | { readonly not: string }>;
  /** What has to be put back. Only reads. */
  before(node: StepNode, options: ContainOptions): Promise<Record<string, string>>;
  /** Safe to repeat. Throws where it does not show what it must. */
  take(node: StepNode, options: ContainOptions, before: Readonly<Record<string, string>>): Promise<void>;
  /** Safe to repeat. Returns what was left as it is, because somebody has changed it since. */
  undo(node: StepNode, before: Readonly<Record<string, string>>): Promise<string | undefined>;
  /** Taken again although it was done: its effect ends by itself. */
  readonly renews?: boolean;
}
