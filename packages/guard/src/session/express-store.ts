import { GuardError } from '../errors.js';
import { foreignAddressOf } from './session-id.js';
import { type SessionRecord, SessionStore, type SessionStoreOptions } from './session-store.js';

/** What express-session and @fastify/session keep: any fields, and a cookie whose expiry may shorten the session. */
export interface WebSession {
  cookie?: { expires?: Date | string | null | undefined } | undefined;
}

type Callback<T = void> = (error?: unknown, value?: T) => void;

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
  /** Accept ids below 128 bits. */
  readonly dangerouslyAcceptShortIds?: boolean;
}

/** The methods a store adds to the framework's base class. */
export interface WebSessionStore {
  get(sid: string, callback?: Callback<WebSession | null>): void;
  set(sid: string, session: WebSession, callback?: Callback): void;
  touch(sid: string, session: WebSession, callback?: Callback): void;
  destroy(sid: string, callback?: Callback): void;
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
 * A store for express-session or @fastify/session: pass the framework's `Store` class, so that this package depends
 * on neither. A request that ends after logout does not log its user in again, parallel requests do not undo each
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

  const get = async (sid: string): Promise<WebSession | null> => {
    const loaded = await records.load(addressOf(sid));
    if (loaded === undefined) return null;
    const session = structuredClone(loaded.record.data) as WebSession;
    held.set(session, loaded);
    return session;
  };

  const set = async (sid: string, session: WebSession): Promise<void> => {
    const address = addressOf(sid);
    const idleMs = lifetimeOf(session, records.idleMs);
    if (idleMs <= 0) return void (await records.destroy(address.family));
    let data = JSON.parse(JSON.stringify(session)) as Fields;
    const user = options.userOf?.(data);
    let base = held.get(session);
    if (user !== undefined && user !== base?.record.user)
      await records.enlist(user, address.family, options.maxPerUser ?? 0, true);
    for (let attempt = 1; ; attempt++) {
      const now = Date.now();
      const record: SessionRecord = { user, data, createdAt: base?.record.createdAt ?? now, seenAt: now };
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

  const destroyAll = async (user: string): Promise<number> => {
    const families = await records.enlisted(user);
    const ended = await Promise.all(families.map((family) => records.destroy(family)));
    await Promise.all(families.map((family) => records.delist(user, family)));
    return ended.filter(Boolean).length;
  };

  abstract class Store extends base {
    get(sid: string, callback?: Callback<WebSession | null>): void {
      answer(get(sid), callback);
    }
    set(sid: string, session: WebSession, callback?: Callback): void {
      answer(set(sid, session), callback);
    }
    touch(sid: string, session: WebSession, callback?: Callback): void {
      answer(touch(sid, session), callback);
    }
    destroy(sid: string, callback?: Callback): void {
      answer((async () => void (await records.destroy(addressOf(sid).family)))(), callback);
    }
    destroyAll(user: string): Promise<number> {
      return destroyAll(user);
    }
    /** express-session makes its own object from what `get` gave: what a save has to prove goes along. */
    createSession(request: unknown, session: WebSession): object {
      const create = (base.prototype as { createSession: (request: unknown, session: WebSession) => object })
        .createSession;
      const version = held.get(session);
      const created = create.call(this, request, session);
      if (version !== undefined) held.set(created, version);
      return created;
    }
  }
  return Store as unknown as new () => InstanceType<Base> & WebSessionStore;
}

function answer<T>(promise: Promise<T>, callback: Callback<T> | undefined): void {
  promise.then(
    (value) => callback?.(null, value),
    (error) => callback?.(error),
  );
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
