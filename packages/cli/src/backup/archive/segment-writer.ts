import { CommandScanner, type ScannerSink } from '../stream/command-scanner.js';
import type { Position } from '../stream/replication-link.js';
import { selectCommand } from '../stream/segment-position.js';
import type { StampedChunk } from '../stream/stamped-socket.js';
import { type Sealed, SealStream } from './seal-stream.js';

/** A segment that is complete, and its file. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly firstSecond: number;
  readonly lastSecond: number;
  readonly commands: number;
  readonly leftOut: number;
  readonly database: number;
  /** Undefined when no command in it changes data. */
  readonly sealed: Sealed | undefined;
}

export interface SegmentWriterOptions {
  readonly recipients: readonly string[];
  readonly openFile: () => string;
  readonly sealMs: number;
  readonly sealBytes: number;
  /** A stretch without writes is recorded after this time. */
  readonly quietMs: number;
  readonly onSegment: (segment: Segment) => Promise<void>;
}

/** The state at a border at which a segment ends. */
interface Mark {
  readonly to: number;
  readonly database: number;
  readonly second: number;
  readonly commands: number;
  readonly dropped: number;
}

/**
 * Not data: PING and REPLCONF keep the link alive, published messages are gone once they were delivered, and CLUSTER
 * (Valkey 9 announces slot migrations so) is refused by a server that is not in a cluster.
 */
const leftOut: ReadonlySet<string> = new Set(['PING', 'REPLCONF', 'PUBLISH', 'SPUBLISH', 'CLUSTER']);

/** A transaction or a command that is still incomplete is held in memory up to here, then written as it comes. */
const longestHeld = 8 * 1024 * 1024;

/**
 * Cuts a replication stream into append-only files. Each is complete in itself: it selects its database, says at which
 * offset it begins, carries `#TS:` lines (seconds, as Redis 7 writes them), and ends between two commands outside a
 * transaction. Servers skip lines that start with `#`.
 *
 *     SELECT 0  #OFFSET:4711  #TS:1767225600  SET a 1  MULTI  INCR b  EXEC  #OFFSET:4893  SET a 2 …
 *                                                                            └─ a PING was left out here
 */
export class SegmentWriter implements ScannerSink {
  readonly #options: SegmentWriterOptions;
  readonly #scanner: CommandScanner;
  /** What the scanner settled in the current chunk, in order; a mark ends the segment there. */
  #out: (Buffer | Mark)[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  #stream: SealStream | undefined;
  /** Bytes that follow the last border were written to the stream already. */
  #torn = false;
  #database: number;
  #databaseAtBorder: number;
  #border: number;
  #from: number;
  #isOpen = false;
  #openedAt = 0;
  #firstSecond: number;
  #second: number;
  /** The second of what was settled before the current chunk. */
  #secondBefore: number;
  #noteOffset = false;
  #noteSecond = false;
  #note = '';
  #wantSeal = false;
  #commandsBefore = 0;
  #droppedBefore = 0;

  constructor(options: SegmentWriterOptions, start: Pick<Position, 'offset'> & { database: number; second: number }) {
    this.#options = options;
    this.#scanner = new CommandScanner(this, start.offset);
    this.#database = this.#databaseAtBorder = start.database;
    this.#border = this.#from = start.offset;
    this.#firstSecond = this.#second = this.#secondBefore = start.second;
    this.#openedAt = performance.now();
  }

  /** Bytes of the stream up to the last border. */
  get offset(): number {
    return this.#border;
  }

  get second(): number {
    return this.#second;
  }

