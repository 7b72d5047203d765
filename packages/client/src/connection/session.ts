/**
 * What callers changed of the connection and what a reconnect has to restore: database, name, user, reads from a replica. Modes such as
 * MONITOR and subscriptions end with the socket.
 */
import { type Credentials, type CredentialsSource, fromValue } from '../credentials/credentials.js';
import { Secret } from '../credentials/secret.js';
import type { HandshakeOptions } from './handshake.js';

export class Session {
  database: number;
  name: string | undefined;
  replicaReads: boolean;
  /** Set by an AUTH of the caller; a reconnect must not fall back to another user's rights. */
  #authenticated: Credentials | undefined;
  #authentications = 0;

  constructor({ database, name, replicaReads }: HandshakeOptions) {
    this.database = database;
    this.name = name;
    this.replicaReads = replicaReads;
  }

  get authenticated(): Credentials | undefined {
    return this.#authenticated;
  }
  set authenticated(credentials: Credentials | undefined) {
    this.#authenticated = credentials;
    this.#authentications++;
  }

  /** A command that changes the connection succeeded. */
  note(name: string, args: readonly unknown[]): void {
    if (name === 'SELECT') this.database = Number(args[0]);
    else if (name === 'CLIENT SETNAME') this.name = String(args[0]);
    else if (name === 'READONLY' || name === 'READWRITE') this.replicaReads = name === 'READONLY';
    else if (name === 'AUTH')
      this.authenticated = {
        username: args.length > 1 ? String(args[0]) : undefined,
        password: Secret.from(String(args.at(-1))),
      };
  }

  /** As the options say again. */
  reset({ database, name, replicaReads }: HandshakeOptions): void {
    this.authenticated = undefined;
    this.database = database;
    this.name = name;
    this.replicaReads = replicaReads;
  }

  /** Where a handshake of now takes its credentials from. */
  source(configured: CredentialsSource): CredentialsSource {
    const credentials = this.#authenticated;
    return credentials === undefined ? configured : fromValue(credentials.username, credentials.password);
  }

  /** Changes whenever a handshake of now would differ. */
  get identity(): string {
    return `${this.database} ${this.replicaReads} ${this.name ?? ''} ${this.#authenticated?.username ?? ''} ${this.#authentications}`;
  }
}
