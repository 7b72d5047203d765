import { keyedHash } from '../digest.js';
import type { Sealer } from '../encryption/encryption.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { GuardError, type GuardErrorCode } from '../errors.js';
import { checkedPrefix, type GuardClient, listOf, Redis, type Reply, textOf } from '../redis/redis.js';
import type { SessionAddress } from './session-id.js';
import { CREATE, DESTROY, ENLIST, ROTATE, SAVE, TOUCH } from './session-scripts.js';

const HOUR = 3_600_000;
/** No session lives longer, whatever is asked for. */
export const MAX_ABSOLUTE_MS = 24 * HOUR;
/** Clocks of application servers may differ by this much before a sealed time counts against a session. */
const CLOCK_SKEW_MS = 60_000;

/** Why a stored session was not accepted; reported, never shown to the user. */
export type RefusalReason = 'fingerprint' | 'expired' | 'old-id' | GuardErrorCode;

/** Options shared by {@link Sessions} and the stores for web frameworks. */
export interface SessionStoreOptions {
  readonly client: GuardClient;
  /** Seals every record; there is no plaintext mode. */
  readonly encryption: Sealer;
  /** Before every key; default `sess:`. Give the application's ACL user this pattern. */
  readonly prefix?: string;
  /** Milliseconds without a request after which a session ends; default one hour, at most `absoluteMs`. */
  readonly idleMs?: number;
  /** Milliseconds after which a session ends however busy; default and maximum 24 hours. */
  readonly absoluteMs?: number;
  /** Largest record in bytes; default 64 KiB. */
  readonly maxBytes?: number;
  /** Milliseconds to wait for Redis; default 2000. */
  readonly timeoutMs?: number;
  /** 32 bytes that turn user names into index keys (HMAC). Without it they are plain SHA-256: guessable by trying names. */
  readonly indexKey?: KeyMaterial;
  /** Called when a stored session is refused: a stolen cookie, a tampered record. For the audit trail. */
  readonly onRefused?: (reason: RefusalReason, family: string) => void;
}

/** What is sealed: the application's data and the times that no EXPIRE can change. */
export interface SessionRecord {
  user?: string | undefined;
  data: unknown;
  /** Unix milliseconds. */
  createdAt: number;
  seenAt: number;
  fingerprint?: string | undefined;
}

/** A record as loaded, with what a later save has to prove. */
export interface LoadedRecord {
  readonly record: SessionRecord;
  readonly version: number;
  /** Read through the id before a rotation: as it was then, and never writable. */
  readonly readOnly: boolean;
}

/** Records in Redis: atomic, sealed, bounded in time. Knows nothing of ids, cookies or frameworks. */
export class SessionStore {
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly #redis: Redis;
  readonly #encryption: Sealer;
  readonly #prefix: string;
  readonly #maxBytes: number;
  readonly #indexKey: Uint8Array | undefined;
  readonly #onRefused: (reason: RefusalReason, family: string) => void;

  constructor(options: SessionStoreOptions) {
    this.absoluteMs = bounded('absoluteMs', options.absoluteMs ?? MAX_ABSOLUTE_MS, MAX_ABSOLUTE_MS);
    this.idleMs = bounded('idleMs', options.idleMs ?? Math.min(HOUR, this.absoluteMs), this.absoluteMs);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#encryption = options.encryption;
    this.#prefix = checkedPrefix(options.prefix ?? 'sess:');
    this.#maxBytes = options.maxBytes ?? 65_536;
    this.#indexKey = options.indexKey === undefined ? undefined : decodeKey(options.indexKey);
    this.#onRefused = options.onRefused ?? (() => undefined);
  }

  refused(reason: RefusalReason, family: string): void {
    this.#onRefused(reason, family);
  }

