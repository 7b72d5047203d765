import { type KeyObject, randomUUID } from 'node:crypto';
import type { Encryption } from '../encryption/encryption.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import type { PersonKeys } from '../encryption/person-keys.js';
import { GuardError } from '../errors.js';
import { type GuardClient, Redis } from '../redis/redis.js';
import { type Anchor, signAnchor } from './anchor.js';
import { type AuditEvent, append, type Head, type RecordedEvent, readHead, readNewest, trailKeys } from './chain.js';
import { entryBody } from './entry.js';
import { Spool } from './spool.js';

/** Options of {@link AuditTrail}. */
export interface AuditTrailOptions {
  readonly client: GuardClient;
  /** Name of the trail; keys are `{name}:stream` and `{name}:head`. Default `audit`. */
  readonly name?: string;
  /** 32 bytes that chain the entries. Whoever can only write to Redis cannot make a chain that verifies. */
  readonly chainKey: KeyMaterial;
  /** Seals the personal part of each entry for its subject: erasing a person leaves the chain whole. */
  readonly persons?: PersonKeys;
  /** Where entries wait while Redis is away; `none` rejects them instead. */
  readonly spool: { readonly path: string; readonly maxBytes?: number } | 'none';
  /** Seals lines of the spool, which would otherwise hold events in clear on the disk. */
  readonly spoolEncryption?: Encryption;
  /** Ed25519 private key for anchors. */
  readonly signWith?: KeyObject;
  /** Where anchors go: outside this Redis. Required with `signWith`. */
  readonly onAnchor?: (anchor: Anchor) => Promise<void> | void;
  /** Entries between anchors; default 1000. What came after the last anchor can be cut off unseen. */
  readonly anchorEvery?: number;
  /** Milliseconds to wait for Redis; default 2000. */
  readonly timeoutMs?: number;
  /** Milliseconds between attempts to reach Redis again; default 1000. */
  readonly retryMs?: number;
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
/** Newest entries compared with the spool, so that one whose answer was lost is not recorded twice. */
const RECENT = 2 * BATCH;

/**
 * An append-only record of who did what to whose data. Entries of all processes form one chain of keyed hashes;
 * signed anchors fix it outside Redis. `record` resolves when the entry is in Redis or safe on disk; a request need
 * not wait for it.
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
  readonly #onError: (error: unknown) => void;
  #queue: Waiting[] = [];
  #head: Head | undefined;
  #state: State;
  #pumping: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: AuditTrailOptions) {
    if ((options.signWith === undefined) !== (options.onAnchor === undefined))
      throw new GuardError('REDKEEP_GUARD_OPTION', 'signWith and onAnchor go together');
    this.#options = options;
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#name = options.name ?? 'audit';
    this.#key = decodeKey(options.chainKey);
    if (this.#key.length !== 32) throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'the chain key needs 32 bytes');
    const { spool } = options;
    this.#spool = spool === 'none' ? undefined : new Spool(spool.path, spool.maxBytes ?? SPOOL_BYTES);
    this.#onError = options.onError ?? (() => undefined);
    // What a former process left in the spool goes first.
    this.#state = this.#spool === undefined ? 'live' : 'starting';
  }

  /** `spooling` while Redis is away; for health checks. */
  get state(): State {
    return this.#state;
  }

