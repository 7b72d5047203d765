import { keyedHash } from '../digest.js';
import type { Sealer } from '../encryption/encryption.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { isSealed } from '../encryption/sealed-format.js';
import { GuardError, type GuardErrorCode, hasCode } from '../errors.js';
import { callback, client, key, number, prefix, required, type Schema, sealer, timeout, whole } from '../options.js';
import { type GuardClient, listOf, Redis, type Reply, textOf } from '../redis/redis.js';
import type { SessionAddress } from './session-id.js';
import {
  CREATE,
  DELIST,
  DESTROY,
  ENLIST,
  ENLISTED,
  READ_BEFORE,
  ROTATE,
  SAVE,
  SETTLED_MS,
  TOUCH,
} from './session-scripts.js';

const HOUR = 3_600_000;
/** No session lives longer, whatever is asked for. */
export const MAX_ABSOLUTE_MS = 24 * HOUR;
/** Clocks of application servers may differ by this much before a sealed time counts against a session. */
const CLOCK_SKEW_MS = 60_000;

/** Why a stored session was not accepted; reported, never shown to the user. */
export type RefusalReason = 'fingerprint' | 'expired' | 'old-id' | 'replayed' | GuardErrorCode;

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
  /** Milliseconds to wait for Redis; default 5000. */
  readonly timeoutMs?: number;
  /** 32 bytes that turn user names into index keys (HMAC). Without it they are plain SHA-256: guessable by trying names. */
  readonly indexKey?: KeyMaterial;
  /** Called when a stored session is refused: a stolen cookie, a tampered record. For the audit trail. */
  readonly onRefused?: (reason: RefusalReason, family: string) => void;
}

/** For the schemas of both forms. */
export const SESSION_STORE: Schema<SessionStoreOptions> = {
  client: required(client),
  encryption: required(sealer),
  prefix,
  idleMs: number(1000, MAX_ABSOLUTE_MS),
  absoluteMs: number(1000, MAX_ABSOLUTE_MS),
  maxBytes: whole(1),
  timeoutMs: timeout,
  indexKey: key,
  onRefused: callback,
};

/** What is sealed: the application's data and the times that no EXPIRE can change. */
export interface SessionRecord {
  user?: string | undefined;
  data: unknown;
  /** Unix milliseconds. */
  createdAt: number;
  seenAt: number;
  fingerprint?: string | undefined;
  /** What the session is to its user in a list: a browser, a phone. */
  device?: string | undefined;
}

/** A record with what only the store puts into it. */
interface SealedRecord extends SessionRecord {
  /** Version: the hash says it too, and both must agree. */
  n: number;
  /** Unix ms; only in the copy that an id before a rotation reads. */
  until?: number | undefined;
}

/** A record as loaded, with what a later save has to prove. */
export interface LoadedRecord {
  readonly record: SessionRecord;
  readonly version: number;
  /** Read through the id before a rotation: as it was then, and never writable. */
  readonly readOnly: boolean;
}

/** How many sessions a user may have; `most` 0 for any number. */
export interface UserLimit {
  readonly most: number;
  readonly evict: boolean;
}

/** A live session in the list of a user. */
export interface ListedRecord {
  readonly family: string;
  readonly record: SessionRecord;
}

const NO_LIMIT: UserLimit = { most: 0, evict: true };
/** Sessions whose newest version one process remembers. */
const MAX_REMEMBERED = 10_000;
/** What a record that does not open says about the record; every other failure is the operator's or an outage. */
const NOT_OURS: readonly GuardErrorCode[] = ['REDKEEP_ENCRYPTION_TAMPERED', 'REDKEEP_ENCRYPTION_FOREIGN'];

/** One state of a session among the others. */
interface SessionState {
  readonly createdAt: number;
  readonly version: number;
}

/** A record as Redis gave it. */
interface StoredRecord {
  readonly value: Buffer;
  readonly seen: Reply;
  readonly version: number;
  /** The newest state that this process knew when it asked. */
  readonly newest: SessionState | undefined;
}

interface Membership {
  readonly family: string;
  readonly score: string;
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
  /** Newest state seen of a session: an older one put back is refused in this process. */
  readonly #newest = new Map<string, SessionState>();

