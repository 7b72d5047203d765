import { clearTimeout, performance, setTimeout } from '../clock.js';
import { type Credentials, type CredentialsSource, sameCredentials } from './credentials.js';

export interface Fetched {
  readonly credentials: Credentials;
  /** Milliseconds after which to fetch again; undefined = the default interval. */
  readonly validFor?: number;
}

/** Share of a lifetime after which it is renewed, so that one failed attempt does not yet hurt. */
const RENEW_AT = 2 / 3;
const RETRY_MS = 5_000;
/** setTimeout's largest delay. */
const MAX_DELAY = 2 ** 31 - 1;

/**
 * A source that fetches credentials and fetches them again before they end. One fetch serves all who ask meanwhile; a
 * failed renewal keeps the old ones as long as the server takes them.
 */
export function pollingSource(fetch: () => Promise<Fetched>, defaultInterval: number): CredentialsSource {
  let latest: { fetched: Fetched; at: number } | undefined;
  /** The last that listeners know of, also when it was refused. */
  let known: Credentials | undefined;
  let running: Promise<Fetched> | undefined;
  const listeners = new Set<{ onChange(c: Credentials): void; onError(e: Error): void }>();
  let timer: NodeJS.Timeout | undefined;

  const lifetime = (fetched: Fetched) => fetched.validFor ?? defaultInterval;
  const load = (): Promise<Fetched> => {
    running ??= fetch()
      .then((fetched) => {
        const changed = known !== undefined && !sameCredentials(known, fetched.credentials);
        known = fetched.credentials;
        latest = { fetched, at: performance.now() };
        schedule(lifetime(fetched) * RENEW_AT);
        if (changed) for (const listener of listeners) listener.onChange(fetched.credentials);
        return fetched;
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  const schedule = (delay: number) => {
    clearTimeout(timer);
    if (listeners.size === 0) return;
    timer = setTimeout(
      () => {
        load().catch((error) => {
          for (const listener of listeners) listener.onError(error);
          schedule(RETRY_MS);
        });
      },
      Math.min(delay, MAX_DELAY),
    ).unref();
  };

  return {
    type: 'credentials-source',
    async current() {
      const fresh = latest !== undefined && performance.now() - latest.at < lifetime(latest.fetched) * RENEW_AT;
      return fresh ? latest!.fetched.credentials : (await load()).credentials;
    },
    refused(credentials) {
      if (latest !== undefined && sameCredentials(latest.fetched.credentials, credentials)) latest = undefined;
    },
    watch(onChange, onError) {
      const listener = { onChange, onError };
      listeners.add(listener);
      if (latest !== undefined)
        schedule(Math.max(0, lifetime(latest.fetched) * RENEW_AT - (performance.now() - latest.at)));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) clearTimeout(timer);
      };
    },
  };
}
