import type { RestoreTarget, ShardPlan } from '../../backup/restore/plan-restore.js';
import type { ReadOptions } from '../backup/options.js';
import type { MomentOptions } from './moment.js';

export interface RestoreCommandOptions extends ReadOptions, MomentOptions {
  readonly out?: string;
  /** The folder of a running deployment. */
  readonly into?: string;
  /** Glob patterns of the keys to bring back. */
  readonly keys?: readonly string[];
  /** Makes every password of the deployment anew first. */
  readonly newCredentials?: boolean;
  readonly server?: string;
  readonly work?: string;
  readonly yes?: boolean;
  readonly unverifiedWriter?: boolean;
  /** The moment, where another command has found it; the flags are not read then. */
  readonly moment?: { readonly target: RestoreTarget; readonly found: string };
  /** Called with each data folder when it is written, before a server loads it. */
  readonly complete?: (folder: string, shard: ShardPlan) => Promise<void>;
}
