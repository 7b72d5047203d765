import { type KeyObject, randomUUID } from 'node:crypto';
import type { Encryption } from '../encryption/encryption.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import type { PersonKeys } from '../encryption/person-keys.js';
import { GuardError } from '../errors.js';
import {
  callback,
  checked,
  client,
  either,
  fields,
  key,
  MAX_TIMER_MS,
  number,
  persons,
  prefix,
  required,
  type Schema,
  sealer,
  signingKey,
  text,
  timeout,
  whole,
} from '../options.js';
import { type GuardClient, Redis } from '../redis/redis.js';
import { type Anchor, signAnchor } from './anchor.js';
import {
  type AuditEvent,
  append,
  entryAt,
  HEAD_DAMAGED,
  type Head,
  nextAttempt,
  type RecordedEvent,
  readChain,
  readHead,
  trailKeys,
} from './chain.js';
import { entryBody } from './entry.js';
import { snapshotOf } from './event-snapshot.js';
import { Spool } from './spool.js';
import { type SpooledEvent, SpooledEvents } from './spooled-events.js';

/** Options of {@link AuditTrail}. */
export interface AuditTrailOptions {
  readonly client: GuardClient;
  /** Name of the trail; keys are `{name}:stream` and `{name}:head`. Default `audit`. */
  readonly name?: string;
  /** 32 bytes that chain the entries. An attacker that can only write to Redis cannot make a chain that verifies. */
  readonly chainKey: KeyMaterial;
  /** Seals the personal part of each entry for its subject: erasing a person leaves the chain whole. */
  readonly persons?: PersonKeys;
  /**
   * Where entries wait while Redis is away: a file of this process alone. `maxBytes`: default 64 MiB. `none` rejects
   * entries instead.
   */
  readonly spool: { readonly path: string; readonly maxBytes?: number } | 'none';
  /** Seals lines of the spool, which would otherwise hold events in clear on the disk. */
  readonly spoolEncryption?: Encryption;
  /** Ed25519 private key for anchors. */
  readonly signWith?: KeyObject;
  /** Where anchors go: outside this Redis. Required with `signWith`. */
  readonly onAnchor?: (anchor: Anchor) => Promise<void> | void;
  /** Entries between anchors; default 1000. What came after the last anchor can be cut off unseen. */
  readonly anchorEvery?: number;
  /** Milliseconds until entries are anchored, however few; default 60,000. */
  readonly anchorEveryMs?: number;
  /** Events that wait in memory at most, when they come faster than Redis or the disk takes them; default 100,000. */
  readonly maxQueue?: number;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
  /** Milliseconds between attempts to reach Redis again; default 1000. */
  readonly retryMs?: number;
  /**
   * Called when Redis, the disk or an anchor fails, with what `record` rejects with, and with REDKEEP_AUDIT_CHAIN when
   * Redis has lost entries that this process wrote: a failover, or somebody who cut the end off. By default a warning
   * of the process, once for each code.
   */
  readonly onError?: (error: unknown) => void;
}

interface Waiting {
  readonly event: RecordedEvent;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

type State = 'starting' | 'live' | 'spooling' | 'closed';

const BATCH = 200;
const SPOOL_BYTES = 64 * 1024 * 1024;

const AUDIT_TRAIL: Schema<AuditTrailOptions> = {
  client: required(client),
  name: prefix,
  chainKey: required(key),
  persons,
  spool: required(either((value) => value === 'none', fields({ path: required(text), maxBytes: whole(1) }))),
  spoolEncryption: sealer,
  signWith: signingKey,
  onAnchor: callback,
  anchorEvery: whole(1),
  anchorEveryMs: number(1, MAX_TIMER_MS),
  maxQueue: whole(1),
  timeoutMs: timeout,
  retryMs: number(1, MAX_TIMER_MS),
  onError: callback,
};

/**
 * An append-only record of who did what to whose data. Entries of all processes form one chain of keyed hashes;
 * signed anchors fix it outside Redis. `record` resolves when the entry is in Redis or safe on disk; a request need
 * not wait for it. What Redis has acknowledged can still be lost with a primary whose replicas had not got it.
 *
 * @example
 * const trail = new AuditTrail({ client, chainKey, spool: { path: '/var/lib/app/audit.spool' } });
 * void trail.record({ actor: 'ana', action: 'profile.read', subject: 'leo', from: ip });
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #redis: Redis;
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #spool: Spool | undefined;
  readonly #spooled: SpooledEvents | undefined;
  readonly #onError: (error: unknown) => void;
  #queue: Waiting[] = [];
  #head: Head | undefined;
  /** Last entry that this process knows to be in Redis. */
  #written = 0;
  #anchored = 0;
  #state: State;
  #pumping: Promise<void> | undefined;
  #drainDue = false;
  #retry: NodeJS.Timeout | undefined;
  #anchorTimer: NodeJS.Timeout | undefined;

