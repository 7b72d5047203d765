import type { Context } from '../context.js';
import type { Migration } from './migration.js';

export interface StepContext {
  readonly migration: Migration;
  readonly context: Context;
  /** Server program for the scratch restore of the backup; default the one found. */
  readonly server?: string;
  /** Wait until clients have moved instead of looking once. */
  readonly wait: boolean;
  /** Undo although clients that already moved are cut off. */
  readonly allowDisconnect: boolean;
}

export interface Step {
  readonly title: string;
  /** What clients notice. */
  readonly effect: string;
  readonly check: string;
  readonly undoText: string;
  /** Closes something: a watchdog takes it back by itself when this process does not confirm it in time. */
  readonly watched: boolean;
  take(step: StepContext): Promise<string>;
  undo(step: StepContext): Promise<void>;
}