  constructor(options: SessionStoreOptions) {
    this.absoluteMs = bounded('absoluteMs', options.absoluteMs ?? MAX_ABSOLUTE_MS, MAX_ABSOLUTE_MS);
    this.idleMs = bounded('idleMs', options.idleMs ?? Math.min(HOUR, this.absoluteMs), this.absoluteMs);
    this.#redis = new Redis(options.client, options.timeoutMs);
    this.#encryption = options.encryption;
    this.#prefix = options.prefix ?? 'sess:';
    this.#maxBytes = options.maxBytes ?? 65_536;
    this.#indexKey = options.indexKey === undefined ? undefined : decodeKey(options.indexKey);
    this.#onRefused = options.onRefused ?? (() => undefined);
  }

  refused(reason: RefusalReason, family: string): void {
    this.#onRefused(reason, family);
  }

  /**
   * Stores a new record; `replace` allows one that is there, never one that was destroyed. Returns its version.
   * Errors: REDKEEP_VALUE_TOO_LARGE before anything happens, REDKEEP_SESSION_LIMIT, REDKEEP_SESSION_GONE.
   */
  async create(
    address: SessionAddress,
    record: SessionRecord,
    options: { readonly idleMs?: number; readonly replace?: boolean; readonly limit?: UserLimit } = {},
  ): Promise<number> {
    const { idleMs = this.idleMs, replace = false, limit = NO_LIMIT } = options;
    const key = this.#key(address.family);
    let enlisted: string | undefined;
    for (let version = 1; ; ) {
      const sealed = await this.#seal(key, address.proof, record, version);
      enlisted ??= await this.#enlistFor(record.user, address.family, limit);
      const [done, current] = listOf(
        await this.#redis.script(
          CREATE,
          [key],
          [
            address.proof,
            sealed,
            String(version),
            ms(idleMs, this.idleMs),
            String(this.absoluteMs),
            replace ? '1' : '0',
            this.#userHash(record.user),
            enlisted,
          ],
        ),
      ) as [number, number];
      if (done === 1) {
        this.#remember(address.family, record.createdAt, version);
        return version;
      }
      if (done !== -2) throw gone(done);
      version = current + 1;
    }
  }

  /**
   * The record, or undefined when there is none that this id may see: missing, ended, tampered with, sealed for
   * another id. Errors: REDKEEP_ENCRYPTION_KEY_UNKNOWN, _VERSION and _PROVIDER, which say nothing about the session.
   */
  async load(address: SessionAddress): Promise<LoadedRecord | undefined> {
    const key = this.#key(address.family);
    // What was known when the read began: another request's save may be answered before this read has been opened.
    const newest = this.#newest.get(address.family);
    const [value, version, seen] = listOf(await this.#redis.read(key, 'HMGET', 'v', 'n', 's'));
    if (!Buffer.isBuffer(value)) return undefined;
    try {
      // The proof is part of what seals a record: it opens for the current id alone.
      return await this.#accept(key, address, { value, seen, version: Number(textOf(version)), newest });
    } catch (error) {
      if (!hasCode(error, ...NOT_OURS)) throw error;
      if (error.code === 'REDKEEP_ENCRYPTION_TAMPERED') return this.#loadBefore(key, address, error.code);
      this.refused(error.code, address.family);
      return undefined;
    }
  }

  /** What an id reads that does not open the current record: the state before a rotation, or nothing. */
  async #loadBefore(key: string, address: SessionAddress, code: GuardErrorCode): Promise<LoadedRecord | undefined> {
    const [found, value] = listOf(await this.#redis.script(READ_BEFORE, [key], [address.proof]));
    if (found !== 1) {
      this.refused(value === 1 ? code : 'old-id', address.family);
      return undefined;
    }
    try {
      const record = await this.#open(key, `o:${address.proof}`, value as Buffer);
      if (!this.#isInTime(record)) {
        this.refused('expired', address.family);
        return undefined;
      }
      return { record, version: 0, readOnly: true };
    } catch (error) {
      if (!hasCode(error, ...NOT_OURS)) throw error;
      this.refused(error.code, address.family);
      return undefined;
    }
  }

  /** Replaces the record if it is still as loaded. Returns the new version. Errors: REDKEEP_SESSION_GONE, _CONFLICT. */
  async save(
    address: SessionAddress,
    loaded: Pick<LoadedRecord, 'version' | 'record'>,
    record: SessionRecord,
    options: { readonly idleMs?: number; readonly limit?: UserLimit } = {},
  ): Promise<number> {
    const key = this.#key(address.family);
    const version = loaded.version + 1;
    const sealed = await this.#seal(key, address.proof, record, version);
    return this.#changeUser(address.family, loaded.record.user, record, options.limit, (user, enlisted) => {
      const args = [address.proof, sealed, String(loaded.version), ms(options.idleMs ?? this.idleMs, this.idleMs)];
      return this.#redis.script(SAVE, [key], [...args, user, enlisted]);
    });
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

  /**
   * Gives the session a new id and record in one step. An id of a user reads the state before for `graceMs`, unless
   * the user changes. Errors: REDKEEP_SESSION_GONE, _CONFLICT.
   */
  async rotate(
    from: SessionAddress,
    loaded: Pick<LoadedRecord, 'version' | 'record'>,
    to: SessionAddress,
    record: SessionRecord,
    graceMs: number,
    limit?: UserLimit,
  ): Promise<number> {
    const key = this.#key(from.family);
    const left = loaded.record.user !== undefined && loaded.record.user !== record.user ? 0 : graceMs;
    const sealed = await this.#seal(key, to.proof, record, loaded.version + 1);
    const before: SealedRecord = { ...loaded.record, n: loaded.version, until: Date.now() + left };
    const old = left > 0 ? await this.#sealJson(key, `o:${from.proof}`, JSON.stringify(before)) : '';
    return this.#changeUser(from.family, loaded.record.user, record, limit, (user, enlisted) => {
      const args = [from.proof, String(loaded.version), to.proof, sealed, String(this.idleMs), String(left), old];
      return this.#redis.script(ROTATE, [key], [...args, user, enlisted]);
    });
  }

  /** Ends a session; nothing that is still running can bring it back. With a proof, only if that is its id. */
  async destroy(family: string, proof = ''): Promise<boolean> {
    const args = [proof, this.#tombstoneMs, '*', '1'];
    const [status, user] = listOf(await this.#redis.script(DESTROY, [this.#key(family)], args));
    const hash = textOf(user) ?? '';
    if (hash !== '') await this.#redis.write(this.#indexKeyOf(hash), 'ZREM', family);
    return status === 1;
  }

  /** Ends a session if it is this user's. */
  async destroyOf(user: string, family: string): Promise<boolean> {
    const hash = this.#userHash(user);
    const [status] = listOf(await this.#redis.script(DESTROY, [this.#key(family)], ['', this.#tombstoneMs, hash, '0']));
    if (status === 1) await this.#redis.write(this.#indexKeyOf(hash), 'ZREM', family);
    return status === 1;
  }

  /** Ends all sessions of a user, those that are just getting this user included. Returns how many there were. */
  async destroyAllOf(user: string, spared: string | undefined): Promise<number> {
    const hash = this.#userHash(user);
    const { members, isSettled } = await this.#enlisted(hash);
    const ended = await Promise.all(
      members
        .filter(({ family }) => family !== spared)
        .map((entry) => this.#endEnlisted(hash, entry, isSettled(entry.score))),
    );
    return ended.filter(Boolean).length;
  }

  /** Live sessions of a user, oldest first. Changes nothing: what is missing may be on its way. */
  async familiesOf(user: string): Promise<string[]> {
    const hash = this.#userHash(user);
    const { members } = await this.#enlisted(hash);
    const live = await Promise.all(members.map(({ family }) => this.#isLive(family, hash)));
    return members.filter((_, at) => live[at]).map(({ family }) => family);
  }

  /** Live sessions of a user with their records, oldest first. */
  async recordsOf(user: string): Promise<ListedRecord[]> {
    const loaded = await Promise.all(
      (await this.familiesOf(user)).map(async (family) => {
        const record = await this.#recordOf(family);
        return record === undefined || record.user !== user ? undefined : { family, record };
      }),
    );
    return loaded.filter((listed) => listed !== undefined);
  }

  /** Every live session of all users, by SCAN. */
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
      const record = await this.#recordOf(family);
      if (record !== undefined) yield record;
    }
  }

  async #recordOf(family: string): Promise<SessionRecord | undefined> {
    const proof = textOf(await this.#redis.read(this.#key(family), 'HGET', 'p'));
    return proof === undefined ? undefined : (await this.load({ family, proof }))?.record;
  }

  async #isLive(family: string, userHash: string): Promise<boolean> {
    const [proof, user] = listOf(await this.#redis.read(this.#key(family), 'HMGET', 'p', 'u'));
    return proof !== null && textOf(user) === userHash;
  }

  async #enlisted(hash: string): Promise<{ members: Membership[]; isSettled: (score: string) => boolean }> {
    const [now, ...flat] = listOf(await this.#redis.script(ENLISTED, [this.#indexKeyOf(hash)], []));
    return { members: membersOf(flat), isSettled: settledAt(now) };
  }

  /** Changes a session's user, if it changes: into the new index before, out of the old one after. */
  async #changeUser(
    family: string,
    before: string | undefined,
    record: SessionRecord,
    limit: UserLimit | undefined,
    change: (user: string, enlisted: string) => Promise<Reply>,
  ): Promise<number> {
    if (before === record.user) return this.#changed(family, record, await change('=', ''));
    const left = before === undefined ? undefined : this.#userHash(before);
    // An entry that somebody renews meanwhile is not ours to take out.
    const score = left === undefined ? null : await this.#redis.read(this.#indexKeyOf(left), 'ZSCORE', family);
    const enlisted = await this.#enlistFor(record.user, family, limit ?? NO_LIMIT);
    const version = this.#changed(family, record, await change(this.#userHash(record.user), enlisted));
    if (left !== undefined && score !== null) await this.#delist(left, [{ family, score: textOf(score)! }]);
    return version;
  }

  #changed(family: string, record: SessionRecord, reply: Reply): number {
    const version = Number(reply);
    if (version === -2) throw new GuardError('REDKEEP_SESSION_CONFLICT');
    if (version < 0) throw gone(version);
    this.#remember(family, record.createdAt, version);
    return version;
  }

  /** Notes that a session is about to get a user, and when; '' without a user. Errors: REDKEEP_SESSION_LIMIT. */
  async #enlistFor(user: string | undefined, family: string, limit: UserLimit): Promise<string> {
    if (user === undefined) return '';
    const hash = this.#userHash(user);
    const index = this.#indexKeyOf(hash);
    const most = String(limit.most);
    let [done, at, ...flat] = listOf(await this.#redis.script(ENLIST, [index], [family, most, '0']));
    if (done !== 1) {
      // Some may have ended without leaving the index: by their idle timeout, or in a crash.
      const leftOver = await this.#leftOver(hash, membersOf(flat), settledAt(at));
      const args = [family, most, limit.evict ? '1' : '2', ...leftOver.flatMap((entry) => [entry.family, entry.score])];
      [done, at, ...flat] = listOf(await this.#redis.script(ENLIST, [index], args));
    }
    if (done !== 1) throw new GuardError('REDKEEP_SESSION_LIMIT', `limit ${limit.most}`);
    const isSettled = settledAt(at);
    for (const victim of membersOf(flat)) await this.#endEnlisted(hash, victim, isSettled(victim.score));
    return textOf(at)!;
  }

  /** Ends what an entry of an index stands for. On its way to this user it ends, too, whosever it still is. */
  async #endEnlisted(hash: string, entry: Membership, settled: boolean): Promise<boolean> {
    const args = ['', this.#tombstoneMs, settled ? hash : '*', settled ? '0' : '1'];
    const [status] = listOf(await this.#redis.script(DESTROY, [this.#key(entry.family)], args));
    await this.#delist(hash, [entry]);
    return status === 1;
  }

  async #leftOver(
    hash: string,
    members: readonly Membership[],
    isSettled: (score: string) => boolean,
  ): Promise<Membership[]> {
    const dead = await Promise.all(
      members.map(async ({ family, score }) => isSettled(score) && !(await this.#isLive(family, hash))),
    );
    return members.filter((_, at) => dead[at]);
  }

  async #delist(hash: string, entries: readonly Membership[]): Promise<void> {
    const args = entries.flatMap(({ family, score }) => [family, score]);
    await this.#redis.script(DELIST, [this.#indexKeyOf(hash)], args);
  }

  /** Opens a record. Errors: those of `Encryption.open`; a record that does not open is not a session. */
  async #accept(
    key: string,
    { family, proof }: SessionAddress,
    { value, seen, version, newest }: StoredRecord,
  ): Promise<LoadedRecord | undefined> {
    const record = await this.#open(key, `v:${proof}`, value);
    if (Buffer.isBuffer(seen) && seen.length > 0) {
      const time = await this.#openBytes(key, `s:${proof}`, seen);
      record.seenAt = Math.max(record.seenAt, Number(time.toString()));
    }
    if (record.n !== version) throw new GuardError('REDKEEP_ENCRYPTION_TAMPERED', 'version');
    if (newest !== undefined && isOlder(record, newest)) {
      this.refused('replayed', family);
      return undefined;
    }
    if (!this.#isInTime(record)) {
      this.refused('expired', family);
      return undefined;
    }
    this.#remember(family, record.createdAt, version);
    return { record, version, readOnly: false };
  }

  #isInTime({ createdAt, seenAt, until = Number.POSITIVE_INFINITY }: SealedRecord): boolean {
    const now = Date.now() - CLOCK_SKEW_MS;
    return now < createdAt + this.absoluteMs && now < seenAt + this.idleMs && now < until;
  }

  async #open(key: string, field: string, value: Buffer): Promise<SealedRecord> {
    return JSON.parse((await this.#openBytes(key, field, value)).toString()) as SealedRecord;
  }

  #openBytes(key: string, field: string, value: Buffer): Promise<Buffer> | Buffer {
    // Whatever a migration accepts elsewhere, a session that was never sealed would be anybody's to make.
    if (!isSealed(value)) throw new GuardError('REDKEEP_ENCRYPTION_FOREIGN');
    return this.#encryption.open(value, { space: 'sessions', key, field });
  }

  #seal(key: string, proof: string, record: SessionRecord, n: number): Buffer | Promise<Buffer> {
    const json = JSON.stringify({ ...record, n, until: undefined });
    if (json.length > this.#maxBytes || Buffer.byteLength(json) > this.#maxBytes)
      throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `limit ${this.#maxBytes} bytes`);
    return this.#sealJson(key, `v:${proof}`, json);
  }

  #sealJson(key: string, field: string, json: string): Buffer | Promise<Buffer> {
    return this.#encryption.seal(json, { space: 'sessions', key, field });
  }

  /** Replies may be read in another order than Redis gave them: an older one takes nothing back. */
  #remember(family: string, createdAt: number, version: number): void {
    const known = this.#newest.get(family);
    if (known !== undefined && version <= known.version && createdAt <= known.createdAt) return;
    if (this.#newest.size >= MAX_REMEMBERED && !this.#newest.has(family))
      this.#newest.delete(this.#newest.keys().next().value!);
    this.#newest.set(family, { createdAt, version });
  }

  get #tombstoneMs(): string {
    return String(Math.max(this.idleMs, SETTLED_MS));
  }

  #key(family: string): string {
    return `${this.#prefix}{${family}}`;
  }

  #userHash(user: string | undefined): string {
    return user === undefined ? '' : keyedHash(this.#indexKey, `user:${user}`);
  }

  #indexKeyOf(userHash: string): string {
    return `${this.#prefix}user:{${userHash}}`;
  }
}

function isOlder(record: SealedRecord, newest: SessionState): boolean {
  return record.createdAt < newest.createdAt || (record.createdAt === newest.createdAt && record.n < newest.version);
}

function membersOf(flat: readonly Reply[]): Membership[] {
  const members: Membership[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) members.push({ family: textOf(flat[i])!, score: textOf(flat[i + 1])! });
  return members;
}

function settledAt(now: Reply): (score: string) => boolean {
  return (score) => Number(textOf(now)) - Number(score) > SETTLED_MS * 1000;
}

function bounded(name: string, value: number, most: number): number {
  if (!Number.isFinite(value) || value < 1000 || value > most)
    throw new GuardError('REDKEEP_GUARD_OPTION', `${name} must be from 1000 to ${most} ms`);
  return Math.floor(value);
}

function ms(value: number, most: number): string {
  return String(Math.max(1, Math.min(Math.floor(value), most)));
}

function gone(status: number): GuardError {
  return new GuardError('REDKEEP_SESSION_GONE', status === -3 ? 'it took longer than 15 seconds to store' : undefined);
}