  constructor(given: AuditTrailOptions) {
    const options = checked(given, AUDIT_TRAIL);
    if ((options.signWith === undefined) !== (options.onAnchor === undefined))
      throw new GuardError('REDKEEP_GUARD_OPTION', 'signWith and onAnchor go together');
    this.#options = options;
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#name = options.name ?? 'audit';
    this.#key = decodeKey(options.chainKey);
    this.#onError = reporter(options.onError);
    const { spool } = options;
    if (spool === 'none') {
      this.#state = 'live';
      return;
    }
    this.#spool = new Spool(spool.path, spool.maxBytes ?? SPOOL_BYTES);
    this.#spooled = new SpooledEvents(this.#spool, options.spoolEncryption, this.#name);
    // What a former process left in the spool goes first.
    this.#state = 'starting';
    this.#start();
  }

  /** `spooling` while Redis is away; for health checks. */
  get state(): State {
    return this.#state;
  }

  /**
   * Records an event as it is now; order is kept. Resolves when the entry cannot be lost any more.
   * Errors: REDKEEP_GUARD_ARGUMENT for what JSON cannot represent, REDKEEP_AUDIT_CLOSED, REDKEEP_VALUE_TOO_LARGE beyond 64 KiB,
   * REDKEEP_AUDIT_SPOOL, REDKEEP_AUDIT_SPOOL_FULL; without a spool REDKEEP_STORE_UNAVAILABLE, REDKEEP_AUDIT_REPAIR.
   */
  record(event: AuditEvent): Promise<void> {
    const recorded = this.#record(event);
    // Prevents an unhandled rejection when the caller does not await; the failure goes to onError.
    recorded.catch(this.#onError);
    return recorded;
  }

