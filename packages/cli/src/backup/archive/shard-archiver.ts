import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../../errors.js';
import { baseName, segmentName } from '../format/names.js';
import { type RdbHeader, rdbHeaderBytes, readRdbHeader } from '../stream/rdb-header.js';
import { type Position, ReplicationLink, type ReplicationLogin } from '../stream/replication-link.js';
import type { StreamEndpoint } from '../stream/stamped-socket.js';
import { type ArchiveClock, secondOf } from './archive-clock.js';
import { orAborted } from './or-aborted.js';
import { type Sealed, SealStream } from './seal-stream.js';
import { type Segment, SegmentWriter } from './segment-writer.js';
import type { Spool } from './spool.js';

/** What an archiver tells while it works; nothing in it is secret. */
export type ArchiveEvent =
  | { readonly kind: 'connected'; readonly shard: string; readonly address: string; readonly resumed: boolean }
  | { readonly kind: 'disconnected'; readonly shard: string; readonly address: string; readonly reason: string }
  | { readonly kind: 'base'; readonly shard: string; readonly bytes: number; readonly offset: number }
  | { readonly kind: 'snapshot-progress'; readonly shard: string; readonly bytes: number }
  | { readonly kind: 'segment'; readonly shard: string; readonly to: number; readonly lastSecond: number }
  | { readonly kind: 'gap'; readonly shard: string; readonly reason: string }
  | { readonly kind: 'failover'; readonly shard: string }
  | { readonly kind: 'clock'; readonly byMs: number }
  | {
      readonly kind: 'cut';
      readonly oneMoment: boolean;
      readonly pausedMs: number;
      readonly reason: string | undefined;
    }
  | { readonly kind: 'spool-full'; readonly bytes: number }
  | { readonly kind: 'store'; readonly problem: string | undefined };

export interface ArchiveSettings {
  readonly recipients: readonly string[];
  readonly sealMs: number;
  readonly sealBytes: number;
  readonly quietMs: number;
  /** A new base is taken when the newest is older. */
  readonly baseMs: number;
}

export interface ShardArchiverOptions {
  readonly source: string;
  readonly shard: string;
  /** Asked before each connection, so that renewed passwords and certificates are used. Rejects where none may be. */
  readonly locate: () => Promise<Located>;
  readonly spool: Spool;
  readonly settings: ArchiveSettings;
  readonly clock: ArchiveClock;
  readonly onEvent: (event: ArchiveEvent) => void;
  readonly signal: AbortSignal;
  /** Takes one base and ends, or takes one and follows from there whatever was archived before. */
  readonly once?: 'base' | 'stream';
}

/** Servers of a shard, the best one first, and the user to log in as. */
export interface Located {
  readonly endpoints: readonly StreamEndpoint[];
  readonly login: ReplicationLogin | undefined;
}

interface SealedBase {
  readonly sealed: Sealed;
  readonly header: RdbHeader;
  readonly name: string;
}

/** How often what is due is looked for while nothing arrives. */
const tickMs = 200;
/** Between two attempts to reach a server, growing. */
const reconnectMs = [100, 250, 500, 1000, 2000, 5000] as const;

/**
 * Follows one shard for as long as it is let, and puts bases and segments into the spool. It goes on where the spool
 * ends: after a crash of either side, a failover, or a move to another server of the shard.
 */
export class ShardArchiver {
  readonly #options: ShardArchiverOptions;
  #writer: SegmentWriter | undefined;
  #waiters: { readonly offset: number; readonly resolve: () => void }[] = [];
  #refreshing: Promise<void> | undefined;
  #login: ReplicationLogin | undefined;

  constructor(options: ShardArchiverOptions) {
    this.#options = options;
  }

