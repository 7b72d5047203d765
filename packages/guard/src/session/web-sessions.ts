import type { IncomingMessage } from 'node:http';
import { sha256 } from '../digest.js';
import { GuardError, hasCode } from '../errors.js';
import { callback, checked, flag, oneOf, type Schema, whole } from '../options.js';
import { mergedFields } from './merged-fields.js';
import { foreignAddressOf, type SessionAddress } from './session-id.js';
import {
  type LoadedRecord,
  SESSION_STORE,
  type SessionRecord,
  SessionStore,
  type SessionStoreOptions,
} from './session-store.js';

/** What express-session and @fastify/session keep: any fields, and a cookie whose expiry may shorten the session. */
export interface WebSession {
  cookie?: { expires?: Date | string | null | undefined } | undefined;
}

/** Options of `expressSessionStore`. */
export interface ExpressStoreOptions extends SessionStoreOptions {
  /** Reads the user out of a session, for "log out everywhere"; for example `(s) => s.userId`. */
  readonly userOf?: (session: Record<string, unknown>) => string | undefined;
  /** Most sessions of a user; needs `userOf`. The oldest ends. Default: no limit. */
  readonly maxPerUser?: number;
  /**
   * When two requests change one session: `merge` (default) applies what this request changed, field by field, to
   * the newest state; `reject` fails with REDKEEP_SESSION_CONFLICT.
   */
  readonly onConflict?: 'merge' | 'reject';
  /**
   * What a client looks like, for example `requestFingerprint` of this package. A session that comes back looking otherwise
   * is not given to the request, which gets a new one. With express-session only: @fastify/session does not say which
   * request it asks for.
   */
  readonly fingerprintOf?: (request: IncomingMessage) => string;
  /** `reject` (default): the owner's session goes on. `destroy`: it ends for both. */
  readonly onFingerprintMismatch?: 'reject' | 'destroy';
  /** Accept ids below 128 bits. */
  readonly dangerouslyAcceptShortIds?: boolean;
}

const WEB_SESSIONS: Schema<ExpressStoreOptions> = {
  ...SESSION_STORE,
  userOf: callback,
  maxPerUser: whole(0, 100_000),
  onConflict: oneOf('merge', 'reject'),
  fingerprintOf: callback,
  onFingerprintMismatch: oneOf('reject', 'destroy'),
  dangerouslyAcceptShortIds: flag,
};

type Fields = Record<string, unknown>;
/** What a later save has to prove. */
export type Proven = Pick<LoadedRecord, 'version' | 'record'>;

/**
 * What a save has to prove, carried by sessions of frameworks that copy what `get` gave field by field into an object
 * of their own. It is no data: JSON leaves it out.
 */
class Carried {
  readonly proven: Proven;
  constructor(proven: Proven) {
    this.proven = proven;
  }
  toJSON(): undefined {
    return undefined;
  }
}
const CARRIED = 'redkeep:loaded';
/** Times a change is merged into a newer state. */
const ATTEMPTS = 5;

/** Sessions of a web framework that makes ids and session objects itself; knows nothing of callbacks. */
export class WebSessions {
  readonly #options: ExpressStoreOptions;
  readonly #records: SessionStore;
  readonly #proven = new WeakMap<object, Proven>();
  readonly #copiesFields: boolean;

  /** `copiesFields`: the framework makes its session object from the fields of what `get` gives. */
  constructor(given: ExpressStoreOptions, copiesFields: boolean) {
    const options = checked(given, WEB_SESSIONS);
    if (options.maxPerUser !== undefined && options.userOf === undefined)
      throw new GuardError('REDKEEP_GUARD_OPTION', 'maxPerUser needs userOf');
    if (options.fingerprintOf !== undefined && copiesFields)
      throw new GuardError(
        'REDKEEP_GUARD_OPTION',
        'fingerprintOf: @fastify/session does not say which request it asks for',
      );
    this.#options = options;
    this.#records = new SessionStore(options);
    this.#copiesFields = copiesFields;
  }

