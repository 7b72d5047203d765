import type { CommandValidator } from 'redkeep';
import type { Sealer } from '../encryption/encryption.js';
import { GuardError } from '../errors.js';
import { guardComponentNames } from '../needs.js';
import {
  anyObject,
  checked,
  coded,
  fields,
  flag,
  list,
  matching,
  number,
  oneOf,
  required,
  type Schema,
  schemaLibrary,
  sealer,
  timeout,
  whole,
} from '../options.js';
import type { GuardClient } from '../redis/redis.js';
import { type AclLineOptions, aclLines, type KeyspaceUse } from './acl-lines.js';
import { commandValidator, type ValidatorOptions } from './command-validator.js';
import type { KeyspaceDefinition } from './definition.js';
import { KeyspaceView } from './keyspace-view.js';
import type { StandardSchema } from './standard-schema.js';

/** Longest expiry of personal data and sessions, ms. */
const DAY = 86_400_000;
const MAX_TTL_MS = 366 * DAY;
/** No glob characters, no hash tags: the prefix is also an ACL pattern and must not decide the cluster slot. */
const PREFIX = matching(/^([A-Za-z0-9_.-]+[:/])+$/, 'must be letters, digits and _.- that end in : or /');
const LIFETIME = coded('REDKEEP_KEYSPACE_TTL', number(1, MAX_TTL_MS));
const USER = matching(/^[\w.-]+$/, 'must be letters, digits, _, . and -');
const DEFINITION: Schema<KeyspaceDefinition> = {
  prefix: required(PREFIX),
  database: whole(0, 1_000_000),
  use: oneOf(...guardComponentNames.filter((name) => name !== 'auditor'), 'lists', 'streams'),
  maxTtlMs: LIFETIME,
  defaultTtlMs: LIFETIME,
  dangerouslyWithoutExpiry: flag,
  schema: schemaLibrary,
  codec: oneOf('json', 'text', 'bytes'),
  maxBytes: whole(1),
  maxKeyLength: whole(1, 65_536),
  encrypted: flag,
  user: USER,
  auditor: USER,
  guards: list(PREFIX),
};
const OPEN: Schema<KeyspaceOpenOptions> = {
  encryption: sealer,
  timeoutMs: timeout,
  databases: anyObject,
};
const ACL_LINES: Schema<AclLineOptions> = { cluster: flag, functions: flag };
const VALIDATOR: Schema<ValidatorOptions> = { unknownKeys: oneOf('refuse', 'allow') };

/** Value type of a definition. */
export type ValueOf<D> = D extends { readonly schema: StandardSchema<infer T> }
  ? T
  : D extends { readonly codec: 'text' }
    ? string
    : D extends { readonly codec: 'bytes' }
      ? Buffer
      : unknown;

type Definitions = Readonly<Record<string, KeyspaceDefinition<never> | KeyspaceDefinition>>;
/** A view for each space of values. */
export type KeyspaceViews<D> = {
  readonly [Name in keyof D as D[Name] extends { readonly use: Exclude<KeyspaceUse, 'values'> }
    ? never
    : Name]: KeyspaceView<ValueOf<D[Name]>>;
};

/** Options of {@link Keyspaces.open}. */
export interface KeyspaceOpenOptions {
  /** Seals the values of spaces that are `encrypted`. */
  readonly encryption?: Sealer;
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
  /** Clients of the databases that spaces name. */
  readonly databases?: Readonly<Record<number, GuardClient>>;
}

/** Key spaces of an application: see {@link defineKeyspaces}. */
export class Keyspaces<D extends Definitions> {
  readonly definitions: D;

  constructor(definitions: D) {
    this.definitions = definitions;
    anyObject.check(definitions, 'the definitions', 'REDKEEP_GUARD_OPTION');
    const all = Object.entries(definitions);
    for (const [name, definition] of all) {
      fields(DEFINITION).check(definition, name, 'REDKEEP_GUARD_OPTION');
      const { prefix, use, auditor, maxTtlMs = DAY, defaultTtlMs } = definition;
      if (auditor !== undefined && use !== 'audit') throw new GuardError('REDKEEP_GUARD_OPTION', `auditor of ${name}`);
      if (definition.guards !== undefined && use !== 'locks')
        throw new GuardError('REDKEEP_GUARD_OPTION', `guards of ${name}`);
      if (defaultTtlMs !== undefined && defaultTtlMs > maxTtlMs)
        throw new GuardError('REDKEEP_KEYSPACE_TTL', `defaultTtlMs of ${name}`);
      const clash = all.find(([other, { prefix: begin }]) => other !== name && prefix.startsWith(begin));
      if (clash !== undefined)
        throw new GuardError('REDKEEP_GUARD_OPTION', `prefixes of ${clash[0]} and ${name} overlap`);
    }
  }