  /** Bytes of the stream that arrived as whole commands. */
  get offset(): number {
    return Math.max(this.#writer?.offset ?? 0, this.#position()?.offset ?? 0);
  }

  get history(): number {
    return this.#position()?.history ?? 0;
  }

  /** Resolves when the stream has passed an offset. */
  passed(offset: number, signal: AbortSignal): Promise<void> {
    if (this.offset >= offset) return Promise.resolve();
    return orAborted(signal, (resolve) => this.#waiters.push({ offset, resolve }));
  }

  /** Runs until the signal; rejects where going on makes no sense. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#follow(() => {
          failures = 0;
        });
        if (this.#options.once) return;
      } catch (error) {
        if (signal.aborted) break;
        if (isPermanent(error) || this.#options.once) throw error;
        this.#event({ kind: 'disconnected', address: '', reason: messageOf(error) });
      }
      const pause = reconnectMs[Math.min(failures++, reconnectMs.length - 1)]!;
      await delay(pause, undefined, { signal }).catch(() => undefined);
    }
    await this.#refreshing;
  }

  async #follow(reached: () => void): Promise<void> {
    const { link, endpoint, answer } = await this.#connect();
    const address = addressOf(endpoint);
    try {
      reached();
      this.#event({ kind: 'connected', address, resumed: answer.kind === 'continued' });
      if (answer.kind === 'full') await this.#beginHistory(link, answer.position);
      else if (answer.replid !== this.#position()?.replid) await this.#continueAs(answer.replid);
      if (this.#options.once === 'base') return;
      await this.#archive(link, endpoint);
      this.#event({ kind: 'disconnected', address, reason: 'the server closed the connection' });
    } finally {
      link.close();
    }
  }

  /** Asks each server of the shard to go on before the first one may start anew: a gap is the last resort. */
  async #connect() {
    const position = this.#options.once ? undefined : this.#position();
    const problems: string[] = [];
    let startAnew: StreamEndpoint | undefined;
    const { endpoints, login } = await this.#options.locate();
    this.#login = login;
    for (const endpoint of endpoints) {
      let link: ReplicationLink | undefined;
      try {
        link = await this.#open(endpoint);
        const answer = await link.sync(position);
        if (answer.kind === 'continued' || !position) return { link, endpoint, answer };
        startAnew ??= endpoint;
        link.close();
      } catch (error) {
        link?.close();
        if (isPermanent(error)) throw error;
        problems.push(`${addressOf(endpoint)}: ${messageOf(error)}`);
      }
    }
    if (!startAnew) throw new Error(problems.join('; ') || 'no server of the shard is known');
    const link = await this.#open(startAnew);
    try {
      return { link, endpoint: startAnew, answer: await link.sync(undefined) };
    } catch (error) {
      link.close();
      throw error;
    }
  }

  #open(endpoint: StreamEndpoint): Promise<ReplicationLink> {
    const { signal, clock } = this.#options;
    return ReplicationLink.open({ endpoint, login: this.#login, signal, now: () => clock.now() });
  }

  async #beginHistory(link: ReplicationLink, position: Position): Promise<void> {
    const { spool, shard, clock } = this.#options;
    const before = this.#position();
    const history = (before?.history ?? 0) + 1;
    const second = Math.max(secondOf(clock.now()), before?.second ?? 0);
    const base = await this.#seal(link, position.offset, history);
    if (before && !this.#options.once) {
      const reason = `no server of the shard has the stream behind offset ${before.offset} any more`;
      const last = { lastOffset: before.offset, lastSecond: before.second };
      await spool.commit({ kind: 'gap', shard, history, reason, ...last });
      this.#event({ kind: 'gap', reason });
    }
    await this.#commitBase(base, { ...position, history, second });
  }

  async #seal(link: ReplicationLink, offset: number, history: number): Promise<SealedBase> {
    const { spool, settings, source, shard, signal } = this.#options;
    await spool.room(signal);
    const stream = new SealStream(spool.openFile(), settings.recipients);
    let head: Buffer = Buffer.alloc(0);
    let reported = performance.now();
    try {
      for await (const part of link.snapshot()) {
        if (head.length < rdbHeaderBytes) head = Buffer.concat([head, part]).subarray(0, rdbHeaderBytes);
        await stream.write(part);
        if (performance.now() - reported > 1000) {
          reported = performance.now();
          this.#event({ kind: 'snapshot-progress', bytes: stream.plainBytes });
        }
      }
      const header = readRdbHeader(head);
      if (!header) throw notASnapshot();
      const sealed = await stream.finish();
      const place = { source, writer: spool.writer, shard, history };
      return { sealed, header, name: baseName(place, offset, sealed.compressed) };
    } catch (error) {
      await stream.abandon();
      throw error;
    }
  }

