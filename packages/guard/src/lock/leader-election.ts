import { setTimeout as pause } from 'node:timers/promises';
import { hasCode } from '../errors.js';
import {
  signal as abortSignal,
  callback,
  checked,
  having,
  matching,
  number,
  required,
  type Schema,
} from '../options.js';
import type { Lock } from './lock.js';
import type { Locks } from './locks.js';

/** Options of {@link LeaderElection}. */
export interface LeaderElectionOptions {
  readonly locks: Locks;
  /** What is led: one process of all that say the same. */
  readonly name: string;
  /** Milliseconds after which a silent leader is replaced; 1000 to 600,000, default 15,000. */
  readonly ttlMs?: number;
  /** Failures of Redis and of `lead`; the process stays a candidate. */
  readonly onError?: (error: unknown) => void;
}

const ELECTION: Schema<LeaderElectionOptions> = {
  locks: required(having('Locks', 'acquire', 'using')),
  name: required(matching(/^[^}]+$/, 'must be a text without }')),
  ttlMs: number(1000, 600_000),
  onError: callback,
};

/** Milliseconds a candidate waits at once, and after a failure. */
const WAIT_MS = 60_000;
const RETRY_MS = 1000;

/**
 * One leader among processes. Two may lead for a moment after a failover that loses the lock, or while a leader that
 * stopped has not noticed yet: give `lock.token` to whatever the leader changes, or write with `lock.guardedSet`.
 *
 * @example
 * const election = new LeaderElection({ locks, name: 'scheduler' });
 * await election.campaign(async (lock) => { await runScheduler({ signal: lock.signal }); }, { signal: stopping });
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  #lock: Lock | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = checked(options, ELECTION);
  }

  /** By this process's own clocks, at this moment. */
  get isLeader(): boolean {
    return this.#lock?.isHeld === true;
  }

  /**
   * Runs `lead` whenever this process is elected, until `signal` ends the campaign. `lead` should return when its lock's
   * signal fires, and resigns by returning. Resolves when `signal` fires and `lead`, if it is running, has returned: a
   * `lead` that never returns keeps the lock.
   */
  async campaign(lead: (lock: Lock) => Promise<void>, options: { readonly signal: AbortSignal }): Promise<void> {
    const { signal } = checked(options, { signal: required(abortSignal) }, 'REDKEEP_GUARD_ARGUMENT');
    const { locks, name, ttlMs = 15_000, onError = warn } = this.#options;
    while (!signal.aborted) {
      try {
        await locks.using(name, { ttlMs, waitMs: WAIT_MS, signal }, async (lock) => {
          this.#lock = lock;
          await lead(lock);
        });
      } catch (error) {
        if (signal.aborted) return;
        if (!hasCode(error, 'REDKEEP_LOCK_TIMEOUT')) {
          onError(error);
          await pause(RETRY_MS, undefined, { signal }).catch(() => undefined);
        }
      } finally {
        this.#lock = undefined;
      }
    }
  }
}

function warn(error: unknown): void {
  process.emitWarning(`A leader stopped: ${(error as Error).message}`, { code: 'REDKEEP_LEADER' });
}
