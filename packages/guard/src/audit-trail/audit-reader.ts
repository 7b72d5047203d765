import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import type { PersonKeys } from '../encryption/person-keys.js';
import {
  persons as anyPersons,
  anything,
  checked,
  client,
  having,
  key,
  list,
  prefix,
  required,
  type Schema,
} from '../options.js';
import { type GuardClient, Redis } from '../redis/redis.js';
import { type ChainEntry, headOf, readChain, readStoredHead } from './chain.js';
import { openEntry, type StoredEntry } from './entry.js';
import { type ChainReport, type OutsideProof, verifyChain } from './verify-chain.js';

/** Options of {@link AuditReader}. */
export interface AuditReaderOptions {
  readonly client: GuardClient;
  /** Name of the trail; default `audit`. */
  readonly name?: string;
  readonly chainKey: KeyMaterial;
  readonly persons?: PersonKeys;
}

/** An entry with its place in the chain. */
export interface NumberedEntry extends StoredEntry {
  readonly seq: number;
  /** Nothing that a trail wrote: `verify` says more. The other fields are empty. */
  readonly unreadable?: true;
}

const AUDIT_READER: Schema<AuditReaderOptions> = {
  client: required(client),
  name: prefix,
  chainKey: required(key),
  persons: anyPersons,
};
/** A misspelt `anchors` would verify a chain without them. */
const OUTSIDE: Schema<OutsideProof> = {
  anchors: list(anything),
  publicKey: having('an Ed25519 public key (KeyObject)', 'export'),
};

const COLUMNS = ['seq', 'at', 'id', 'actor', 'action', 'outcome', 'subject', 'resource', 'from', 'details'] as const;

/** Verifies, exports and reports an audit trail. Reads only; give it an ACL user that can do no more. */
export class AuditReader {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #persons: PersonKeys | undefined;

  constructor(given: AuditReaderOptions) {
    const options = checked(given, AUDIT_READER);
    this.#redis = new Redis(options.client, 10_000);
    this.#name = options.name ?? 'audit';
    this.#key = decodeKey(options.chainKey);
    this.#persons = options.persons;
  }

  /**
   * Walks the chain and says whether, and where, it was changed, thinned out, added to, rewritten or cut short.
   * Without anchors a cut at the end that also resets the head stays unseen, and so does a rewrite by a holder of
   * the chain key: pass the anchors kept outside. Errors: REDKEEP_STORE_UNAVAILABLE.
   *
   * @example
   * const { ok, problem } = await reader.verify({ anchors: await file.read(), publicKey });
   * if (!ok) alarm(`audit trail ${problem?.kind} at ${problem?.seq}`);
   */
  async verify(outside: OutsideProof = {}): Promise<ChainReport> {
    checked(outside, OUTSIDE, 'REDKEEP_GUARD_ARGUMENT');
    const entries = readChain(this.#redis, this.#name, 0);
    const head = async () => headOf(await readStoredHead(this.#redis, this.#name));
    return verifyChain({ trail: this.#name, key: this.#key, entries, head }, outside);
  }

  /** {@link verify} for lines that `jsonLines` wrote, also where there is no Redis. A malformed line is `inserted`. */
  async verifyExport(
    lines: AsyncIterable<string> | Iterable<string>,
    outside: OutsideProof = {},
  ): Promise<ChainReport> {
    checked(outside, OUTSIDE, 'REDKEEP_GUARD_ARGUMENT');
    return verifyChain({ trail: this.#name, key: this.#key, entries: fromLines(lines) }, outside);
  }

  /** All entries in order, as stored; one that cannot be read comes as `unreadable` and stops nothing. */
  async *entries(): AsyncGenerator<NumberedEntry> {
    for await (const { seq, body } of readChain(this.#redis, this.#name, 0)) {
      yield { ...storedEntryOf(body), seq };
    }
  }

  /** Lines of an export with what is needed to verify it elsewhere: sequence number, body, hash. */
  async *jsonLines(): AsyncGenerator<string> {
    for await (const { seq, body, hash } of readChain(this.#redis, this.#name, 0))
      yield `${JSON.stringify({ seq, entry: body, hash })}\n`;
  }

  /** The same for spreadsheets (RFC 4180); all cells are quoted, and what a spreadsheet would run as a formula is defused. */
  async *csv(): AsyncGenerator<string> {
    yield `${COLUMNS.join(',')}\r\n`;
    for await (const entry of this.entries())
      yield `${COLUMNS.map((column) => cell(entry[column], column)).join(',')}\r\n`;
  }

  /**
   * Subject access report: every entry about one person or by them, opened (GDPR article 15; Ley 1581 article 8).
   */
  async *aboutPerson(person: string): AsyncGenerator<NumberedEntry> {
    const name = this.#persons?.pseudonym(person) ?? person;
    for await (const entry of this.entries()) {
      // A name that was only claimed is not the person's doing, and the address is somebody else's.
      const byPerson = entry.actor === name && entry.actorKind !== 'unauthenticated';
      if (entry.subject !== name && !byPerson) continue;
      yield { ...(await openEntry(entry, this.#persons, this.#name)), seq: entry.seq };
    }
  }
}

function storedEntryOf(body: string): StoredEntry & { readonly unreadable?: true } {
  try {
    const entry = JSON.parse(body) as Partial<StoredEntry> | null;
    if (typeof entry?.id === 'string' && typeof entry.action === 'string' && Number.isFinite(entry.at))
      return entry as StoredEntry;
  } catch {
    // Reported as unreadable.
  }
  return { id: '', at: Number.NaN, actor: '', action: '', unreadable: true };
}

async function* fromLines(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<ChainEntry> {
  for await (const line of lines) {
    if (line.trim() === '') continue;
    try {
      const { seq, entry, hash } = JSON.parse(line) as { seq: unknown; entry: unknown; hash: unknown };
      yield { seq: Number.isSafeInteger(seq) ? (seq as number) : Number.NaN, body: String(entry), hash: String(hash) };
    } catch {
      yield { seq: Number.NaN, body: '', hash: '' };
    }
  }
}

function cell(value: unknown, column: string): string {
  if (value === undefined) return '""';
  if (column === 'at') return Number.isFinite(value) ? JSON.stringify(new Date(value as number)) : '""';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return `"${defused(text).replaceAll('"', '""')}"`;
}

/** What begins a formula, in the widths of East Asian keyboards too, after what a spreadsheet skips. */
const FORMULA_START = /(?<![;,|"\s\p{Cc}\p{Cf}])([;,|"\s\p{Cc}\p{Cf}]*)([=+\-@%＝＋－＠％])/gu;
/** Some locales separate cells by semicolons or tabs, and take quotes in the middle of such a cell for text. */
const SEPARATOR = /[;,|\t\r\n]/;

/** Text of which no part is a formula, wherever a spreadsheet ends its cells. */
function defused(text: string): string {
  const parts = text.replace(FORMULA_START, (all, skipped: string, start: string, at: number) =>
    at === 0 || SEPARATOR.test(skipped) ? `${skipped}'${start}` : all,
  );
  return /^\s*[|\t\r\n]/.test(parts) ? `'${parts}` : parts;
}
