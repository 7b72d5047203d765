/**
 * What a pool is made of. Every client is in one of three places:
 *
 *     connecting ──> idle <──> leased
 *          └──────────┴──────────┴──> gone (idle too long, too old, broken)
 *
 * and `#move` hands idle clients to those that wait. Commands need no lease: they share the idle clients in turn, so
 * that they are pipelined; only the borrowers of a client have it alone.
 */

import { type ClientCore, MEMBER_EVENTS } from '../client/client-core.js';
import { CORE } from '../client/symbols.js';
import { clearTimeout, performance, setTimeout } from '../clock.js';
import type { Command } from '../commands/command.js';
import type { Connection, DispatchOptions } from '../connection/connection.js';
import { PatientTimer } from '../connection/patient-timer.js';
import { type PoolMessage, poolChannel, serverInfo } from '../diagnostics.js';
import type { Dispatcher, TransactionTarget } from '../dispatcher.js';
import {
  ClientClosedError,
  DisconnectsClientError,
  InvalidOptionError,
  QueueFullError,
  TimeoutError,
} from '../errors.js';
import { poolConnectionWait } from '../node-redis/channels.js';
import type { CommandOptions } from '../options/command-options.js';
import { checkOptions, POOL_SCHEMA } from '../options/option-schema.js';
import type { ResolvedOptions } from '../options/options.js';
import { enterParent, leaveParent, nameOf, setParent } from '../telemetry/client-registry.js';
import { type Lease as ClientLease, LeaseLeakedError, leaseView, type PooledClient } from './lease.js';

export interface PoolOptions {
  /** Clients that are kept. @default 1 */
  minimum: number;
  /** Clients that there may be. @default 100 */
  maximum: number;
  /** Milliseconds to wait for a client; 0 = no limit. @default 3000 */
  acquireTimeout: number;
  /** Milliseconds after which an idle client above `minimum` is closed. @default 3000 */
  cleanupDelay: number;
  /** Requests that may wait for a client; the next one rejects. @default 10000 */
  maxWaiters: number;
  /** Milliseconds after which a client is replaced, ±10 %; 0 = never. @default 3600000 (one hour) */
  maxLifetimeMs: number;
  /** A client that was idle for so many milliseconds is checked (PING) before it is lent; 0 = never. @default 30000 */
  healthCheckAfterMs: number;
  /** Milliseconds that `close()` waits for borrowed clients and commands; then everything is destroyed. @default 10000 */
  closeTimeoutMs: number;
  /** Milliseconds after which a lease counts as leaked and is reported; 0 = never. @default 60000 */
  leakTimeoutMs: number;
}

/** Bounds of a pool, in one place. */
export const POOL_DEFAULTS: PoolOptions = {
  minimum: 1,
  maximum: 100,
  acquireTimeout: 3000,
  cleanupDelay: 3000,
  maxWaiters: 10_000,
  maxLifetimeMs: 3_600_000,
  healthCheckAfterMs: 30_000,
  closeTimeoutMs: 10_000,
  leakTimeoutMs: 60_000,
};

/** @throws InvalidOptionError */
export function resolvePoolOptions(given: Partial<PoolOptions>): PoolOptions {
  checkOptions(given, POOL_SCHEMA);
  const own = Object.entries(given).filter(([, value]) => value !== undefined);
  const options: PoolOptions = { ...POOL_DEFAULTS, ...Object.fromEntries(own) };
  if (options.maximum < options.minimum) throw new InvalidOptionError('maximum', 'must be at least `minimum`');
  return options;
}

interface Member<C extends PooledClient> {
  readonly client: C;
  /** Milliseconds of the monotonic clock. */
  readonly bornAt: number;
  readonly diesAt: number;
  idleSince: number;
}

interface Waiter<C extends PooledClient> {
  readonly take: (member: Member<C>) => void;
  readonly fail: (error: unknown) => void;
  readonly timer: PatientTimer | undefined;
}

/** A member while it is lent. */
interface Loan<C extends PooledClient> {
  readonly member: Member<C>;
  readonly takenAt: Error;
  /** On the monotonic clock. */
  readonly since: number;
  readonly timer: NodeJS.Timeout | undefined;
}

/** A shared client with so many commands waiting is reason for another one. */
const CROWDED = 128;

/** Tells listeners of an event; none of them can throw through it. True when there was one. */
export type Emit = (event: string, ...args: unknown[]) => boolean;

export type PoolState = 'closed' | 'open' | 'closing';