  async #record(event: AuditEvent): Promise<void> {
    if (this.#state === 'closed') throw new GuardError('REDKEEP_AUDIT_CLOSED');
    if (this.#queue.length >= (this.#options.maxQueue ?? 100_000))
      throw new GuardError('REDKEEP_AUDIT_SPOOL_FULL', 'events waiting in memory');
    const snapshot = snapshotOf({ ...event, id: randomUUID(), at: Date.now() });
    return new Promise((resolve, reject) => {
      this.#queue.push({ event: snapshot, resolve, reject });
      this.#start();
    });
  }

  /**
   * Signs where the chain ends now and hands it to `onAnchor`.
   * Errors: REDKEEP_GUARD_OPTION without `signWith`; REDKEEP_AUDIT_CHAIN when the chain has become shorter than this
   * process knows it (said once: the next anchor is of the chain as it is); REDKEEP_AUDIT_REPAIR.
   */
  async anchor(): Promise<Anchor> {
    const { onAnchor, ...signing } = this.#signing();
    const head = await readHead(this.#redis, this.#name);
    const known = this.#written;
    this.#written = head.seq;
    if (head.seq < known) throw new GuardError('REDKEEP_AUDIT_CHAIN', `ends at ${head.seq}, was at ${known}`);
    const last = await entryAt(this.#redis, this.#name, head.seq);
    if (last !== undefined && last.hash !== head.hash) throw new GuardError('REDKEEP_AUDIT_REPAIR', HEAD_DAMAGED);
    const anchor = signAnchor('head', this.#name, head, signing.signWith);
    await onAnchor(anchor);
    this.#anchored = head.seq;
    return anchor;
  }

  /**
   * Removes entries up to an anchor that is kept outside. A signed statement of it goes to `onAnchor` first: without
   * one, `verify` takes a missing beginning for what it may be, a deletion. How many entries went.
   * Errors: REDKEEP_AUDIT_RETENTION when the anchor is not of this trail or not on its chain; REDKEEP_GUARD_OPTION
   * without `signWith`.
   */
  async trim(anchor: Anchor): Promise<number> {
    const { signWith, onAnchor } = this.#signing();
    const entry = await entryAt(this.#redis, this.#name, anchor.seq);
    if (anchor.trail !== this.#name || entry?.hash !== anchor.hash) throw new GuardError('REDKEEP_AUDIT_RETENTION');
    await onAnchor(signAnchor('retention', this.#name, anchor, signWith));
    const { stream } = trailKeys(this.#name);
    return Number(await this.#redis.write(stream, 'XTRIM', 'MINID', `${anchor.seq + 1}-0`));
  }

  /** Waits until everything recorded is in Redis or on disk, signs a last anchor, then stops. */
  async close(): Promise<void> {
    while (this.#pumping !== undefined || this.#queue.length > 0) {
      this.#start();
      await this.#pumping;
    }
    clearTimeout(this.#retry);
    clearTimeout(this.#anchorTimer);
    const live = this.#state === 'live';
    this.#state = 'closed';
    await this.#spool?.close();
    if (live && this.#options.signWith !== undefined && this.#written > this.#anchored)
      await this.anchor().catch(this.#onError);
  }

  #signing(): { readonly signWith: KeyObject; readonly onAnchor: (anchor: Anchor) => Promise<void> | void } {
    const { signWith, onAnchor } = this.#options;
    if (signWith === undefined || onAnchor === undefined) throw new GuardError('REDKEEP_GUARD_OPTION', 'no signWith');
    return { signWith, onAnchor };
  }

  #start(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (this.#queue.length > 0 || this.#drainDue) this.#start();
    });
  }

  /** The only place that writes, so nothing overtakes anything. */
  async #pump(): Promise<void> {
    // Events of one turn go together.
    await Promise.resolve();
    if (this.#state === 'starting') {
      try {
        await this.#spool?.open();
      } catch (error) {
        if (this.#queue.length === 0) this.#onError(error);
        for (const { reject } of this.#queue.splice(0)) reject(error);
        return;
      }
      this.#drainDue = true;
    }
    if (this.#drainDue) await this.#drain();
    while (this.#queue.length > 0) await this.#deliver(this.#queue.splice(0, BATCH));
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    const attempt: Attempt = { sentAfter: undefined };
    try {
      if (this.#state === 'live') {
        const events = batch.map(({ event }) => event);
        await this.#append(events, attempt).catch((error) => {
          if (this.#spooled === undefined) throw error;
          this.#onError(error);
          this.#state = 'spooling';
          this.#retryLater();
        });
      }
      // What Redis did not take waits on disk, in front of whatever comes.
      if (this.#state === 'spooling')
        await this.#spooled!.add(batch.map(({ event }) => ({ event, sentAfter: attempt.sentAfter })));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#drainDue = true;
      this.#start();
    }, this.#options.retryMs ?? 1000).unref();
  }

  /** Sends the spool, oldest first; entries that Redis has already taken are left out. */
  async #drain(): Promise<void> {
    this.#drainDue = false;
    try {
      const { events, unreadable } = await this.#spooled!.read();
      if (unreadable > 0)
        this.#onError(new GuardError('REDKEEP_AUDIT_SPOOL', `${unreadable} unreadable lines were put aside`));
      if (events.length > 0) await this.#sendSpooled(events);
      this.#state = 'live';
    } catch (error) {
      this.#onError(error);
      this.#state = 'spooling';
      this.#retryLater();
    }
  }

  async #sendSpooled(events: readonly SpooledEvent[]): Promise<void> {
    const head = await readHead(this.#redis, this.#name);
    let first = head.seq;
    // From now on they have been sent: after a crash in the middle of this they are looked for from here on.
    const marked = events.map(({ event, sentAfter = head.seq }) => ({ event, sentAfter }));
    if (events.some(({ sentAfter }) => sentAfter === undefined)) await this.#spooled!.replace(marked);
    for (const { sentAfter } of marked) first = Math.min(first, sentAfter);
    const taken = new Set<string>();
    for await (const { body } of readChain(this.#redis, this.#name, first + 1)) {
      const id = idOf(body);
      if (id !== undefined) taken.add(id);
    }
    const missing = events.map(({ event }) => event).filter(({ id }) => !taken.has(id));
    for (let at = 0; at < missing.length; at += BATCH) await this.#append(missing.slice(at, at + BATCH), {});
    await this.#spooled!.replace([]);
  }

  async #append(events: readonly RecordedEvent[], attempt: Attempt): Promise<void> {
    const bodies = await Promise.all(events.map((event) => entryBody(event, this.#options.persons, this.#name)));
    for (let lost = 0; ; ) {
      this.#head ??= await readHead(this.#redis, this.#name);
      const before = this.#head.seq;
      attempt.sentAfter = before;
      let result: Awaited<ReturnType<typeof append>>;
      try {
        result = await append(this.#redis, this.#name, this.#key, this.#head, bodies);
      } catch (error) {
        this.#head = undefined;
        throw error;
      }
      this.#head = result.head;
      if (result.head.seq < this.#written)
        this.#onError(new GuardError('REDKEEP_AUDIT_CHAIN', `ends at ${result.head.seq}, was at ${this.#written}`));
      if (result.appended || result.head.seq < this.#written) this.#written = result.head.seq;
      if (!result.appended) {
        await nextAttempt(++lost);
        continue;
      }
      this.#anchorPast(before, result.head.seq);
      return;
    }
  }

  #anchorPast(before: number, now: number): void {
    const { signWith, anchorEvery = 1000, anchorEveryMs = 60_000 } = this.#options;
    if (signWith === undefined) return;
    if (Math.floor(before / anchorEvery) !== Math.floor(now / anchorEvery)) {
      this.anchor().catch(this.#onError);
      return;
    }
    this.#anchorTimer ??= setTimeout(() => {
      this.#anchorTimer = undefined;
      if (this.#written > this.#anchored) this.anchor().catch(this.#onError);
    }, anchorEveryMs).unref();
  }
}

/** Where the chain ended when events were sent, while it is unknown whether Redis took them. */
interface Attempt {
  sentAfter?: number | undefined;
}

/** Hands failures to the application, whose own failures must not stop the trail. */
function reporter(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  const warned = new Set<unknown>();
  return (error) => {
    try {
      if (onError !== undefined) return onError(error);
      const { code, message } = error as GuardError;
      if (!warned.has(code)) process.emitWarning(message, { code: String(code) });
      warned.add(code);
    } catch (cause) {
      process.emitWarning(`onError of the audit trail failed: ${cause}`);
    }
  };
}

/** Id in an entry's body; undefined in one that was tampered with, which `verify` reports. */
function idOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { id?: string } | null)?.id;
  } catch {
    return undefined;
  }
}