  /**
   * Records an event; order is kept. Resolves when the entry cannot be lost any more.
   * Errors: REDKEEP_AUDIT_SPOOL_FULL; without a spool REDKEEP_STORE_UNAVAILABLE.
   */
  record(event: AuditEvent): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(new GuardError('REDKEEP_GUARD_OPTION', 'the trail is closed'));
    const recorded: RecordedEvent = { ...event, id: randomUUID(), at: Date.now() };
    return new Promise((resolve, reject) => {
      this.#queue.push({ event: recorded, resolve, reject });
      this.#start();
    });
  }

  /** Signs where the chain ends now and hands it to `onAnchor`. Errors: REDKEEP_GUARD_OPTION without `signWith`. */
  async anchor(): Promise<Anchor> {
    const { signWith, onAnchor } = this.#options;
    if (signWith === undefined || onAnchor === undefined) throw new GuardError('REDKEEP_GUARD_OPTION', 'no signWith');
    const anchor = signAnchor(this.#name, await readHead(this.#redis, this.#name), signWith);
    await onAnchor(anchor);
    return anchor;
  }

  /**
   * Removes entries up to an anchor that is kept outside; the rest verifies from that anchor on. How many went.
   * Errors: REDKEEP_AUDIT_RETENTION when the anchor is not of this trail or not on its chain.
   */
  async trim(anchor: Anchor): Promise<number> {
    const { stream } = trailKeys(this.#name);
    const row = await this.#redis.read(stream, 'XRANGE', `${anchor.seq}-0`, `${anchor.seq}-0`);
    if (anchor.trail !== this.#name || !JSON.stringify(row, asText).includes(`"${anchor.hash}"`))
      throw new GuardError('REDKEEP_AUDIT_RETENTION');
    return Number(await this.#redis.write(stream, 'XTRIM', 'MINID', `${anchor.seq + 1}-0`));
  }

  /** Waits until everything recorded is in Redis or on disk, then stops. */
  async close(): Promise<void> {
    while (this.#pumping !== undefined || this.#queue.length > 0) {
      this.#start();
      await this.#pumping;
    }
    clearTimeout(this.#retry);
    this.#state = 'closed';
  }

  #start(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
      if (this.#queue.length > 0) this.#start();
    });
  }

  async #pump(): Promise<void> {
    // Events of one turn go together.
    await Promise.resolve();
    if (this.#state === 'starting') await this.#drain();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH);
      try {
        if (this.#state === 'live') await this.#append(batch.map(({ event }) => event));
        else await this.#toSpool(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        await this.#failed(batch, error);
      }
    }
  }

  /** Redis did not take a batch: it waits on disk, in front of whatever comes. */
  async #failed(batch: readonly Waiting[], error: unknown): Promise<void> {
    this.#onError(error);
    try {
      if (this.#spool === undefined || this.#state !== 'live') throw error;
      this.#state = 'spooling';
      await this.#toSpool(batch);
      for (const { resolve } of batch) resolve();
    } catch (reason) {
      for (const { reject } of batch) reject(reason);
    }
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#spool === undefined || this.#state === 'closed') return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      // Runs where appending runs, so nothing overtakes the spool.
      const before = this.#pumping ?? Promise.resolve();
      this.#pumping = before
        .then(() => this.#drain())
        .finally(() => {
          this.#pumping = undefined;
          if (this.#queue.length > 0) this.#start();
        });
    }, this.#options.retryMs ?? 1000).unref();
  }

  async #toSpool(batch: readonly Waiting[]): Promise<void> {
    const { spoolEncryption } = this.#options;
    const lines: string[] = [];
    for (const { event } of batch) {
      const json = JSON.stringify(event);
      const sealed = await spoolEncryption?.seal(json, { space: 'audit-spool', key: this.#name });
      lines.push(sealed?.toString('base64') ?? json);
    }
    await this.#spool!.write(lines);
  }

  /** Sends the spool, oldest first. */
  async #drain(): Promise<void> {
    try {
      const lines = await this.#spool!.read();
      if (lines.length > 0) {
        const newest = await readNewest(this.#redis, this.#name, RECENT);
        const known = new Set(newest.map(({ body }) => idOf(body)));
        for (let at = 0; at < lines.length; at += BATCH) {
          const events = await Promise.all(lines.slice(at, at + BATCH).map((line) => this.#fromSpool(line)));
          const missing = events.filter(({ id }) => !known.has(id));
          if (missing.length > 0) await this.#append(missing);
          await this.#spool!.keep(lines.slice(at + BATCH));
        }
      }
      this.#state = 'live';
    } catch (error) {
      this.#onError(error);
      this.#state = 'spooling';
      this.#retryLater();
    }
  }

  async #fromSpool(line: string): Promise<RecordedEvent> {
    const { spoolEncryption } = this.#options;
    if (spoolEncryption === undefined) return JSON.parse(line) as RecordedEvent;
    const opened = await spoolEncryption.open(Buffer.from(line, 'base64'), { space: 'audit-spool', key: this.#name });
    return JSON.parse(opened.toString()) as RecordedEvent;
  }

  async #append(events: readonly RecordedEvent[]): Promise<void> {
    const bodies = await Promise.all(events.map((event) => entryBody(event, this.#options.persons, this.#name)));
    for (;;) {
      this.#head ??= await readHead(this.#redis, this.#name);
      const before = this.#head.seq;
      let result: Awaited<ReturnType<typeof append>>;
      try {
        result = await append(this.#redis, this.#name, this.#key, this.#head, bodies);
      } catch (error) {
        this.#head = undefined;
        throw error;
      }
      this.#head = result.head;
      if (!result.appended) continue;
      this.#anchorPast(before, result.head.seq);
      return;
    }
  }

  #anchorPast(before: number, now: number): void {
    const every = this.#options.anchorEvery ?? 1000;
    if (this.#options.signWith === undefined || Math.floor(before / every) === Math.floor(now / every)) return;
    this.anchor().catch(this.#onError);
  }
}

function asText(_key: string, value: unknown): unknown {
  const { type, data } = (value ?? {}) as { type?: string; data?: number[] };
  return type === 'Buffer' && data !== undefined ? Buffer.from(data).toString() : value;
}

/** Id in an entry's body; undefined in one that was tampered with, which `verify` reports. */
function idOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { id?: string } | null)?.id;
  } catch {
    return undefined;
  }
}
