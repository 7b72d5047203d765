/**
 * A client lent to one user at a time. The user holds a view of it, which dies with the lease: a command on a view
 * that was given back rejects, so that it cannot run in the middle of another borrower's work.
 */
import type { EventEmitter } from 'node:events';
import type { ClientCore } from '../client/client-core.js';
import { CORE } from '../client/symbols.js';
import { RedkeepError } from '../errors.js';
import type { CommandOptions } from '../options/command-options.js';

/** What a pool needs of the clients that it makes and lends. */
export interface PooledClient extends EventEmitter {
  readonly [CORE]: ClientCore;
  connect(): Promise<unknown>;
  close(): Promise<void>;
  destroy(): void;
  ping(): Promise<unknown>;
  withCommandOptions(options: CommandOptions): PooledClient;
}

/** What a client has beside its own methods while it is lent. */
export interface Lease {
  /** Gives the client back, cleaned. A second call rejects. */
  release(): Promise<void>;
}

export class LeaseReleasedError extends RedkeepError {
  static override readonly name: string = 'LeaseReleasedError';
  constructor() {
    super('REDKEEP_LEASE_RELEASED', 'Attempted execution on a released client lease');
  }
}

/** `error.cause` shows where the client was taken. */
export class LeaseLeakedError extends RedkeepError {
  static override readonly name: string = 'LeaseLeakedError';
  constructor(heldMs: number | undefined, takenAt: Error) {
    super(
      'REDKEEP_LEASE_LEAKED',
      heldMs === undefined
        ? 'A client was taken from the pool and forgotten: it was garbage-collected without release()'
        : `A client taken from the pool was not returned for ${heldMs} ms`,
      { cause: takenAt },
    );
  }
}

/** Replaces the core once the lease is over. */
const RELEASED = new Proxy({} as ClientCore, {
  get(_, property) {
    if (property === 'dispatch') return () => Promise.reject(new LeaseReleasedError());
    throw new LeaseReleasedError();
  },
});

/** `onRelease` is called once. `options`: those of the view of the pool that it was borrowed from. */
export function leaseView<C extends PooledClient>(
  lent: C,
  onRelease: () => Promise<void>,
  options: CommandOptions | undefined,
): C & Lease {
  const client = options === undefined ? lent : lent.withCommandOptions(options);
  const core = lent[CORE];
  let released = false;
  /** What `withTypeMapping` and its like make of a lent client is lent too. */
  const lend = <T extends object>(view: T): T =>
    Object.defineProperties(view, {
      [CORE]: { get: () => (released ? RELEASED : core) },
      withCommandOptions: {
        value: function (this: C, options: CommandOptions) {
          return lend(client.withCommandOptions.call(this, options));
        },
      },
    });
  const release = () => {
    if (released) return Promise.reject(new LeaseReleasedError());
    released = true;
    return onRelease();
  };
  return Object.defineProperties(lend(Object.create(client)), {
    release: { value: release },
    [Symbol.asyncDispose]: { value: () => (released ? Promise.resolve() : release()) },
  }) as C & Lease;
}