  /** Takes a chunk; resolves when it is with the compressor. `second` never goes back. */
  async write({ data }: StampedChunk, second: number): Promise<void> {
    if (second > this.#second) {
      this.#second = second;
      this.#noteSecond = true;
      this.#scanner.wantBorder();
    }
    if (this.#isDue()) this.#sealSoon();
    this.#scanner.write(data);
    this.#secondBefore = this.#second;
    await this.#drain();
    if (this.#heldBytes > longestHeld) await this.#writeThrough();
  }

  /** Seals what is due although nothing arrives. */
  async tick(second: number): Promise<void> {
    if (!this.#isDue()) return;
    if (!this.#scanner.atBorder) return this.#sealSoon();
    this.#second = Math.max(this.#second, second);
    this.#isOpen = false;
    await this.#seal(this.#mark(this.#second));
  }

  /** Seals at the last border, whatever is due. What follows it is dropped: the server sends it again. */
  async finish(): Promise<void> {
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#torn) await this.#stream?.abandon();
    else if (this.#border > this.#from) await this.#seal(this.#mark(this.#second));
    this.#isOpen = false;
  }

  // What the scanner finds.

  wants(name: string): number {
    return name === 'SELECT' ? 1 : 0;
  }

  keep(name: string, args: readonly Buffer[]): boolean {
    if (name === 'SELECT') this.#database = Number(args[0]);
    if (!leftOut.has(name)) return true;
    this.#noteOffset = true;
    this.#scanner.wantBorder();
    return false;
  }

  bytes(piece: Buffer): void {
    if (!this.#isOpen) {
      this.#hold(this.#header(this.#border));
      this.#isOpen = true;
    } else if (this.#note !== '') this.#hold(Buffer.from(this.#note));
    this.#note = '';
    this.#hold(piece);
  }

  settled(offset: number): void {
    for (const piece of this.#held) this.#out.push(piece);
    this.#held = [];
    this.#heldBytes = 0;
    this.#border = offset;
    this.#databaseAtBorder = this.#database;
    this.#torn = false;
  }

  border(offset: number): void {
    if (this.#wantSeal) {
      this.#wantSeal = false;
      this.#out.push(this.#mark(this.#secondBefore));
      this.#isOpen = false;
    }
    const second = this.#noteSecond ? `#TS:${this.#second}\r\n` : '';
    const passed = this.#noteOffset ? `#OFFSET:${offset}\r\n` : '';
    // A note that no bytes have followed yet is replaced: only what holds for the next command counts.
    const secondBefore = this.#noteSecond ? '' : (/#TS:\d+\r\n/.exec(this.#note)?.[0] ?? '');
    this.#note = `${passed}${secondBefore}${second}`;
    this.#noteSecond = this.#noteOffset = false;
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #header(offset: number): Buffer {
    const select = selectCommand(String(this.#databaseAtBorder));
    return Buffer.from(`${select}#OFFSET:${offset}\r\n#TS:${this.#second}\r\n`);
  }

  #isDue(): boolean {
    const age = performance.now() - this.#openedAt;
    if (this.#stream) return age >= this.#options.sealMs || this.#stream.plainBytes >= this.#options.sealBytes;
    return this.#border > this.#from && age >= this.#options.quietMs;
  }

  #sealSoon(): void {
    this.#wantSeal = true;
    this.#scanner.wantBorder();
  }

  async #drain(): Promise<void> {
    const out = this.#out;
    this.#out = [];
    for (const piece of out) {
      if (Buffer.isBuffer(piece)) await this.#give(piece);
      else await this.#seal(piece);
    }
  }

  async #give(piece: Buffer): Promise<void> {
    if (!this.#stream) {
      this.#stream = new SealStream(this.#options.openFile(), this.#options.recipients);
      this.#openedAt = performance.now();
    }
    await this.#stream.write(piece);
  }

  /** One command or transaction that is larger than what is held: what precedes it is made safe, then it flows. */
  async #writeThrough(): Promise<void> {
    if (!this.#torn && this.#stream) {
      const held = this.#held;
      this.#held = [];
      await this.#seal(this.#mark(this.#second));
      this.#held = [this.#header(this.#border), ...held];
      this.#isOpen = true;
    }
    for (const piece of this.#held) await this.#give(piece);
    this.#held = [];
    this.#heldBytes = 0;
    this.#torn = true;
  }

  #mark(second: number): Mark {
    const { commands, dropped } = this.#scanner;
    return { to: this.#border, database: this.#databaseAtBorder, second, commands, dropped };
  }

  async #seal({ to, database, second, commands, dropped }: Mark): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (to === this.#from) return;
    const left = dropped - this.#droppedBefore;
    const segment: Segment = {
      from: this.#from,
      to,
      firstSecond: this.#firstSecond,
      lastSecond: second,
      commands: commands - this.#commandsBefore - left,
      leftOut: left,
      database,
      sealed: await stream?.finish(),
    };
    this.#commandsBefore = commands;
    this.#droppedBefore = dropped;
    this.#from = to;
    this.#firstSecond = second;
    this.#openedAt = performance.now();
    await this.#options.onSegment(segment);
  }
}