export class PoolCore<C extends PooledClient> implements Dispatcher, TransactionTarget {
  readonly options: ResolvedOptions;
  readonly #newClient: () => C;
  readonly #pool: PoolOptions;
  readonly #emit: Emit;
  /** The cluster or Sentinel client that the pool is a part of. */
  readonly #parent: object | undefined;
  readonly #idle: Member<C>[] = [];
  readonly #connecting = new Set<C>();
  readonly #leases = new Set<Loan<C>>();
  /** On their way from idle to a lease: they count, or the pool would grow beyond its maximum meanwhile. */
  readonly #handed = new Set<Member<C>>();
  readonly #waiters = new Set<Waiter<C>>();
  readonly #forgotten = new FinalizationRegistry<Loan<C>>((lease) => this.#reclaim(lease));
  #state: PoolState = 'closed';
  #turn = 0;
  #cleanup: NodeJS.Timeout | undefined;
  #drained: { promise: Promise<void>; resolve: () => void } | undefined;

  constructor(newClient: () => C, options: ResolvedOptions, pool: PoolOptions, emit: Emit, parent?: object) {
    this.#parent = parent;
    this.#newClient = newClient;
    this.options = options;
    this.#pool = pool;
    this.#emit = emit;
    options.policy.onRefused = (refusal) => emit('command-refused', refusal);
  }

