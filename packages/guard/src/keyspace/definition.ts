import type { KeyspaceUse } from './acl-lines.js';
import type { StandardSchema } from './standard-schema.js';

/** One key space: which keys, for how long, which values, which users. */
export interface KeyspaceDefinition<T = unknown> {
  /** Before every key, `orders:`; no prefix may begin another, in whatever database: ACLs know no databases. */
  readonly prefix: string;
  /** Number of the database the keys are in; default 0. `open` then needs a client of that database. */
  readonly database?: number;
  /**
   * Who works with the keys; decides which commands the ACL user gets. `values` (default): a view of `Keyspaces.open`. `sessions`, `limits`, `locks`, `cache`, `audit`, `keys`: the guard of that name, given this prefix
   * (a trail: `audit:` is the trail `audit`; a key store: `redisKeyStore(client, prefix)`). `lists`, `streams`: the application itself, queues.
   */
  readonly use?: KeyspaceUse;
  /** Milliseconds; a longer expiry is refused. Default 24 hours. */
  readonly maxTtlMs?: number;
  /** Milliseconds when `set` gives none. Without it, a write without expiry is refused. */
  readonly defaultTtlMs?: number;
  /** Values may stay for ever; not for personal data. */
  readonly dangerouslyWithoutExpiry?: boolean;
  /** Checks values on the way in and on the way out; any Standard Schema library. */
  readonly schema?: StandardSchema<T>;
  /** `json` (default), `text` or `bytes`. */
  readonly codec?: 'json' | 'text' | 'bytes';
  /** Largest encoded value in bytes; default 1 MiB. */
  readonly maxBytes?: number;
  /** Longest key in characters, without the prefix; default 256. */
  readonly maxKeyLength?: number;
  /** Values are sealed; `open` then needs an `encryption`. */
  readonly encrypted?: boolean;
  /** The ACL user that works with this space; spaces with one user share a line. */
  readonly user?: string;
  /** With `use: 'audit'`: the ACL user that verifies, exports and trims, which the writer cannot. */
  readonly auditor?: string;
  /** With `use: 'locks'`: prefixes of the values that holders write with `guardedSet`. */
  readonly guards?: readonly string[];
}
