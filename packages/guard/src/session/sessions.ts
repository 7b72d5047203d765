import { sha256 } from '../digest.js';
import { GuardError, hasCode } from '../errors.js';
import { type StandardSchema, validate } from '../keyspace/standard-schema.js';
import {
  anyText,
  anything,
  checked,
  either,
  number,
  oneOf,
  type Schema,
  schemaLibrary,
  text,
  whole,
} from '../options.js';
import { addressOf, isFamily, newSessionId } from './session-id.js';
import {
  type LoadedRecord,
  SESSION_STORE,
  type SessionRecord,
  SessionStore,
  type SessionStoreOptions,
  type UserLimit,
} from './session-store.js';

/** What happens when a session comes with another fingerprint than it was made with. */
export type FingerprintPolicy = 'reject' | 'destroy' | 'flag';

/** Options of {@link Sessions}. */
export interface SessionsOptions<Data> extends SessionStoreOptions {
  /** Checks the data before it is stored. */
  readonly schema?: StandardSchema<Data>;
  /**
   * `reject` (default): no session for this request, the owner's goes on. `destroy`: the session ends for both.
   * `flag`: the session is returned with `suspect` set.
   */
  readonly onFingerprintMismatch?: FingerprintPolicy;
  /** Most sessions a user may have at a time; default 0, no limit. */
  readonly maxPerUser?: number;
  /** At the limit: end the oldest (default), or refuse the new one with REDKEEP_SESSION_LIMIT. */
  readonly onLimit?: 'evict-oldest' | 'refuse';
  /**
   * Milliseconds during which the id before a rotation still reads the session as it was before (default 10,000,
   * 0 to 60,000): for requests sent in parallel. It gains no privilege from the rotation and cannot write. There is
   * none when the user changes.
   */
  readonly graceMs?: number;
}

/** A live session. `data` may be changed and then saved; everything else is read-only. */
export interface Session<Data> {
  /** What the cookie carries: 54 characters, 192 secret bits. */
  readonly id: string;
  readonly user: string | undefined;
  data: Data;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly seenAt: number;
  /** The fingerprint differs and the policy is `flag`. */
  readonly suspect: boolean;
  /** Reached through the id before a rotation. */
  readonly readOnly: boolean;
}

/** A session in the list that its user sees. */
export interface SessionSummary {
  /** Names the session for `end`; it opens nothing. Changes never. */
  readonly handle: string;
  /** As given to `create` or `rotate`. */
  readonly device: string | undefined;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly seenAt: number;
  /** It is the session of the id given as `current`. */
  readonly current: boolean;
}

/** Longest `device` kept, in characters. */
const MAX_DEVICE = 200;

/** Times `update` applies its change again after another request was faster. */
const UPDATE_ATTEMPTS = 8;

const GRACE = number(0, 60_000);
const SESSIONS: Schema<SessionsOptions<never>> = {
  ...SESSION_STORE,
  schema: schemaLibrary,
  onFingerprintMismatch: oneOf('reject', 'destroy', 'flag'),
  maxPerUser: whole(0, 100_000),
  onLimit: oneOf('evict-oldest', 'refuse'),
  graceMs: GRACE,
};
const PRESENTED = { fingerprint: anyText };
const START = { data: anything, user: text, fingerprint: anyText, device: anyText };
const CHANGES = {
  ...START,
  user: either((value) => value === null, text),
  graceMs: GRACE,
};

interface Held {
  readonly version: number;
  readonly record: SessionRecord;
}

/**
 * Sessions without a framework: random ids of which Redis sees only a hash, sealed records, idle and absolute
 * timeouts that hold even if somebody changes the expiry in Redis, rotation, and "log out everywhere".
 *
 * @example
 * const sessions = new Sessions({ client, encryption });
 * const anonymous = await sessions.create({ data: { basket: [] } });
 * const loggedIn = await sessions.rotate(anonymous, { user: 'ana' }); // a new id: fixation gains nothing
 * await sessions.destroyAll('ana', { except: loggedIn.id });
 */