  get state(): PoolState {
    return this.#state;
  }
  get idle(): number {
    return this.#idle.length;
  }
  get busy(): number {
    return this.#connecting.size + this.#leases.size + this.#handed.size;
  }
  get waiting(): number {
    return this.#waiters.size;
  }
  get #total(): number {
    return this.idle + this.busy;
  }
  /** All connected clients. */
  get clients(): readonly C[] {
    return [...this.#idle.map(({ client }) => client), ...[...this.#leases].map(({ member }) => member.client)];
  }

  async open(): Promise<void> {
    if (this.#state !== 'closed') return;
    this.#state = 'open';
    const { endpoint, handshake } = this.options.connection;
    if (this.#parent === undefined) enterParent(this, `${serverInfo(endpoint).server}/${handshake.database}`);
    try {
      await Promise.all(Array.from({ length: this.#pool.minimum }, () => this.#grow()));
    } catch (error) {
      if (this.#state === 'open') this.destroy();
      throw error;
    }
  }

  // ---------------------------------------------------------------- commands

  dispatch<T>(command: Command<T>, options?: DispatchOptions): Promise<T> {
    const member = this.#shared();
    if (member !== undefined) return member.client[CORE].dispatch(command, options);
    return this.#withMember((core) => core.dispatch(command, options));
  }

  withConnection<T>(commands: readonly Command[], use: (connection: Connection) => Promise<T>): Promise<T> {
    const member = this.#shared();
    return member === undefined
      ? this.#withMember((core) => core.withConnection(commands, use))
      : member.client[CORE].withConnection(commands, use);
  }

  async pipeline(commands: readonly Command[], options?: DispatchOptions): Promise<readonly Promise<unknown>[]> {
    const member = this.#shared();
    const send = async (core: ClientCore) => core.pipeline(commands, options);
    return member === undefined ? this.#withMember(send) : send(member.client[CORE]);
  }

  /** An idle client to share, in turn; undefined when all are lent. */
  #shared(): Member<C> | undefined {
    if (this.#state !== 'open' || this.#idle.length === 0) return undefined;
    this.#turn = (this.#turn + 1) % this.#idle.length;
    const member = this.#idle[this.#turn]!;
    if (member.client[CORE].connection.state === 'closed') {
      // It gave up; another one takes its place.
      this.#idle.splice(this.#turn, 1);
      return this.#shared();
    }
    if (member.client[CORE].connection.pending >= CROWDED && this.#total < this.#pool.maximum) void this.#tryGrow();
    return member;
  }

  /** Calls `use` with a connection that nobody else uses meanwhile. */
  alone<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#withMember((core) => use(core.connection));
  }

  async #withMember<T>(use: (core: ClientCore) => Promise<T>): Promise<T> {
    const member = await this.#take();
    const lease = this.#lend(member, undefined);
    try {
      return await use(member.client[CORE]);
    } finally {
      this.#endLease(lease);
      this.#accept(member);
    }
  }

  // ---------------------------------------------------------------- leases

  async execute<T>(fn: (client: C) => T | Promise<T>, options?: CommandOptions): Promise<T> {
    const client = await this.acquire(options, new Error('Taken here'));
    try {
      return await fn(client);
    } finally {
      await client.release();
    }
  }

  async acquire(options?: CommandOptions, takenAt = new Error('Taken here')): Promise<C & ClientLease> {
    const member = await this.#take();
    const lease = this.#lend(member, takenAt);
    const onRelease = async () => {
      this.#forgotten.unregister(lease);
      this.#endLease(lease);
      await this.#clean(member);
    };
    const view = leaseView(member.client, onRelease, options);
    this.#forgotten.register(view, lease, lease);
    return view;
  }

  #lend(member: Member<C>, takenAt: Error | undefined): Loan<C> {
    const { leakTimeoutMs } = this.#pool;
    const watched = takenAt !== undefined && leakTimeoutMs > 0;
    const lease: Loan<C> = {
      member,
      takenAt: takenAt ?? NOBODY,
      since: performance.now(),
      timer: watched
        ? setTimeout(() => this.#reportLeak(new LeaseLeakedError(leakTimeoutMs, takenAt)), leakTimeoutMs).unref()
        : undefined,
    };
    this.#leases.add(lease);
    member.client[CORE].isLent = true;
    this.#handed.delete(member);
    return lease;
  }

  #endLease(lease: Loan<C>): void {
    clearTimeout(lease.timer);
    lease.member.client[CORE].isLent = false;
    if (this.#leases.delete(lease)) this.#tell('released', lease.since);
  }

  /** The borrower is gone without a word: the client may be in any state, so another takes its place. */
  #reclaim(lease: Loan<C>): void {
    if (!this.#leases.has(lease)) return;
    this.#endLease(lease);
    this.#discard(lease.member);
    this.#reportLeak(new LeaseLeakedError(undefined, lease.takenAt));
    this.#move();
  }

  #reportLeak(error: LeaseLeakedError): void {
    if (!this.#emit('leak', error))
      process.emitWarning(`${error.message}. ${(error.cause as Error).stack}`, { code: error.code });
  }

  /** What a borrower may have left behind (WATCH, MULTI, SELECT, subscriptions) must not meet the next one. */
  async #clean(member: Member<C>): Promise<void> {
    const { connection } = member.client[CORE];
    const cleaned = member.client[CORE].clean().then(
      () => true,
      () => false,
    );
    if (connection.state === 'closed' || !(await cleaned)) {
      this.#discard(member);
      if (this.#total < this.#pool.minimum && this.#state === 'open') void this.#tryGrow();
    }
    this.#accept(member);
  }

  // ---------------------------------------------------------------- clients

  /** The next free client, or a place in the queue. */
  async #take(): Promise<Member<C>> {
    const asked = performance.now();
    for (;;) {
      const member = await this.#next();
      if (await this.#isHealthy(member)) {
        this.#tell('acquired', asked);
        if (poolConnectionWait.hasSubscribers) {
          const clientId = nameOf(member.client[CORE].connection);
          poolConnectionWait.publish({ clientId, waitStartTimestamp: asked });
        }
        return member;
      }
      this.#handed.delete(member);
      this.#discard(member);
    }
  }

  #next(): Member<C> | Promise<Member<C>> {
    if (this.#state !== 'open') throw new ClientClosedError();
    // The one used last: the others can grow old and go.
    const member = this.#idle.pop();
    if (member !== undefined) {
      this.#handed.add(member);
      return member;
    }
    if (this.#waiters.size >= this.#pool.maxWaiters) throw new QueueFullError(`${this.#pool.maxWaiters} waiters`);
    this.#tell('waiting');
    const turn = new Promise<Member<C>>((take, fail) => {
      const { acquireTimeout } = this.#pool;
      const waiter: Waiter<C> = {
        take,
        fail,
        timer:
          acquireTimeout === 0
            ? undefined
            : new PatientTimer(acquireTimeout, () => {
                this.#waiters.delete(waiter);
                this.#tell('timeout');
                fail(new TimeoutError(`Timeout waiting for a client after ${acquireTimeout}ms`));
              }),
      };
      this.#waiters.add(waiter);
      if (this.#total < this.#pool.maximum) {
        this.#grow().catch((error) => {
          // Another attempt under way may still serve the waiters before this one: only it fails.
          if (this.#waiters.delete(waiter)) {
            waiter.timer?.clear();
            fail(error);
          }
        });
      }
    });
    return poolChannel.hasSubscribers ? turn.finally(() => this.#tell('waited')) : turn;
  }

  #tell(event: PoolMessage['event'], since?: number): void {
    if (!poolChannel.hasSubscribers) return;
    const message: PoolMessage = {
      ...serverInfo(this.options.connection.endpoint),
      event,
      durationMs: since === undefined ? undefined : performance.now() - since,
    };
    poolChannel.publish(message);
  }

  async #isHealthy({ client, idleSince, diesAt }: Member<C>): Promise<boolean> {
    const { connection } = client[CORE];
    const now = performance.now();
    if (connection.state === 'closed' || now >= diesAt) return false;
    const { healthCheckAfterMs } = this.#pool;
    // A connection that is being made anew is checked by its handshake.
    if (connection.state !== 'ready' || healthCheckAfterMs === 0 || now - idleSince < healthCheckAfterMs) return true;
    try {
      await client.ping();
      return true;
    } catch {
      return false;
    }
  }

  async #tryGrow(): Promise<void> {
    try {
      await this.#grow();
    } catch {
      // reported by the client's 'error' event; those who wait have their own timeout
    }
  }

  async #grow(): Promise<void> {
    const client = this.#newClient();
    setParent(client[CORE].connection, this.#parent ?? this);
    client.on('error', (error) => this.#emit('error', error));
    for (const event of MEMBER_EVENTS) client.on(event, (...details: unknown[]) => this.#emit(event, ...details));
    this.#connecting.add(client);
    try {
      await client.connect();
    } catch (error) {
      if (this.#connecting.delete(client)) this.#settle(error);
      throw error;
    }
    // Destroyed meanwhile.
    if (!this.#connecting.delete(client)) throw new DisconnectsClientError();
    const bornAt = performance.now();
    const { maxLifetimeMs } = this.#pool;
    const diesAt =
      maxLifetimeMs === 0 ? Number.POSITIVE_INFINITY : bornAt + maxLifetimeMs * (0.9 + Math.random() * 0.2);
    this.#accept({ client, bornAt, diesAt, idleSince: bornAt });
  }

  /** A client is free. */
  #accept(member: Member<C>): void {
    if (this.#state === 'closed' || member.client[CORE].connection.state === 'closed') {
      this.#discard(member);
    } else {
      member.idleSince = performance.now();
      this.#idle.push(member);
    }
    this.#move();
  }

  /** Hands idle clients to those who wait, in order, and sees what else is due. */
  #move(): void {
    for (const waiter of this.#waiters) {
      const member = this.#idle.pop();
      if (member === undefined) {
        if (this.#total < this.#pool.maximum && this.#connecting.size === 0) void this.#tryGrow();
        break;
      }
      this.#waiters.delete(waiter);
      waiter.timer?.clear();
      this.#handed.add(member);
      waiter.take(member);
    }
    this.#settle();
    this.#scheduleCleanup();
  }

  /** While closing: nobody is left to serve those who wait, or all is done. */
  #settle(error?: unknown): void {
    if (this.#state !== 'closing' || this.busy > 0) return;
    if (this.#idle.length === 0) this.#failWaiters(error ?? new ClientClosedError());
    if (this.#waiters.size === 0) this.#drained?.resolve();
  }

  #discard({ client }: Member<C>): void {
    if (client[CORE].connection.state !== 'closed') client.destroy();
  }

  #scheduleCleanup(): void {
    if (this.#cleanup !== undefined || this.#state !== 'open' || this.#total <= this.#pool.minimum) return;
    this.#cleanup = setTimeout(() => {
      this.#cleanup = undefined;
      const now = performance.now();
      const surplus = this.#total - this.#pool.minimum;
      // Oldest use first; a client in the middle of shared commands is not idle.
      const leaving = this.#idle
        .filter((m) => now - m.idleSince >= this.#pool.cleanupDelay && m.client[CORE].connection.pending === 0)
        .slice(0, surplus);
      for (const member of leaving) {
        this.#idle.splice(this.#idle.indexOf(member), 1);
        this.#discard(member);
      }
      this.#scheduleCleanup();
    }, this.#pool.cleanupDelay).unref();
  }

  // ---------------------------------------------------------------- end

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.#state === 'closing') return this.#drained!.promise;
    this.#state = 'closing';
    let resolve!: () => void;
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#drained = { promise, resolve };
    // A borrower may never give its client back.
    const timer = setTimeout(() => this.destroy(), this.#pool.closeTimeoutMs);
    this.#settle();
    await promise;
    clearTimeout(timer);
    if ((this.#state as PoolState) === 'closed') return;
    clearTimeout(this.#cleanup);
    this.#cleanup = undefined;
    const members = this.#idle.splice(0);
    await Promise.all(
      members.map(({ client }) => (client[CORE].connection.state === 'closed' ? undefined : client.close())),
    );
    this.#state = 'closed';
    leaveParent(this);
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    leaveParent(this);
    clearTimeout(this.#cleanup);
    this.#cleanup = undefined;
    this.#failWaiters(new DisconnectsClientError());
    for (const member of this.#idle.splice(0)) this.#discard(member);
    for (const lease of [...this.#leases]) {
      this.#endLease(lease);
      this.#discard(lease.member);
    }
    const connecting = [...this.#connecting];
    this.#connecting.clear();
    for (const client of connecting) if (client[CORE].connection.state !== 'closed') client.destroy();
    this.#drained?.resolve();
  }

  #failWaiters(error: unknown): void {
    for (const waiter of this.#waiters) {
      waiter.timer?.clear();
      waiter.fail(error);
    }
    this.#waiters.clear();
  }
}

const NOBODY = new Error('Taken by the pool itself');