  /**
   * Typed views on a client, one for each space of values; each touches only its own keys.
   * Errors: REDKEEP_GUARD_OPTION when an encryption or the client of a database is missing, or the client is of another.
   */
  open(client: GuardClient, given: KeyspaceOpenOptions = {}): KeyspaceViews<D> {
    const options = checked(given, OPEN);
    const views: Record<string, KeyspaceView<unknown>> = {};
    for (const [name, definition] of Object.entries(this.definitions)) {
      const { database = 0, use = 'values', encrypted } = definition;
      if (use !== 'values') continue;
      if (encrypted === true && options.encryption === undefined)
        throw new GuardError('REDKEEP_GUARD_OPTION', `key space ${name} is encrypted: pass encryption`);
      const own = options.databases?.[database] ?? (database === 0 ? client : undefined);
      if (own === undefined || (databaseOf(own) ?? database) !== database)
        throw new GuardError('REDKEEP_GUARD_OPTION', `key space ${name} needs a client of database ${database}`);
      views[name] = new KeyspaceView(name, definition as KeyspaceDefinition, own, options);
    }
    return views as unknown as KeyspaceViews<D>;
  }

  /**
   * Lines for an ACL file, one a user: only the keys of its spaces, only the commands that what works with them sends.
   * A user whose spaces are used in different ways gets a selector for each, which needs Redis 7.0 or Valkey.
   * Passwords are not in it: add `#<sha256>`, as `redkeep acl keyspaces --password-file` does.
   * Errors: REDKEEP_GUARD_OPTION for a malformed user name.
   */
  aclLines(options: AclLineOptions = {}): string[] {
    return aclLines(Object.values(this.definitions), checked(options, ACL_LINES));
  }

  /**
   * Checks the raw commands of a client, too: `createClient({ validateCommand: spaces.validator() })`. Before anything
   * is sent it refuses keys of no space (REDKEEP_KEYSPACE_KEY), strings without expiry and expiries beyond the space's
   * (REDKEEP_KEYSPACE_TTL), commands that sealed values cannot serve, and SCAN and KEYS beyond one space
   * (REDKEEP_KEYSPACE_COMMAND). Hashes, lists, sets and streams get their expiry by a command of its own, which it
   * cannot demand.
   */
  validator(options: ValidatorOptions = {}): CommandValidator {
    return commandValidator(Object.values(this.definitions), checked(options, VALIDATOR));
  }
}

/** The database of a client, where it says so. A cluster has one. */
function databaseOf(client: GuardClient): number | undefined {
  if ('masters' in client) return 0;
  const { options } = client as { options?: { database?: number } };
  return options === undefined ? undefined : (options.database ?? 0);
}

/**
 * Declares the key spaces of an application: cache, sessions, queues, limits, audit; each with its own keys, expiry,
 * values and ACL user, so that a mistake in one cannot reach another.
 *
 * @example
 * const spaces = defineKeyspaces({
 *   profiles: { prefix: 'profile:', maxTtlMs: 86_400_000, encrypted: true, schema: Profile, user: 'app' },
 *   pages: { prefix: 'page:', codec: 'text', defaultTtlMs: 60_000, user: 'app' },
 *   sessions: { prefix: 'sess:', use: 'sessions', user: 'app' },
 *   audit: { prefix: 'audit:', use: 'audit', user: 'app', auditor: 'auditor' },
 * });
 * const { profiles } = spaces.open(client, { encryption });
 * await profiles.set('42', profile, { ttlMs: 3_600_000 });
 */
export function defineKeyspaces<const D extends Definitions>(definitions: D): Keyspaces<D> {
  return new Keyspaces(definitions);
}
