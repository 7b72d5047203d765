import type { Sealer } from '../encryption/encryption.js';
import { GuardError } from '../errors.js';
import type { GuardClient } from '../redis/redis.js';
import { KeyspaceView } from './keyspace-view.js';
import type { StandardSchema } from './standard-schema.js';

/** Longest expiry of personal data and sessions, ms. */
const DAY = 86_400_000;
const MAX_TTL_MS = 366 * DAY;

/** One key space: which keys, for how long, which values, by whom. */
export interface KeyspaceDefinition<T = unknown> {
  /** Before every key, `orders:`; no prefix may begin another. */
  readonly prefix: string;
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
}

/** Value type of a definition. */
export type ValueOf<D> = D extends { readonly schema: StandardSchema<infer T> }
  ? T
  : D extends { readonly codec: 'text' }
    ? string
    : D extends { readonly codec: 'bytes' }
      ? Buffer
      : unknown;

type Definitions = Readonly<Record<string, KeyspaceDefinition<never> | KeyspaceDefinition>>;
export type KeyspaceViews<D> = { readonly [Name in keyof D]: KeyspaceView<ValueOf<D[Name]>> };

/** Commands the views need. */
const COMMANDS = '+get +mget +set +getdel +del +exists +pexpire +pttl +incrby +eval +evalsha +scan +ping +hello';

/** Key spaces of an application: see {@link defineKeyspaces}. */
export class Keyspaces<D extends Definitions> {
  readonly definitions: D;

  constructor(definitions: D) {
    this.definitions = definitions;
    const all = Object.entries(definitions);
    for (const [name, { prefix, maxTtlMs = DAY, defaultTtlMs }] of all) {
      // No glob characters, no hash tags: the prefix is also an ACL pattern and must not decide the cluster slot.
      if (!/^[A-Za-z0-9_.-]+[:/]$/.test(prefix)) throw new GuardError('REDKEEP_GUARD_OPTION', `prefix of ${name}`);
      if (!(maxTtlMs >= 1 && maxTtlMs <= MAX_TTL_MS))
        throw new GuardError('REDKEEP_KEYSPACE_TTL', `maxTtlMs of ${name}`);
      if (defaultTtlMs !== undefined && !(defaultTtlMs >= 1 && defaultTtlMs <= maxTtlMs))
        throw new GuardError('REDKEEP_KEYSPACE_TTL', `defaultTtlMs of ${name}`);
      const clash = all.find(([other, { prefix: begin }]) => other !== name && prefix.startsWith(begin));
      if (clash !== undefined)
        throw new GuardError('REDKEEP_GUARD_OPTION', `prefixes of ${clash[0]} and ${name} overlap`);
    }
  }

  /** Typed views on a client; each touches only its own keys. */
  open(
    client: GuardClient,
    options: { readonly encryption?: Sealer; readonly timeoutMs?: number } = {},
  ): KeyspaceViews<D> {
    const views: Record<string, KeyspaceView<unknown>> = {};
    for (const [name, definition] of Object.entries(this.definitions)) {
      if (definition.encrypted === true && options.encryption === undefined)
        throw new GuardError('REDKEEP_GUARD_OPTION', `key space ${name} is encrypted: pass encryption`);
      views[name] = new KeyspaceView(name, definition as KeyspaceDefinition, client, options);
    }
    return views as KeyspaceViews<D>;
  }

  /**
   * Lines for an ACL file, one a user: only the keys of its spaces, only the commands of their views. Passwords are
   * not in it; add `#<sha256>` or let `redkeep acl` do so.
   */
  aclLines(): string[] {
    const patterns = new Map<string, string[]>();
    for (const { user, prefix } of Object.values(this.definitions)) {
      if (user === undefined) continue;
      if (!/^[\w.-]+$/.test(user)) throw new GuardError('REDKEEP_GUARD_OPTION', 'user');
      patterns.set(user, [...(patterns.get(user) ?? []), `~${prefix}*`]);
    }
    return [...patterns].map(([user, keys]) => `user ${user} on resetchannels ${keys.join(' ')} -@all ${COMMANDS}`);
  }
}

/**
 * Declares the key spaces of an application: cache, sessions, queues, limits, audit; each with its own keys, expiry,
 * values and ACL user, so that a mistake in one cannot reach another.
 *
 * @example
 * const spaces = defineKeyspaces({
 *   profiles: { prefix: 'profile:', maxTtlMs: 86_400_000, encrypted: true, schema: Profile, user: 'app' },
 *   pages: { prefix: 'page:', codec: 'text', defaultTtlMs: 60_000, user: 'app' },
 * });
 * const { profiles } = spaces.open(client, { encryption });
 * await profiles.set('42', profile, { ttlMs: 3_600_000 });
 */
export function defineKeyspaces<const D extends Definitions>(definitions: D): Keyspaces<D> {
  return new Keyspaces(definitions);
}
