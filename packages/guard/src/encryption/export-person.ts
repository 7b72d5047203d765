import type { AuditReader, NumberedEntry } from '../audit-trail/audit-reader.js';
import { hasCode } from '../errors.js';
import {
  signal as abortSignal,
  callback,
  checked,
  client,
  having,
  list,
  required,
  type Schema,
  text,
} from '../options.js';
import { type GuardClient, listOf, Redis, textOf } from '../redis/redis.js';
import type { SealContext } from './encryption.js';
import type { PersonKeys } from './person-keys.js';
import { isSealed, keyIdOf } from './sealed-format.js';
import { valuesOf } from './stored-values.js';

/** Options of {@link exportPerson}. */
export interface PersonExportOptions {
  /** Client of the data; on a cluster it walks all primaries. */
  readonly client: GuardClient;
  readonly persons: PersonKeys;
  readonly person: string;
  /** SCAN patterns of the keys where values of persons are: `['app:profile:*']`. Strings and hashes are read. */
  readonly match: readonly string[];
  /** Where a value was sealed for; undefined for one that is not sealed. */
  readonly contextOf: (key: string, field: string | undefined) => SealContext | undefined;
  /** Adds the entries of the audit trail by and about the person; it needs the same `persons`. */
  readonly reader?: AuditReader;
  readonly signal?: AbortSignal;
}

/** One thing that is kept about a person. */
export type PersonItem =
  | { readonly kind: 'value'; readonly key: string; readonly field: string | undefined; readonly value: Buffer }
  /** Sealed for the person, and not as it was written: the export says that it is there. */
  | { readonly kind: 'unreadable'; readonly key: string; readonly field: string | undefined }
  | { readonly kind: 'audit'; readonly entry: NumberedEntry };

const OPTIONS: Schema<PersonExportOptions> = {
  client: required(client),
  persons: required(having('PersonKeys', 'keyIdOf', 'sealer')),
  person: required(text),
  match: required(list(text, 1)),
  contextOf: required(callback),
  reader: having('an AuditReader', 'aboutPerson'),
  signal: abortSignal,
};

/**
 * Everything that is sealed for a person, found by the id of their key wherever it is stored, and opened (GDPR articles 15
 * and 20; Ley 1581 of 2012, article 8). Each value comes once; one that is written or removed meanwhile may come or not.
 * Strings and fields of hashes are read, and no other types (lists, sets, streams).
 * What is not sealed with the person's key (sessions, plain fields, other databases) is yours to add.
 * Errors: REDKEEP_PERSON_ERASED, also when the person is erased meanwhile; REDKEEP_STORE_….
 *
 * @example
 * const contextOf = (key: string) => ({ space: 'profiles', key });
 * for await (const item of exportPerson({ client, persons, person: 'ana', match: ['app:profile:*'], contextOf }))
 *   if (item.kind === 'value') console.log(item.key, item.value.toString());
 */
export async function* exportPerson(given: PersonExportOptions): AsyncGenerator<PersonItem> {
  const { persons, person, match, contextOf, reader, signal, ...options } = checked(given, OPTIONS);
  const redis = new Redis(options.client, 10_000);
  const id = await persons.keyIdOf(person);
  const sealer = persons.sealer(person);
  const seen = new Set<string>();
  for (const pattern of id === undefined ? [] : match) {
    for (let cursor = '0'; ; ) {
      signal?.throwIfAborted();
      const [next, found] = listOf(await redis.command('SCAN', cursor, 'MATCH', pattern, 'COUNT', '250'));
      for (const key of listOf(found).map((name) => textOf(name)!)) {
        for await (const { field, value } of valuesOf(redis, key)) {
          if (!isSealed(value) || keyIdOf(value) !== id) continue;
          const place = JSON.stringify([key, field]);
          if (seen.has(place)) continue;
          seen.add(place);
          yield await opened(key, field, value);
        }
      }
      cursor = textOf(next)!;
      if (cursor === '0') break;
    }
  }
  if (reader === undefined) return;
  for await (const entry of reader.aboutPerson(person)) {
    signal?.throwIfAborted();
    yield { kind: 'audit', entry };
  }

  async function opened(key: string, field: string | undefined, value: Buffer): Promise<PersonItem> {
    const context = contextOf(key, field);
    if (context === undefined) return { kind: 'unreadable', key, field };
    try {
      return { kind: 'value', key, field, value: await sealer.open(value, context) };
    } catch (error) {
      if (!hasCode(error, 'REDKEEP_ENCRYPTION_TAMPERED', 'REDKEEP_ENCRYPTION_VERSION')) throw error;
      return { kind: 'unreadable', key, field };
    }
  }
}
