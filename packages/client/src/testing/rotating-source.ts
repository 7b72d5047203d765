import type { Credentials, CredentialsSource } from '../credentials/credentials.js';

/** Credentials that a test rotates, as a secret manager's rotation does. */
export class RotatingSource implements CredentialsSource {
  readonly type = 'credentials-source';
  #latest: Credentials;
  readonly #listeners = new Set<(credentials: Credentials) => void>();

  constructor(first: Credentials) {
    this.#latest = first;
  }
  current(): Credentials {
    return this.#latest;
  }
  watch(onChange: (credentials: Credentials) => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }
  rotate(credentials: Credentials): void {
    this.#latest = credentials;
    for (const listener of this.#listeners) listener(credentials);
  }
}