  async #commitBase(
    { sealed, header, name }: SealedBase,
    at: Position & { readonly history: number; readonly second: number },
  ): Promise<void> {
    const { spool, shard, settings } = this.#options;
    const { bytes, sha256, plainBytes } = sealed;
    await spool.commit(
      {
        kind: 'base',
        shard,
        ...at,
        object: { name, bytes, sha256 },
        rdbVersion: header.version,
        engine: header.engine,
        ...(header.engineVersion === undefined ? {} : { engineVersion: header.engineVersion }),
        plainBytes,
        recipients: [...settings.recipients],
      },
      sealed,
    );
    this.#event({ kind: 'base', bytes, offset: at.offset });
  }

  async #continueAs(replid: string): Promise<void> {
    const { spool, shard } = this.#options;
    const { history, offset } = this.#position()!;
    await spool.commit({ kind: 'failover', shard, history, replid, offset });
    this.#event({ kind: 'failover' });
  }

  async #archive(link: ReplicationLink, endpoint: StreamEndpoint): Promise<void> {
    const { settings, spool, clock, signal } = this.#options;
    const position = this.#position()!;
    const writer = new SegmentWriter(
      { ...settings, openFile: () => spool.openFile(), onSegment: (segment) => this.#commitSegment(segment) },
      position,
    );
    this.#writer = writer;
    const chunks = link.stream();
    try {
      let tick = delay(tickMs);
      for (let next = upcoming(chunks); ; ) {
        const arrived = await Promise.race([next, tick]);
        await this.#watchClock(writer.second);
        if (spool.isFull) {
          this.#event({ kind: 'spool-full', bytes: spool.bytes });
          await spool.room(signal);
        }
        if (arrived) {
          if (arrived.done) break;
          await writer.write(arrived.value, secondOf(arrived.value.at));
          next = upcoming(chunks);
        } else {
          tick = delay(tickMs);
          await writer.tick(secondOf(clock.now()));
          this.#refreshBase(endpoint);
        }
        this.#wakeWaiters();
      }
    } finally {
      await writer.finish();
      this.#writer = undefined;
      this.#wakeWaiters();
    }
  }

  async #commitSegment(segment: Segment): Promise<void> {
    const { spool, source, shard } = this.#options;
    const { history, replid } = this.#position()!;
    const { from, to, firstSecond, lastSecond, sealed } = segment;
    const common = { shard, history, replid, from, to, firstSecond, lastSecond };
    if (!sealed) await spool.commit({ kind: 'quiet', ...common });
    else {
      const { bytes, sha256, plainBytes, compressed } = sealed;
      const name = segmentName({ source, writer: spool.writer, shard, history }, from, to, compressed);
      const { commands, leftOut, database } = segment;
      const object = { name, bytes, sha256 };
      await spool.commit({ kind: 'segment', ...common, object, commands, leftOut, database, plainBytes }, sealed);
    }
    this.#event({ kind: 'segment', to, lastSecond });
  }

  /** Takes a newer base beside the stream, over a connection of its own. */
  #refreshBase(endpoint: StreamEndpoint): void {
    const { settings, clock } = this.#options;
    const position = this.#position()!;
    if (this.#refreshing || clock.now() - position.baseSecond * 1000 < settings.baseMs) return;
    this.#refreshing = this.#takeBase(endpoint)
      .catch((error) => this.#event({ kind: 'disconnected', address: addressOf(endpoint), reason: messageOf(error) }))
      .finally(() => {
        this.#refreshing = undefined;
      });
  }

  async #takeBase(endpoint: StreamEndpoint): Promise<void> {
    const link = await this.#open(endpoint);
    try {
      const answer = await link.sync(undefined);
      const { history, replid } = this.#position()!;
      if (answer.kind !== 'full') return;
      const second = Math.max(secondOf(this.#options.clock.now()), this.#position()!.second);
      const base = await this.#seal(link, answer.position.offset, history);
      const now = this.#position()!;
      // Offsets of another history, or of a primary that was not followed yet, say nothing here.
      const isOurs = answer.position.replid === replid && now.history === history;
      if (isOurs) await this.#commitBase(base, { ...answer.position, history, second });
    } finally {
      link.close();
    }
  }

  async #watchClock(second: number): Promise<void> {
    const byMs = this.#options.clock.jump();
    if (byMs === 0) return;
    await this.#options.spool.commit({ kind: 'clock', byMs, second });
    this.#options.onEvent({ kind: 'clock', byMs });
  }

  #position() {
    return this.#options.spool.position(this.#options.shard);
  }

  #wakeWaiters(): void {
    const { offset } = this;
    const passed = this.#waiters.filter((waiter) => waiter.offset <= offset);
    this.#waiters = this.#waiters.filter((waiter) => waiter.offset > offset);
    for (const { resolve } of passed) resolve();
  }

  #event(event: DistributiveOmit<Extract<ArchiveEvent, { readonly shard: string }>, 'shard'> | WithoutShard): void {
    this.#options.onEvent({ shard: this.#options.shard, ...event } as ArchiveEvent);
  }
}

/** The next chunk; its failure is met where it is awaited, not before. */
function upcoming<T>(chunks: AsyncGenerator<T>): Promise<IteratorResult<T, void>> {
  const next = chunks.next();
  next.catch(() => undefined);
  return next;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type WithoutShard = Exclude<ArchiveEvent, { readonly shard: string }>;

/** Waiting does not change a wrong password or a missing right; a disk may have room again. */
function isPermanent(error: unknown): boolean {
  if (!(error instanceof CliError) || /^REDKEEP_(DISK_FULL|FILE_SYSTEM)$/.test(error.code)) return false;
  return error.code !== 'REDKEEP_CONNECTION_FAILED' || /WRONGPASS|NOPERM|NOAUTH/.test(error.message);
}

function addressOf({ host, port }: StreamEndpoint): string {
  return `${host}:${port}`;
}

function messageOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'REDKEEP_DISK_FULL' || code === 'ENOSPC' || code === 'EDQUOT')
    return 'the disk of the state folder is full';
  return error instanceof Error ? error.message : String(error);
}

function notASnapshot(): CliError {
  return new CliError(
    'REDKEEP_BACKUP_STREAM_UNREADABLE',
    'The server sent something that is not an RDB file.',
    'Check that the address is a Redis or Valkey server; Dragonfly has another protocol.',
  );
}
