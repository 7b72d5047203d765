import type { ReadOptions } from '../backup/options.js';
import type { MomentOptions } from './moment.js';

export interface RestoreCommandOptions extends ReadOptions, MomentOptions {
  readonly out?: string;
  /** The folder of a running deployment. */
  readonly into?: string;
  /** Glob patterns of the keys to bring back. */
  readonly keys?: readonly string[];
  readonly server?: string;
  readonly work?: string;
  readonly yes?: boolean;
  readonly unverifiedWriter?: boolean;
}