  /** Stores a new record; `replace` allows one that is there, never one that was destroyed. Its version. */
  async create(address: SessionAddress, record: SessionRecord, idleMs = this.idleMs, replace = false): Promise<number> {
    const key = this.#key(address.family);
    const args = [address.proof, await this.#seal(key, address.proof, record), ms(idleMs, this.idleMs)];
    const version = await this.#redis.script(CREATE, [key], [...args, String(this.absoluteMs), replace ? '1' : '0']);
    if (version === 0) throw new GuardError('REDKEEP_SESSION_GONE');
    return Number(version);
  }

  /** The record, or undefined when there is none this id may see: missing, ended, tampered, sealed for another id. */
  async load(address: SessionAddress): Promise<LoadedRecord | undefined> {
    const key = this.#key(address.family);
    const [value, version, seen] = listOf(await this.#redis.read(key, 'HMGET', 'v', 'n', 's'));
    if (!Buffer.isBuffer(value)) return undefined;
    try {
      // The proof is part of what seals a record: it opens for the current id alone.
      return await this.#accept(key, address, value, seen, Number(textOf(version)), false);
    } catch (error) {
      if (!(error instanceof GuardError) || error.code === 'REDKEEP_ENCRYPTION_PROVIDER') throw error;
      if (error.code === 'REDKEEP_ENCRYPTION_TAMPERED') return this.#loadBefore(key, address, error.code);
      this.refused(error.code, address.family);
      return undefined;
    }
  }

  /** What an id reads that does not open the current record: the state before a rotation, or nothing. */
  async #loadBefore(key: string, address: SessionAddress, code: GuardErrorCode): Promise<LoadedRecord | undefined> {
    const reply = listOf(await this.#redis.read(key, 'HMGET', 'p', 'op', 'ov', 'oe'));
    const [proof, oldProof, oldValue, oldUntil] = reply;
    if (textOf(oldProof) !== address.proof || !(Number(textOf(oldUntil)) > Date.now())) {
      this.refused(textOf(proof) === address.proof ? code : 'old-id', address.family);
      return undefined;
    }
    try {
      return await this.#accept(key, address, oldValue, null, 0, true);
    } catch (error) {
      if (!(error instanceof GuardError) || error.code === 'REDKEEP_ENCRYPTION_PROVIDER') throw error;
      this.refused(error.code, address.family);
      return undefined;
    }
  }

  /** Replaces the record if it is still at `version`. The new version. Errors: REDKEEP_SESSION_GONE, _CONFLICT. */
  async save(address: SessionAddress, version: number, record: SessionRecord, idleMs = this.idleMs): Promise<number> {
    const key = this.#key(address.family);
    const sealed = await this.#seal(key, address.proof, record);
    const args = [address.proof, sealed, String(version), ms(idleMs, this.idleMs)];
    return changed(await this.#redis.script(SAVE, [key], args));
  }

  /** Moves the idle timeout on without rewriting the record. False when the session is gone. */
  async touch(address: SessionAddress, idleMs = this.idleMs): Promise<boolean> {
    const key = this.#key(address.family);
    const seen = await this.#encryption.seal(String(Date.now()), {
      space: 'sessions',
      key,
      field: `s:${address.proof}`,
    });
    return (await this.#redis.script(TOUCH, [key], [address.proof, seen, ms(idleMs, this.idleMs)])) === 1;
  }

  /** Gives the session a new id and record in one step. Errors: REDKEEP_SESSION_GONE, _CONFLICT. */
  async rotate(
    from: SessionAddress,
    version: number,
    to: SessionAddress,
    record: SessionRecord,
    graceMs: number,
  ): Promise<number> {
    const key = this.#key(from.family);
    const sealed = await this.#seal(key, to.proof, record);
    const args = [from.proof, String(version), to.proof, sealed, String(this.idleMs), String(graceMs)];
    return changed(await this.#redis.script(ROTATE, [key], args));
  }

  /** Ends a session; nothing that is still running can bring it back. With a proof, only if that is its id. */
  async destroy(family: string, proof = ''): Promise<boolean> {
    return (await this.#redis.script(DESTROY, [this.#key(family)], [proof, String(this.idleMs)])) === 1;
  }

  /** Notes that a session belongs to a user; called before the session gets that user. */
  async enlist(user: string, family: string, limit: number, evict: boolean): Promise<void> {
    const args = [family, String(this.absoluteMs), String(limit), evict ? '1' : '0'];
    let reply = await this.#redis.script(ENLIST, [this.#indexKeyOf(user)], args);
    if (reply === null) {
      // Some may have ended by their idle timeout, which the index cannot see.
      await this.familiesOf(user);
      reply = await this.#redis.script(ENLIST, [this.#indexKeyOf(user)], args);
    }
    if (reply === null) throw new GuardError('REDKEEP_SESSION_LIMIT', `limit ${limit}`);
    for (const oldest of listOf(reply)) {
      await this.destroy(textOf(oldest)!);
      await this.delist(user, textOf(oldest)!);
    }
  }

  async delist(user: string, family: string): Promise<void> {
    await this.#redis.write(this.#indexKeyOf(user), 'ZREM', family);
  }

  /** Live sessions of a user; forgets those that have ended. */
  async familiesOf(user: string): Promise<string[]> {
    const members = listOf(await this.#redis.read(this.#indexKeyOf(user), 'ZRANGE', '0', '-1')).map((m) => textOf(m)!);
    const live = await Promise.all(
      members.map(async (family) => (await this.#redis.read(this.#key(family), 'HGET', 'p')) !== null),
    );
    const ended = members.filter((_, at) => !live[at]);
    if (ended.length > 0) await this.#redis.write(this.#indexKeyOf(user), 'ZREM', ...ended);
    return members.filter((_, at) => live[at]);
  }

  /** Every live session, whoever's, by SCAN. */
  async *families(): AsyncGenerator<string> {
    const seen = new Set<string>();
    for (let cursor = '0'; ; ) {
      const page = await this.#redis.command('SCAN', cursor, 'MATCH', `${this.#prefix}{*`, 'COUNT', '250');
      const [next, found] = listOf(page);
      for (const name of listOf(found)) {
        const key = textOf(name)!;
        const family = key.slice(this.#prefix.length + 1, -1);
        if (seen.has(family)) continue;
        seen.add(family);
        // What is left of a session that was ended has no proof.
        if ((await this.#redis.read(key, 'HGET', 'p')) !== null) yield family;
      }
      cursor = textOf(next)!;
      if (cursor === '0') return;
    }
  }

  /** Every live record that opens, by SCAN. */
  async *records(): AsyncGenerator<SessionRecord> {
    for await (const family of this.families()) {
      const proof = textOf(await this.#redis.read(this.#key(family), 'HGET', 'p'));
      const loaded = proof === undefined ? undefined : await this.load({ family, proof });
      if (loaded !== undefined) yield loaded.record;
    }
  }

  /** Every family in the index, ended or not: what "log out everywhere" has to go through. */
  async enlisted(user: string): Promise<string[]> {
    return listOf(await this.#redis.read(this.#indexKeyOf(user), 'ZRANGE', '0', '-1')).map((m) => textOf(m)!);
  }

  /** Opens a record. Errors: those of `Encryption.open`; a record that does not open is no session. */
  async #accept(
    key: string,
    { family, proof }: SessionAddress,
    value: Reply,
    seen: Reply,
    version: number,
    readOnly: boolean,
  ): Promise<LoadedRecord | undefined> {
    const opened = await this.#encryption.open(value as Buffer, { space: 'sessions', key, field: `v:${proof}` });
    const record = JSON.parse(opened.toString()) as SessionRecord;
    if (Buffer.isBuffer(seen) && seen.length > 0) {
      const time = await this.#encryption.open(seen, { space: 'sessions', key, field: `s:${proof}` });
      record.seenAt = Math.max(record.seenAt, Number(time.toString()));
    }
    const now = Date.now() - CLOCK_SKEW_MS;
    if (now < record.createdAt + this.absoluteMs && now < record.seenAt + this.idleMs)
      return { record, version, readOnly };
    this.refused('expired', family);
    return undefined;
  }

  #seal(key: string, proof: string, record: SessionRecord): Buffer | Promise<Buffer> {
    const json = JSON.stringify(record);
    if (json.length > this.#maxBytes || Buffer.byteLength(json) > this.#maxBytes)
      throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `limit ${this.#maxBytes} bytes`);
    return this.#encryption.seal(json, { space: 'sessions', key, field: `v:${proof}` });
  }

  #key(family: string): string {
    return `${this.#prefix}{${family}}`;
  }

  #indexKeyOf(user: string): string {
    return `${this.#prefix}user:{${keyedHash(this.#indexKey, `user:${user}`)}}`;
  }
}

function bounded(name: string, value: number, most: number): number {
  if (!Number.isFinite(value) || value < 1000 || value > most)
    throw new GuardError('REDKEEP_GUARD_OPTION', `${name} must be from 1000 to ${most} ms`);
  return Math.floor(value);
}

function ms(value: number, most: number): string {
  return String(Math.max(1, Math.min(Math.floor(value), most)));
}

function changed(reply: Reply): number {
  if (reply === -1) throw new GuardError('REDKEEP_SESSION_GONE');
  if (reply === -2) throw new GuardError('REDKEEP_SESSION_CONFLICT');
  return Number(reply);
}