  async get(sid: string): Promise<WebSession | null> {
    const loaded = await this.#records.load(this.#addressOf(sid));
    if (loaded === undefined) return null;
    const session = structuredClone(loaded.record.data) as WebSession;
    this.hold(session, loaded);
    if (this.#copiesFields) (session as Fields)[CARRIED] = new Carried(loaded);
    return session;
  }

  async set(sid: string, session: WebSession): Promise<void> {
    const address = this.#addressOf(sid);
    const idleMs = lifetimeOf(session, this.#records.idleMs);
    if (idleMs <= 0) return this.destroy(sid);
    const data = JSON.parse(JSON.stringify(session)) as Fields;
    const base = this.held(session);
    const fingerprint = base?.record.fingerprint ?? this.#seen((session as { req?: IncomingMessage }).req);
    try {
      const saved = await this.#store(address, data, base, { fingerprint, idleMs });
      if (saved !== undefined) this.hold(session, saved);
    } catch (error) {
      if (!hasCode(error, 'REDKEEP_SESSION_GONE')) throw error;
      // Logged out meanwhile: the request may end normally, its session stays ended.
      this.#records.refused(error.code, address.family);
    }
  }

  async touch(sid: string, session: WebSession): Promise<void> {
    await this.#records.touch(this.#addressOf(sid), lifetimeOf(session, this.#records.idleMs));
  }

  async destroy(sid: string): Promise<void> {
    await this.#records.destroy(this.#addressOf(sid).family);
  }

  async all(): Promise<WebSession[]> {
    const found: WebSession[] = [];
    for await (const { data } of this.#records.records()) found.push(data as WebSession);
    return found;
  }

  async length(): Promise<number> {
    let count = 0;
    for await (const _ of this.#records.families()) count++;
    return count;
  }

  async clear(): Promise<void> {
    for await (const family of this.#records.families()) await this.#records.destroy(family);
  }

  destroyAll(user: string): Promise<number> {
    return this.#records.destroyAllOf(user, undefined);
  }

  hold(session: object, proven: Proven): void {
    this.#proven.set(session, proven);
  }

  held(session: object): Proven | undefined {
    const carried = (session as Fields)[CARRIED];
    return this.#proven.get(session) ?? (carried instanceof Carried ? carried.proven : undefined);
  }

  /** Whether a request looks other than the one that the session was made for; reported, and ended where asked for. */
  isStolen(request: IncomingMessage, sid: string, session: object): boolean {
    const expected = this.held(session)?.record.fingerprint;
    if (expected === undefined || this.#options.fingerprintOf === undefined || this.#seen(request) === expected)
      return false;
    const { family } = this.#addressOf(sid);
    this.#records.refused('fingerprint', family);
    if (this.#options.onFingerprintMismatch === 'destroy')
      this.#records.destroy(family).catch((error) => this.#records.refused(error.code, family));
    return true;
  }

  /** Stores the data, merged into what other requests have stored. Undefined when the session has ended meanwhile. */
  async #store(
    address: SessionAddress,
    given: Fields,
    loaded: Proven | undefined,
    { fingerprint, idleMs }: { readonly fingerprint: string | undefined; readonly idleMs: number },
  ): Promise<Proven | undefined> {
    const { maxPerUser = 0, onConflict, userOf } = this.#options;
    const options = { idleMs, limit: { most: maxPerUser, evict: true } };
    let base = loaded;
    let data = given;
    for (let attempt = 1; ; attempt++) {
      const now = Date.now();
      const createdAt = base?.record.createdAt ?? now;
      const record: SessionRecord = { user: userOf?.(data), data, createdAt, seenAt: now, fingerprint };
      try {
        const version =
          base === undefined
            ? await this.#records.create(address, record, { ...options, replace: true })
            : await this.#records.save(address, base, record, options);
        return { version, record };
      } catch (error) {
        const mergeable = hasCode(error, 'REDKEEP_SESSION_CONFLICT') && onConflict !== 'reject';
        if (!mergeable || base === undefined || attempt === ATTEMPTS) throw error;
        const newest = await this.#records.load(address);
        if (newest === undefined) return undefined;
        data = mergedFields(base.record.data as Fields, data, newest.record.data as Fields);
        base = newest;
      }
    }
  }

  #seen(request: IncomingMessage | undefined): string | undefined {
    const { fingerprintOf } = this.#options;
    return fingerprintOf === undefined || request === undefined ? undefined : sha256(fingerprintOf(request));
  }

  #addressOf(sid: string): SessionAddress {
    return foreignAddressOf(sid, this.#options.dangerouslyAcceptShortIds);
  }
}

function lifetimeOf(session: WebSession, idleMs: number): number {
  const expires = session.cookie?.expires;
  return expires ? Math.min(idleMs, new Date(expires).getTime() - Date.now()) : idleMs;
}
