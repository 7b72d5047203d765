import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { anObject, argument, callback } from '../options.js';
import { type ExpressStoreOptions, type WebSession, WebSessions } from './web-sessions.js';

type Callback<T = void> = (error?: unknown, value?: T) => void;

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

// biome-ignore lint/suspicious/noExplicitAny: TypeScript asks this of the base of a mixin
type StoreBase = abstract new (...args: any[]) => object;

/**
 * A store for express-session: pass its `Store` class, so that this package does not depend on it.
 * A request that ends after logout does not log its user in again, parallel requests do not undo each other's changes,
 * and no session outlives 24 hours, whatever `maxAge` says.
 *
 * @example
 * const Store = expressSessionStore(session.Store, { client, encryption });
 * app.use(session({ store: new Store(), secret, resave: false, saveUninitialized: false, ...cookie.forExpress() }));
 */
export function expressSessionStore<Base extends StoreBase>(
  base: Base,
  options: ExpressStoreOptions,
): new () => InstanceType<Base> & WebSessionStore {
  argument(base, 'base', callback);
  argument(base.prototype, 'base.prototype', anObject);
  const frameworkMakesObjects = 'createSession' in base.prototype;
  const sessions = new WebSessions(options, !frameworkMakesObjects);

  abstract class Store extends base {
    get(sid: string, callback?: Callback<WebSession | null>) {
      return answer(sessions.get(sid), callback);
    }
    set(sid: string, session: WebSession, callback?: Callback) {
      return answer(sessions.set(sid, session), callback);
    }
    touch(sid: string, session: WebSession, callback?: Callback) {
      return answer(sessions.touch(sid, session), callback);
    }
    destroy(sid: string, callback?: Callback) {
      return answer(sessions.destroy(sid), callback);
    }
    all(callback?: Callback<WebSession[]>) {
      return answer(sessions.all(), callback);
    }
    length(callback?: Callback<number>) {
      return answer(sessions.length(), callback);
    }
    clear(callback?: Callback) {
      return answer(sessions.clear(), callback);
    }
    destroyAll(user: string): Promise<number> {
      return sessions.destroyAll(user);
    }
    /** express-session makes its own object from what `get` gave: what a save has to prove goes along. */
    createSession(request: IncomingMessage & { session?: object; sessionID?: string }, session: WebSession): object {
      if (sessions.isStolen(request, request.sessionID ?? '', session)) {
        // What express-session does for a request without a session.
        (this as unknown as { generate(request: unknown): void }).generate(request);
        return request.session!;
      }
      const own = base.prototype as { createSession: (request: unknown, session: WebSession) => object };
      const created = own.createSession.call(this, request, session);
      const proven = sessions.held(session);
      if (proven !== undefined) sessions.hold(created, proven);
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
