import { GuardError } from '../errors.js';
import { DataKey } from './data-key.js';

/** A value, or the promise of one; `await` works on both and costs nothing when the key is at hand. */
export type Awaitable<T> = T | Promise<T>;

/** 32 bytes, or their base64, base64url or hex text. */
export type KeyMaterial = string | Uint8Array;

/**
 * Where keys come from. `current` seals new values; `find` returns the key a value names. Keys are chosen by their
 * id and never by trial: GCM does not commit to its key, so "the key that happens to decrypt" proves nothing.
 */
export interface KeyRing {
  current(): Awaitable<DataKey>;
  find(id: string): Awaitable<DataKey | undefined>;
}

/** After a key id was not found, the source is asked again at most this often (a flood of foreign ids must not reach it). */
const RELOAD_INTERVAL_MS = 1000;

/** Options of {@link LoadedKeyRing}. */
export interface LoadedKeyRingOptions {
  /** Milliseconds after which the source is read again in the background; default: never. */
  readonly maxAgeMs?: number;
  /** Milliseconds on a clock that never goes back; default `performance.now`. */
  readonly clock?: () => number;
}

/**
 * Key ring over a source that yields all keys at once, newest first. Keys already loaded stay usable while the
 * source is away: reads and writes go on, and the failure surfaces only when a key is needed that nobody has seen.
 */
export class LoadedKeyRing implements KeyRing {
  readonly #source: () => Awaitable<readonly KeyMaterial[]>;
  readonly #maxAgeMs: number;
  readonly #clock: () => number;
  #current: DataKey | undefined;
  #keys = new Map<string, DataKey>();
  #loadedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(source: () => Awaitable<readonly KeyMaterial[]>, options: LoadedKeyRingOptions = {}) {
    this.#source = source;
    this.#maxAgeMs = options.maxAgeMs ?? Number.POSITIVE_INFINITY;
    this.#clock = options.clock ?? (() => performance.now());
  }

  current(): Awaitable<DataKey> {
    const key = this.#current;
    if (key === undefined) return this.reload().then(() => this.#current!);
    // Old keys still work: refresh beside the traffic, not in front of it.
    if (this.#clock() - this.#loadedAt > this.#maxAgeMs && this.#mayRetry()) this.reload().catch(() => undefined);
    return key;
  }

  find(id: string): Awaitable<DataKey | undefined> {
    const key = this.#keys.get(id);
    if (key !== undefined || (this.#current !== undefined && !this.#mayRetry())) return key;
    return this.reload().then(() => this.#keys.get(id));
  }

  /** Reads the source now. Errors: REDKEEP_ENCRYPTION_KEY, REDKEEP_ENCRYPTION_PROVIDER. */
  reload(): Promise<void> {
    this.#triedAt = this.#clock();
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Takes these keys, newest first; for sources that need no waiting. */
  accept(materials: readonly KeyMaterial[]): void {
    if (materials.length === 0) throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'the key ring is empty');
    const keys = new Map<string, DataKey>();
    for (const material of materials) {
      const key = new DataKey(decodeKey(material));
      // An instance already in use keeps its subkey and nonce counter.
      if (!keys.has(key.id)) keys.set(key.id, this.#keys.get(key.id) ?? key);
    }
    this.#keys = keys;
    this.#current = keys.values().next().value;
    this.#loadedAt = this.#clock();
  }

  #mayRetry(): boolean {
    return this.#clock() - this.#triedAt >= RELOAD_INTERVAL_MS;
  }

  async #load(): Promise<void> {
    this.accept(await askProvider(this.#source));
  }
}

/** What a provider answers; whatever it fails with becomes REDKEEP_ENCRYPTION_PROVIDER. */
export async function askProvider<T>(ask: () => Awaitable<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw cause instanceof GuardError ? cause : new GuardError('REDKEEP_ENCRYPTION_PROVIDER', undefined, { cause });
  }
}

/**
 * Text form of a key ring, as found in files and variables: one key per line (or separated by commas), newest first;
 * `#` starts a comment.
 */
export function parseKeyLines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** 32 bytes from bytes, hex, base64 or base64url. Errors: REDKEEP_ENCRYPTION_KEY, never quoting the text. */
export function decodeKey(material: KeyMaterial): Uint8Array {
  if (typeof material !== 'string') {
    if (!(material instanceof Uint8Array)) throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'neither text nor bytes');
    if (material.length !== 32) throw new GuardError('REDKEEP_ENCRYPTION_KEY', `${material.length} bytes and not 32`);
    return material;
  }
  const text = material.trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64');
  throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'neither 64 hex digits nor 43 base64 characters');
}
