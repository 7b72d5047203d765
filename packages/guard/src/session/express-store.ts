import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { sha256 } from '../digest.js';
import { GuardError } from '../errors.js';
import { foreignAddressOf } from './session-id.js';
import { type SessionRecord, SessionStore, type SessionStoreOptions } from './session-store.js';

/** What express-session and @fastify/session keep: any fields, and a cookie whose expiry may shorten the session. */
export interface WebSession {
  cookie?: { expires?: Date | string | null | undefined } | undefined;
}

type Callback<T = void> = (error?: unknown, value?: T) => void;

/**
 * What a save has to prove, carried by sessions of frameworks that copy what `get` gave field by field into an object
 * of their own. It is no data: JSON leaves it out.
 */
class Carried {
  readonly held: Held;
  constructor(held: Held) {
    this.held = held;
  }
  toJSON(): undefined {
    return undefined;
  }
}
const CARRIED = 'redkeep:loaded';

/** Options of {@link expressSessionStore}. */
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
   * What a client looks like, for example `fingerprintOf` of this package. A session that comes back looking otherwise
   * is not given to the request, which gets a new one. With express-session only: @fastify/session does not say which
   * request it asks for.
   */
  readonly fingerprintOf?: (request: IncomingMessage) => string;
  /** `reject` (default): the owner's session goes on. `destroy`: it ends for both. */
  readonly onFingerprintMismatch?: 'reject' | 'destroy';
  /** Accept ids below 128 bits. */
  readonly dangerouslyAcceptShortIds?: boolean;
}

/**
 * The methods a store adds to the framework's base class. Each calls back, and gives a promise when it gets no
 * callback. Errors: REDKEEP_STORE_UNAVAILABLE, REDKEEP_SESSION_ID, REDKEEP_VALUE_TOO_LARGE, and with
 * `onConflict: 'reject'` REDKEEP_SESSION_CONFLICT.
 */
export interface WebSessionStore {
  /** The session of an id; null when there is none that this id may see. */
  get(sid: string): Promise<WebSession | null>;
  get(sid: string, callback: Callback<WebSession | null>): void;
  set(sid: string, session: WebSession): Promise<void>;
  set(sid: string, session: WebSession, callback: Callback | undefined): void;
  touch(sid: string, session: WebSession): Promise<void>;
  touch(sid: string, session: WebSession, callback: Callback | undefined): void;
  destroy(sid: string): Promise<void>;
  destroy(sid: string, callback: Callback | undefined): void;
  /** All sessions, opened, without their ids: those are not stored. Walks the whole key space (SCAN). */
  all(): Promise<WebSession[]>;
  all(callback: Callback<WebSession[]>): void;
  /** How many sessions there are; walks the whole key space. */
  length(): Promise<number>;
  length(callback: Callback<number>): void;
  /** Ends every session; a request that is still running brings none back. */
  clear(): Promise<void>;
  clear(callback: Callback | undefined): void;
  /** Ends all sessions of a user, those of requests that are running included. How many there were. */
  destroyAll(user: string): Promise<number>;
}

interface Held {
  readonly version: number;
  readonly record: SessionRecord;
}

type Fields = Record<string, unknown>;
const ATTEMPTS = 5;

// biome-ignore lint/suspicious/noExplicitAny: TypeScript asks this of the base of a mixin
type StoreBase = abstract new (...args: any[]) => object;

/**
 * A store for express-session: pass its `Store` class, so that this package does not depend on it. A request that ends after logout does not log its user in again, parallel requests do not undo each
 * other's changes, and no session outlives 24 hours, whatever `maxAge` says.
 *
 * @example
 * const Store = expressSessionStore(session.Store, { client, encryption });
 * app.use(session({ store: new Store(), secret, resave: false, saveUninitialized: false, ...cookie.forExpress() }));
 */
