import type { KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { replaceFile } from '../../files/replace-file.js';
import { type Entry, type EntryBody, entrySchema, objectOf } from '../format/entry.js';
import { entryName } from '../format/names.js';
import { publicKeyText, readSigned, sha256Of, signerId, signLine } from '../format/signed.js';
import { ObjectExists, type Store } from '../store/store.js';
import { orAborted } from './or-aborted.js';
import type { Sealed } from './seal-stream.js';

/** Where a shard's archive ends and goes on. */
export interface ShardPosition {
  readonly history: number;
  readonly replid: string;
  /** Bytes of the stream that are sealed. */
  readonly offset: number;
  readonly second: number;
  readonly database: number;
  /** When the newest base was taken. */
  readonly baseSecond: number;
}

interface SpoolState {
  readonly format: 1;
  readonly source: string;
  readonly seq: number;
  readonly hash: string | null;
  readonly shards: Readonly<Record<string, ShardPosition>>;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly source: string;
  readonly store: Store;
  readonly signer: KeyObject;
  /** Sealed bytes that may wait for the store. */
  readonly limitBytes: number;
  readonly now: () => Date;
  /** Told when the store fails and when it works again. */
  readonly onStore: (problem: string | undefined) => void;
}

const stateFile = 'state.json';
const retryMs = [250, 1000, 5000, 15_000, 30_000] as const;

/**
 * What is sealed and has not reached the store. An entry is committed by one rename: before it nothing has happened,
 * after it the entry is part of the chain and is uploaded, now or after a crash. Objects go first, entries in order.
 *
 *     sealed file ─> spool/N.object ─> spool/N.entry (commit) ─> state.json ─> store: object, entry ─> both removed
 */
export class Spool {
  readonly writer: string;
  readonly publicKey: string;
  readonly #options: SpoolOptions;
  readonly #folder: string;
  #state: SpoolState;
  #waiting: number[] = [];
  #bytes = 0;
  #uploaded = 0;
  #committing: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;
  #emptied: (() => void)[] = [];
  #storeFails = false;
  #isStateWritten = true;

  private constructor(options: SpoolOptions, state: SpoolState) {
    this.#options = options;
    this.#folder = path.join(options.folder, 'spool');
    this.#state = state;
    this.publicKey = publicKeyText(options.signer);
    this.writer = signerId(this.publicKey);
  }

  /** Opens the spool and takes up what a crash has left. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const state = await readState(options);
    const spool = new Spool(options, state);
    await mkdir(spool.#folder, { recursive: true, mode: 0o700 });
    await spool.#recover();
    return spool;
  }

  get seq(): number {
    return this.#state.seq;
  }

  /** Sealed bytes that wait for the store. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries that wait for the store. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Entries that reached the store since the start. */
  get uploaded(): number {
    return this.#uploaded;
  }

  position(shard: string): ShardPosition | undefined {
    return this.#state.shards[shard];
  }

  /** A new file name for what is being sealed; what is left of it after a crash is removed at the next start. */
  openFile(): string {
    return path.join(this.#folder, `open-${process.pid}-${counter++}`);
  }

  /**
   * Adds an entry to the chain. `body` is told the name of its object by `sealed`, whose file moves into the spool.
   * Waits while the spool is full, which slows the stream down instead of dropping anything.
   */
  commit(body: EntryBody, sealed?: Sealed): Promise<Entry> {
    const result = this.#committing.then(() => this.#commit(body, sealed));
    this.#committing = result.catch(() => undefined);
    return result;
  }

  async #commit(body: EntryBody, sealed: Sealed | undefined): Promise<Entry> {
    const seq = this.#state.seq + 1;
    const entry: Entry = {
      format: 1,
      source: this.#options.source,
      writer: this.writer,
      seq,
      previous: this.#state.hash,
      at: this.#options.now().toISOString(),
      body,
    };
    const line = JSON.stringify(entry);
    if (sealed) await rename(sealed.file, this.#file(seq, 'object'));
    await replaceFile(this.#file(seq, 'entry'), signLine(line, this.#options.signer));
    this.#bytes += sealed?.bytes ?? 0;
    this.#waiting.push(seq);
    // The entry is committed: a disk that is full now may cost the state of it until there is room, not its upload.
    await this.#adopt(entry, sha256Of(line)).catch(() => undefined);
    this.#wake?.();
    return entry;
  }

  /** Resolves when there is room for more, at once in most cases. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#bytes > this.#options.limitBytes && !signal.aborted) await this.#change(signal);
  }

  get isFull(): boolean {
    return this.#bytes > this.#options.limitBytes;
  }

  /** Resolves when everything committed so far is in the store. */
  async drained(signal: AbortSignal): Promise<void> {
    await this.#committing;
    while (this.#waiting.length > 0 && !signal.aborted) await this.#change(signal);
  }

  /** Uploads what waits, in order, until it is told to stop. A store that fails is tried again and again. */
  async upload(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const seq = this.#waiting[0];
      if (seq === undefined) {
        await orAborted(signal, (resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      try {
        await this.#uploadOne(seq);
        failures = 0;
        if (this.#storeFails) this.#options.onStore(undefined);
        this.#storeFails = false;
      } catch (error) {
        if (!this.#storeFails) this.#options.onStore(error instanceof Error ? error.message : String(error));
        this.#storeFails = true;
        const pause = retryMs[Math.min(failures++, retryMs.length - 1)]!;
        await delay(pause, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** One attempt for everything that waits; the error of the store where it fails. */
  async flush(): Promise<void> {
    await this.#committing;
    for (let seq = this.#waiting[0]; seq !== undefined; seq = this.#waiting[0]) await this.#uploadOne(seq);
  }

  async #uploadOne(seq: number): Promise<void> {
    const { store, source } = this.#options;
    const signed = await readFile(this.#file(seq, 'entry'));
    const entry = entrySchema.parse(JSON.parse(readSigned(signed)?.line ?? 'null'));
    const object = objectOf(entry);
    if (object) {
      const file = this.#file(seq, 'object');
      await putOnce(store, object.name, { file, bytes: object.bytes }, object.bytes);
    }
    await putOnce(store, entryName(source, this.writer, seq), { data: signed }, signed.length);
    // Only what the state knows may leave the spool: a start finds the rest there.
    if (!this.#isStateWritten) await this.#writeState();
    await rm(this.#file(seq, 'entry'));
    await rm(this.#file(seq, 'object'), { force: true });
    this.#waiting.shift();
    this.#bytes -= object?.bytes ?? 0;
    this.#uploaded += 1;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #change(signal: AbortSignal): Promise<void> {
    return orAborted(signal, (resolve) => this.#emptied.push(resolve));
  }

  async #adopt(entry: Entry, hash: string): Promise<void> {
    const { body } = entry;
    const shards = { ...this.#state.shards };
    if ('shard' in body) {
      const next = positionAfter(shards[body.shard], body);
      if (next) shards[body.shard] = next;
    }
    this.#state = { ...this.#state, seq: entry.seq, hash, shards };
    this.#isStateWritten = false;
    await this.#writeState();
  }

  async #writeState(): Promise<void> {
    const state = this.#state;
    await replaceFile(path.join(this.#options.folder, stateFile), `${JSON.stringify(state, null, 2)}\n`);
    if (this.#state === state) this.#isStateWritten = true;
  }

  async #recover(): Promise<void> {
    const names = await readdir(this.#folder);
    const committed = names.flatMap((name) => (/^\d+\.entry$/.test(name) ? [Number.parseInt(name, 10)] : []));
    committed.sort((a, b) => a - b);
    for (const name of names) {
      const isPart = !/^\d+\.(entry|object)$/.test(name);
      const isOrphan = name.endsWith('.object') && !committed.includes(Number.parseInt(name, 10));
      if (isPart || isOrphan) await rm(path.join(this.#folder, name), { force: true });
    }
    for (const seq of committed) {
      const signed = readSigned(await readFile(this.#file(seq, 'entry')));
      const entry = signed && entrySchema.safeParse(JSON.parse(signed.line)).data;
      if (!entry || entry.seq !== seq || entry.writer !== this.writer) throw spoolDamaged(this.#options.folder);
      if (seq > this.#state.seq) {
        if (seq !== this.#state.seq + 1 || entry.previous !== this.#state.hash)
          throw spoolDamaged(this.#options.folder);
        await this.#adopt(entry, sha256Of(signed.line));
      }
      if (objectOf(entry)) this.#bytes += await sizeOf(this.#file(seq, 'object'));
      this.#waiting.push(seq);
    }
  }

  #file(seq: number, kind: 'entry' | 'object'): string {
    return path.join(this.#folder, `${String(seq).padStart(10, '0')}.${kind}`);
  }
}

let counter = 0;

function positionAfter(before: ShardPosition | undefined, body: EntryBody): ShardPosition | undefined {
  if (body.kind === 'base') {
    const { history, replid, offset, second } = body;
    const continues = before?.history === history && before.offset >= offset;
    // A later base of a stream that goes on: only its age counts.
    if (continues) return { ...before, baseSecond: second };
    return { history, replid, offset, second, database: 0, baseSecond: second };
  }
  if (!before) return undefined;
  if (body.kind === 'segment') {
    return { ...before, replid: body.replid, offset: body.to, second: body.lastSecond, database: body.database };
  }
  if (body.kind === 'quiet') return { ...before, replid: body.replid, offset: body.to, second: body.lastSecond };
  if (body.kind === 'failover') return { ...before, replid: body.replid };
  return undefined;
}

async function putOnce(store: Store, name: string, content: Parameters<Store['put']>[1], bytes: number): Promise<void> {
  try {
    await store.put(name, content);
  } catch (error) {
    if (!(error instanceof ObjectExists)) throw error;
    // Ours, from before a crash, or somebody else's: the same name with another length is not ours.
    const folder = name.slice(0, name.lastIndexOf('/') + 1);
    const there = (await store.list(folder)).find((object) => object.name === name);
    if (there?.bytes !== bytes) throw new Error(`${name} is in the store already, with other content`);
  }
}

async function readState({ folder, source }: SpoolOptions): Promise<SpoolState> {
  const text = await readIfPresent(path.join(folder, stateFile));
  if (text === undefined) return { format: 1, source, seq: 0, hash: null, shards: {} };
  const state = JSON.parse(text) as SpoolState;
  if (state.format === 1 && state.source === source) return state;
  throw new CliError(
    'REDKEEP_USAGE',
    `The state in ${folder} is of the source "${state.source}", not of "${source}".`,
    'Give each source a state folder of its own with --state.',
  );
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file)).size;
}

function spoolDamaged(folder: string): CliError {
  return new CliError(
    'REDKEEP_BACKUP_DAMAGED',
    `The spool in ${folder} was changed by hand.`,
    'Keep the folder for inspection and start with a new one (--state); a new chain and a new base begin there.',
  );
}
