import type { KeyObject } from 'node:crypto';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import type { PersonKeys } from '../encryption/person-keys.js';
import { type GuardClient, Redis } from '../redis/redis.js';
import { type Anchor, verifyAnchor } from './anchor.js';
import { chainHash, readChain, readHead } from './chain.js';
import { openEntry, type StoredEntry } from './entry.js';

/** Options of {@link AuditReader}. */
export interface AuditReaderOptions {
  readonly client: GuardClient;
  /** Name of the trail; default `audit`. */
  readonly name?: string;
  readonly chainKey: KeyMaterial;
  readonly persons?: PersonKeys;
}

/** What is wrong with a chain, and from which sequence number on. */
export interface ChainProblem {
  readonly kind: 'modified' | 'missing' | 'inserted' | 'truncated' | 'rewritten' | 'forged-anchor' | 'head';
  readonly seq: number;
}

/** Result of {@link AuditReader.verify}. */
export interface ChainReport {
  readonly ok: boolean;
  /** Entries that verified. */
  readonly checked: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Sequence number of the newest anchor that was confirmed; later entries could have been cut off unseen. */
  readonly anchoredTo: number;
  readonly problem?: ChainProblem;
}

/** An entry with its place in the chain. */
export interface NumberedEntry extends StoredEntry {
  readonly seq: number;
}

const COLUMNS = ['seq', 'at', 'id', 'actor', 'action', 'outcome', 'subject', 'resource', 'from', 'details'] as const;

/** Verifies, exports and reports an audit trail. Reads only; give it an ACL user that can do no more. */
export class AuditReader {
  readonly #redis: Redis;
  readonly #name: string;
  readonly #key: Uint8Array;
  readonly #persons: PersonKeys | undefined;

  constructor(options: AuditReaderOptions) {
    this.#redis = new Redis(options.client, 10_000);
    this.#name = options.name ?? 'audit';
    this.#key = decodeKey(options.chainKey);
    this.#persons = options.persons;
  }

  /**
   * Walks the chain and says whether, and where, it was changed, thinned out, added to, rewritten or cut short.
   * Without anchors a cut at the end that also resets the head stays unseen, and so does a rewrite by a holder of
   * the chain key: pass the anchors kept outside.
   */
  async verify(outside: { anchors?: readonly Anchor[]; publicKey?: KeyObject } = {}): Promise<ChainReport> {
    const anchors = new Map<number, Anchor>();
    let newest = 0;
    const state = { checked: 0, firstSeq: 0, lastSeq: 0, anchoredTo: 0 };
    const report = (kind?: ChainProblem['kind'], seq = 0): ChainReport =>
      kind === undefined ? { ok: true, ...state } : { ok: false, ...state, problem: { kind, seq } };

    for (const anchor of outside.anchors ?? []) {
      const genuine = outside.publicKey !== undefined && verifyAnchor(anchor, outside.publicKey);
      if (!genuine || anchor.trail !== this.#name) return report('forged-anchor', anchor.seq);
      const twin = anchors.get(anchor.seq);
      if (twin !== undefined && twin.hash !== anchor.hash) return report('rewritten', anchor.seq);
      anchors.set(anchor.seq, anchor);
      newest = Math.max(newest, anchor.seq);
    }

    const head = await readHead(this.#redis, this.#name);
    let previous = '';
    for await (const { seq, body, hash } of readChain(this.#redis, this.#name, 0)) {
      const expected = state.lastSeq + 1;
      if (Number.isNaN(seq)) return report('inserted', expected);
      if (state.firstSeq === 0) {
        // After retention the chain starts at an anchor; anything else that is missing was taken.
        const start = anchors.get(seq - 1);
        if (seq !== 1 && start === undefined) return report('missing', 1);
        previous = start?.hash ?? '';
        state.firstSeq = seq;
      } else if (seq !== expected) return report('missing', expected);
      if (chainHash(this.#key, seq, previous, body) !== hash) return report('modified', seq);
      const anchor = anchors.get(seq);
      if (anchor !== undefined) {
        if (anchor.hash !== hash) return report('rewritten', seq);
        state.anchoredTo = seq;
      }
      previous = hash;
      state.lastSeq = seq;
      state.checked += 1;
    }
    // Read before the walk: entries that came meanwhile are no problem.
    if (state.lastSeq < Math.max(newest, head.seq) && !(state.firstSeq === 0 && anchors.has(head.seq)))
      return report('truncated', state.lastSeq + 1);
    if (head.seq === 0 && state.lastSeq > 0) return report('head', state.lastSeq);
    return report();
  }

  /** All entries in order, as stored. */
  async *entries(): AsyncGenerator<NumberedEntry> {
    for await (const { seq, body } of readChain(this.#redis, this.#name, 0)) {
      yield { ...(JSON.parse(body) as StoredEntry), seq };
    }
  }

  /** Lines of an export with what is needed to verify it elsewhere: sequence number, body, hash. */
  async *jsonLines(): AsyncGenerator<string> {
    for await (const { seq, body, hash } of readChain(this.#redis, this.#name, 0))
      yield `${JSON.stringify({ seq, entry: body, hash })}\n`;
  }

  /** The same for spreadsheets (RFC 4180); cells that a spreadsheet would run as formulas are defused. */
  async *csv(): AsyncGenerator<string> {
    yield `${COLUMNS.join(',')}\r\n`;
    for await (const entry of this.entries())
      yield `${COLUMNS.map((column) => cell(entry[column], column)).join(',')}\r\n`;
  }

  /** Subject access report: every entry about one person, opened (GDPR article 15; Ley 1581 article 8). */
  async *aboutPerson(subject: string): AsyncGenerator<NumberedEntry> {
    const name = this.#persons?.pseudonym(subject) ?? subject;
    for await (const entry of this.entries()) {
      if (entry.subject !== name) continue;
      yield { ...(await openEntry(entry, this.#persons, subject, this.#name)), seq: entry.seq };
    }
  }
}

function cell(value: unknown, column: string): string {
  if (value === undefined) return '';
  if (column === 'at') return new Date(value as number).toISOString();
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