export function expressSessionStore<Base extends StoreBase>(
  base: Base,
  options: ExpressStoreOptions,
): new () => InstanceType<Base> & WebSessionStore {
  const records = new SessionStore(options);
  const addressOf = (sid: string) => foreignAddressOf(sid, options.dangerouslyAcceptShortIds);
  const held = new WeakMap<object, Held>();
  // @fastify/session makes its session without asking the store.
  const copiesFields = !('createSession' in base.prototype);
  const heldBy = (session: WebSession): Held | undefined => {
    const carried = (session as Fields)[CARRIED];
    return held.get(session) ?? (carried instanceof Carried ? carried.held : undefined);
  };

  const seen = (request: IncomingMessage | undefined): string | undefined =>
    options.fingerprintOf === undefined || request === undefined ? undefined : sha256(options.fingerprintOf(request));

  const get = async (sid: string): Promise<WebSession | null> => {
    const loaded = await records.load(addressOf(sid));
    if (loaded === undefined) return null;
    const session = structuredClone(loaded.record.data) as WebSession;
    held.set(session, loaded);
    if (copiesFields) (session as Fields)[CARRIED] = new Carried(loaded);
    return session;
  };

  const set = async (sid: string, session: WebSession): Promise<void> => {
    const address = addressOf(sid);
    const idleMs = lifetimeOf(session, records.idleMs);
    if (idleMs <= 0) return void (await records.destroy(address.family));
    let data = JSON.parse(JSON.stringify(session)) as Fields;
    const user = options.userOf?.(data);
    let base = heldBy(session);
    const fingerprint = base?.record.fingerprint ?? seen((session as { req?: IncomingMessage }).req);
    if (user !== undefined && user !== base?.record.user)
      await records.enlist(user, address.family, options.maxPerUser ?? 0, true);
    for (let attempt = 1; ; attempt++) {
      const now = Date.now();
      const createdAt = base?.record.createdAt ?? now;
      const record: SessionRecord = { user, data, createdAt, seenAt: now, fingerprint };
      try {
        const version =
          base === undefined
            ? await records.create(address, record, idleMs, true)
            : await records.save(address, base.version, record, idleMs);
        held.set(session, { version, record });
        return;
      } catch (error) {
        const code = error instanceof GuardError ? error.code : undefined;
        if (code === 'REDKEEP_SESSION_GONE') {
          // Logged out meanwhile: the request may end normally, its session stays ended.
          records.refused(code, address.family);
          return;
        }
        const mine = base;
        if (code !== 'REDKEEP_SESSION_CONFLICT' || options.onConflict === 'reject' || !mine || attempt === ATTEMPTS)
          throw error;
        base = await records.load(address);
        if (base === undefined) return;
        data = merged(mine.record.data as Fields, data, base.record.data as Fields);
      }
    }
  };

  const touch = async (sid: string, session: WebSession): Promise<void> => {
    await records.touch(addressOf(sid), lifetimeOf(session, records.idleMs));
  };

  const destroy = async (sid: string): Promise<void> => {
    await records.destroy(addressOf(sid).family);
  };

  const all = async (): Promise<WebSession[]> => {
    const found: WebSession[] = [];
    for await (const { data } of records.records()) found.push(data as WebSession);
    return found;
  };

  const length = async (): Promise<number> => {
    let count = 0;
    for await (const _ of records.families()) count++;
    return count;
  };

  const clear = async (): Promise<void> => {
    for await (const family of records.families()) await records.destroy(family);
  };

  const destroyAll = async (user: string): Promise<number> => {
    const families = await records.enlisted(user);
    const ended = await Promise.all(families.map((family) => records.destroy(family)));
    await Promise.all(families.map((family) => records.delist(user, family)));
    return ended.filter(Boolean).length;
  };

  abstract class Store extends base {
    get(sid: string, callback?: Callback<WebSession | null>) {
      return answer(get(sid), callback);
    }
    set(sid: string, session: WebSession, callback?: Callback) {
      return answer(set(sid, session), callback);
    }
    touch(sid: string, session: WebSession, callback?: Callback) {
      return answer(touch(sid, session), callback);
    }
    destroy(sid: string, callback?: Callback) {
      return answer(destroy(sid), callback);
    }
    all(callback?: Callback<WebSession[]>) {
      return answer(all(), callback);
    }
    length(callback?: Callback<number>) {
      return answer(length(), callback);
    }
    clear(callback?: Callback) {
      return answer(clear(), callback);
    }
    destroyAll(user: string): Promise<number> {
      return destroyAll(user);
    }
    /** express-session makes its own object from what `get` gave: what a save has to prove goes along. */
    createSession(request: IncomingMessage & { session?: object; sessionID?: string }, session: WebSession): object {
      const own = base.prototype as { createSession: (request: unknown, session: WebSession) => object };
      const loaded = held.get(session);
      const expected = loaded?.record.fingerprint;
      if (expected !== undefined && options.fingerprintOf !== undefined && seen(request) !== expected) {
        const { family } = addressOf(request.sessionID ?? '');
        records.refused('fingerprint', family);
        if (options.onFingerprintMismatch === 'destroy')
          records.destroy(family).catch((error) => records.refused(error.code, family));
        // What express-session does for a request without a session.
        (this as unknown as { generate(request: unknown): void }).generate(request);
        return request.session!;
      }
      const created = own.createSession.call(this, request, session);
      if (loaded !== undefined) held.set(created, loaded);
      return created;
    }
  }
  return Store as unknown as new () => InstanceType<Base> & WebSessionStore;
}

/**
 * The same for @fastify/session.
 *
 * @example
 * app.register(fastifySession, { store: fastifySessionStore({ client, encryption }), secret, ...cookie.forFastify() });
 */
export function fastifySessionStore(options: ExpressStoreOptions): EventEmitter & WebSessionStore {
  const Store = expressSessionStore(EventEmitter, options);
  return new Store();
}

function answer<T>(promise: Promise<T>, callback: Callback<T> | undefined): Promise<T> | undefined {
  if (callback === undefined) return promise;
  promise.then(
    (value) => callback(null, value),
    (error) => callback(error),
  );
  return undefined;
}

function lifetimeOf(session: WebSession, idleMs: number): number {
  const expires = session.cookie?.expires;
  return expires ? Math.min(idleMs, new Date(expires).getTime() - Date.now()) : idleMs;
}

/** The newest state with the fields that this request changed or removed. A field both changed is this request's. */
function merged(base: Fields, mine: Fields, newest: Fields): Fields {
  const result: Fields = { ...newest };
  for (const field of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (JSON.stringify(base[field]) === JSON.stringify(mine[field])) continue;
    if (field in mine) result[field] = mine[field];
    else delete result[field];
  }
  return result;
}
