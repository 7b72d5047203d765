/**
 * Where a connection's user name and password come from. A source answers the question "now?" at every connect and
 * may announce a change, upon which live connections re-authenticate in place.
 */
import { Secret } from './secret.js';

export interface Credentials {
  readonly username?: string;
  readonly password?: string | Secret;
}

/** node-redis's shape of a user and password. */
export interface BasicAuth {
  username?: string;
  password?: string;
}

/** Asked at every connect (and reconnect). node-redis's shape. */
export interface AsyncCredentialsProvider {
  readonly type: 'async-credentials-provider';
  credentials(): Promise<BasicAuth>;
}

export interface StreamingCredentialsListener<T> {
  onNext(credentials: T): void;
  onError(error: Error): void;
}

export interface CredentialsSubscription {
  dispose(): void;
}

/** Announces new credentials while connections live. node-redis's shape. */
export interface StreamingCredentialsProvider {
  readonly type: 'streaming-credentials-provider';
  subscribe(listener: StreamingCredentialsListener<BasicAuth>): Promise<[BasicAuth, CredentialsSubscription]>;
  onReAuthenticationError(error: Error): void;
}

/** Redkeep's own shape, which `fromEnv`, `fromFile`, `fromVault` and their like return. */
export interface CredentialsSource {
  readonly type: 'credentials-source';
  /** The credentials of this moment. Called at every connect. */
  current(): Credentials | Promise<Credentials>;
  /** Calls `onChange` with every later set of credentials until the returned function is called. */
  watch?(onChange: (credentials: Credentials) => void, onError: (error: Error) => void): () => void;
  /** The server refused these: a source that keeps what it fetched must not give them again unasked. */
  refused?(credentials: Credentials): void;
}

export function sameCredentials(a: Credentials, b: Credentials): boolean {
  if (a.username !== b.username) return false;
  if (a.password === undefined || b.password === undefined) return a.password === b.password;
  return Secret.from(a.password).equals(b.password);
}

export type CredentialsProvider = AsyncCredentialsProvider | StreamingCredentialsProvider | CredentialsSource;

/** A source for fixed values; no credentials at all when both are missing. */
export function fromValue(username?: string, password?: string | Secret): CredentialsSource {
  const credentials: Credentials = {
    username,
    password: password === undefined ? undefined : Secret.from(password),
  };
  return { type: 'credentials-source', current: () => credentials };
}

/** Every accepted shape as one. */
export function toCredentialsSource(provider: CredentialsProvider): CredentialsSource {
  if (provider.type === 'credentials-source') return provider;
  if (provider.type === 'async-credentials-provider') {
    return { type: 'credentials-source', current: () => provider.credentials() };
  }
  return streamingSource(provider);
}

function streamingSource(provider: StreamingCredentialsProvider): CredentialsSource {
  let latest: Credentials | undefined;
  let subscription: Promise<CredentialsSubscription> | undefined;
  const listeners = new Set<{ onChange(c: Credentials): void; onError(e: Error): void }>();
  const subscribe = async () => {
    const [first, disposable] = await provider.subscribe({
      onNext(credentials) {
        latest = credentials;
        for (const listener of listeners) listener.onChange(credentials);
      },
      onError(error) {
        for (const listener of listeners) listener.onError(error);
      },
    });
    latest ??= first;
    return disposable;
  };
  return {
    type: 'credentials-source',
    async current() {
      subscription ??= subscribe();
      try {
        await subscription;
      } catch (error) {
        subscription = undefined;
        throw error;
      }
      return latest!;
    },
    watch(onChange, onError) {
      const listener = {
        onChange,
        onError(error: Error) {
          provider.onReAuthenticationError(error);
          onError(error);
        },
      };
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        const ended = subscription;
        subscription = undefined;
        latest = undefined;
        ended?.then((disposable) => disposable.dispose()).catch(() => {});
      };
    },
  };
}