export class Sessions<Data = Record<string, unknown>> {
  readonly #store: SessionStore;
  readonly #schema: StandardSchema<Data> | undefined;
  readonly #policy: FingerprintPolicy;
  readonly #limit: UserLimit;
  readonly #graceMs: number;
  readonly #held = new WeakMap<Session<Data>, Held>();

  constructor(given: SessionsOptions<Data>) {
    const options = checked(given, SESSIONS);
    this.#store = new SessionStore(options);
    this.#schema = options.schema;
    this.#policy = options.onFingerprintMismatch ?? 'reject';
    this.#limit = { most: options.maxPerUser ?? 0, evict: options.onLimit !== 'refuse' };
    this.#graceMs = Math.floor(options.graceMs ?? 10_000);
  }

  /** Milliseconds a cookie should live: the absolute lifetime. */
  get maxAgeMs(): number {
    return this.#store.absoluteMs;
  }

  /** Starts a session. Errors: REDKEEP_KEYSPACE_VALUE, REDKEEP_VALUE_TOO_LARGE, REDKEEP_SESSION_LIMIT, REDKEEP_STORE_UNAVAILABLE. */
  async create(start: {
    data: Data;
    user?: string;
    fingerprint?: string;
    /** What the session is to its user in `list`: "Firefox on Linux". */
    device?: string;
  }): Promise<Session<Data>> {
    checked(start, START, 'REDKEEP_GUARD_ARGUMENT');
    const id = newSessionId();
    const address = addressOf(id)!;
    const now = Date.now();
    const record: SessionRecord = {
      data: await validate(this.#schema, start.data),
      createdAt: now,
      seenAt: now,
      user: start.user,
      fingerprint: start.fingerprint === undefined ? undefined : sha256(start.fingerprint),
      device: start.device?.slice(0, MAX_DEVICE),
    };
    const version = await this.#store.create(address, record, { limit: this.#limit });
    return this.#session(id, { record, version, readOnly: false }, false);
  }

  /**
   * The session of an id, or undefined: unknown, ended, tampered with, of another application, or with another
   * fingerprint. Never somebody else's. Errors, which do not mean "not logged in": REDKEEP_STORE_UNAVAILABLE, _DENIED,
   * _REFUSED; REDKEEP_ENCRYPTION_KEY_UNKNOWN, _VERSION and _PROVIDER, when this process lacks the key or the program
   * that the session was sealed with.
   */
  async load(id: string, presented: { fingerprint?: string } = {}): Promise<Session<Data> | undefined> {
    checked(presented, PRESENTED, 'REDKEEP_GUARD_ARGUMENT');
    const address = addressOf(id);
    if (address === undefined) return undefined;
    const loaded = await this.#store.load(address);
    if (loaded === undefined) return undefined;
    const { fingerprint } = loaded.record;
    const differs =
      fingerprint !== undefined &&
      (presented.fingerprint === undefined || sha256(presented.fingerprint) !== fingerprint);
    if (differs) {
      this.#store.refused('fingerprint', address.family);
      if (this.#policy === 'destroy') await this.destroy(id);
      if (this.#policy !== 'flag') return undefined;
    }
    return this.#session(id, loaded, differs);
  }

  /** Stores `session.data`. Errors: REDKEEP_SESSION_GONE, REDKEEP_SESSION_CONFLICT, and those of `create`. */
  async save(session: Session<Data>): Promise<void> {
    const held = this.#writable(session);
    const next = { ...held.record, data: await validate(this.#schema, session.data), seenAt: Date.now() };
    const saved = await this.#store.save(addressOf(session.id)!, held, next);
    this.#held.set(session, { record: next, version: saved });
  }

  /**
   * Changes a session that other requests may be changing too: loads it, applies `change`, saves, and does it again
   * when another request was faster. Undefined when there is no such session.
   */
  async update(
    id: string,
    change: (data: Data) => Data | undefined | Promise<Data | undefined>,
    presented: { fingerprint?: string } = {},
  ): Promise<Session<Data> | undefined> {
    for (let attempt = 1; ; attempt++) {
      const session = await this.load(id, presented);
      if (session === undefined) return undefined;
      session.data = (await change(session.data)) ?? session.data;
      try {
        await this.save(session);
        return session;
      } catch (error) {
        if (!hasCode(error, 'REDKEEP_SESSION_CONFLICT') || attempt === UPDATE_ATTEMPTS) throw error;
      }
    }
  }

  /** Notes activity without rewriting the record. False when the session is gone. Errors: REDKEEP_SESSION_ID, REDKEEP_STORE_…. */
  async touch(session: Session<Data>): Promise<boolean> {
    if (!this.#held.has(session)) throw new GuardError('REDKEEP_SESSION_ID', 'not a session of this object');
    return session.readOnly || this.#store.touch(addressOf(session.id)!);
  }

  /**
   * Replaces the id, and with it perhaps the user and the data; to be called whenever privileges change. The id
   * before keeps reading the old state for `graceMs`, unless a user logs out of it or another takes it over. Call it
   * also when a right is taken away: an attacker that can write to Redis could put back an older record of the same id.
   * Errors: those of `save` and `create`.
   */
  async rotate(
    session: Session<Data>,
    changes: { user?: string | null; data?: Data; fingerprint?: string; device?: string; graceMs?: number } = {},
  ): Promise<Session<Data>> {
    checked(changes, CHANGES, 'REDKEEP_GUARD_ARGUMENT');
    const held = this.#writable(session);
    const { record } = held;
    const graceMs = Math.floor(changes.graceMs ?? this.#graceMs);
    const from = addressOf(session.id)!;
    const id = newSessionId(from.family);
    const user = changes.user === undefined ? record.user : (changes.user ?? undefined);
    const next: SessionRecord = {
      ...record,
      user,
      data: await validate(this.#schema, changes.data ?? session.data),
      seenAt: Date.now(),
      fingerprint: changes.fingerprint === undefined ? record.fingerprint : sha256(changes.fingerprint),
      device: changes.device === undefined ? record.device : changes.device.slice(0, MAX_DEVICE),
    };
    const rotated = await this.#store.rotate(from, held, addressOf(id)!, next, graceMs, this.#limit);
    return this.#session(id, { record: next, version: rotated, readOnly: false }, false);
  }

  /** Ends a session. A request that is still running cannot write it back. False when there was none. */
  async destroy(id: string): Promise<boolean> {
    const address = addressOf(id);
    return address !== undefined && this.#store.destroy(address.family, address.proof);
  }

  /** Ends all sessions of a user, also those being created or rotated now. Returns how many there were. */
  async destroyAll(user: string, options: { except?: string } = {}): Promise<number> {
    checked(options, { except: anyText }, 'REDKEEP_GUARD_ARGUMENT');
    return this.#store.destroyAllOf(user, options.except === undefined ? undefined : addressOf(options.except)?.family);
  }

  /** How many live sessions a user has. */
  async count(user: string): Promise<number> {
    return (await this.#store.familiesOf(user)).length;
  }

  /**
   * The live sessions of a user, oldest first, for a page "where you are logged in".
   * Errors: those of `load`.
   */
  async list(user: string, options: { current?: string } = {}): Promise<SessionSummary[]> {
    checked(options, { current: anyText }, 'REDKEEP_GUARD_ARGUMENT');
    const current = options.current === undefined ? undefined : addressOf(options.current)?.family;
    return (await this.#store.recordsOf(user)).map(({ family, record: { device, createdAt, seenAt } }) => ({
      handle: family,
      device,
      createdAt,
      seenAt,
      current: family === current,
    }));
  }

  /** Ends one session of a user by its handle. False when it is not there or is another user's. */
  async end(user: string, handle: string): Promise<boolean> {
    return isFamily(handle) && this.#store.destroyOf(user, handle);
  }

  #writable(session: Session<Data>): Held {
    const held = this.#held.get(session);
    if (held === undefined) throw new GuardError('REDKEEP_SESSION_ID', 'not a session of this object');
    if (session.readOnly) throw new GuardError('REDKEEP_SESSION_GONE', 'rotated');
    return held;
  }

  #session(id: string, { record, version, readOnly }: LoadedRecord, suspect: boolean): Session<Data> {
    const { user, createdAt, seenAt } = record;
    const session: Session<Data> = { id, user, data: record.data as Data, createdAt, seenAt, suspect, readOnly };
    this.#held.set(session, { record, version });
    return session;
  }
}
