import { CliError } from '../../errors.js';
import { CR, DOLLAR, HASH, LF, STAR } from './resp-bytes.js';

/** What a scanner finds in a stream of commands, in its order. */
export interface ScannerSink {
  /** How many arguments of this command `keep` wants to see. */
  wants(name: string): number;
  /** Longest argument that `keep` is given, in bytes; 4096 unless it says so. */
  readonly longestArgument?: number;
  /** Whether a command is kept. Arguments longer than `longestArgument`, and those behind them, are left out. */
  keep(name: string, args: readonly Buffer[], offset: number): boolean;
  /** Bytes of commands that are kept. */
  bytes(piece: Buffer): void;
  /** All bytes given so far end between two commands outside a transaction. `offset`: bytes of the stream passed. */
  settled(offset: number): void;
  /** Called once for each `wantBorder`, between two commands outside a transaction, before the bytes that follow. */
  border(offset: number): void;
  /**
   * A line that starts with `#`, as append-only files have them; undefined where none may stand. `end` is the offset
   * behind it.
   */
  annotation?(line: string, end: number): void;
}

/** Longer lines are neither RESP (a count or a length has at most 20 digits) nor our annotations. */
const longestLine = 64;
/** A command's name is held back until it is whole; longer ones do not exist. */
const longestName = 128;
const longestArgument = 4096;

/**
 * Finds the borders of commands in a replication stream or an append-only file (RESP arrays of bulk strings) without
 * holding their arguments, however large they are. `offset` counts every byte of the stream, kept or not.
 *
 *     *3 CRLF $3 CRLF SET CRLF $1 CRLF k CRLF $1 CRLF v CRLF  *1 CRLF $4 CRLF PING CRLF  …
 *     └─ head                  └─ arguments            border ┘
 */
export class CommandScanner {
  readonly #sink: ScannerSink;
  /** Where a chunk ended inside a line or a head. */
  #pending: Buffer = nothing;
  /** Arguments of the command that are still to come; -1 between commands. */
  #arguments = -1;
  /** Bytes of the current argument, its CRLF included, that are still to come. */
  #skip = 0;
  #keeping = true;
  #inTransaction = false;
  #closesTransaction = false;
  #offset: number;
  #wantBorder = false;
  /** Commands seen. */
  commands = 0;
  /** Commands of them that were not kept. */
  dropped = 0;

  /** @param offset bytes of the stream that were passed before */
  constructor(sink: ScannerSink, offset: number) {
    this.#sink = sink;
    this.#offset = offset;
  }

  /** Bytes of the stream that were passed. */
  get offset(): number {
    return this.#offset;
  }

  /** True between two commands outside a transaction. */
  get atBorder(): boolean {
    return this.#arguments === -1 && !this.#inTransaction && this.#pending.length === 0;
  }

  /** Asks for one call of `border` at the next one. */
  wantBorder(): void {
    this.#wantBorder = true;
  }

  write(data: Buffer): void {
    const chunk = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
    this.#pending = nothing;
    const base = this.#offset;
    /** Start of the bytes of this chunk that were not given to the sink yet. */
    let run = 0;
    /** The last border of this chunk that the sink was not told of. */
    let border = -1;
    let at = 0;
    const give = (end: number) => {
      if (end > run && this.#keeping) this.#sink.bytes(chunk.subarray(run, end));
      run = end;
    };
    const flush = (end: number) => {
      if (border >= run) {
        give(border);
        this.#sink.settled(base + border);
        border = -1;
      }
      give(end);
    };

    for (;;) {
      if (this.#skip > 0) {
        const taken = Math.min(this.#skip, chunk.length - at);
        this.#skip -= taken;
        at += taken;
        if (this.#skip > 0) break;
      }
      if (this.#arguments > 0) {
        const line = readLine(chunk, at);
        if (!line) break;
        this.#skip = numberIn(chunk, at, line, DOLLAR) + 2;
        this.#arguments -= 1;
        at = line;
        continue;
      }
      if (this.#arguments === 0) {
        this.#arguments = -1;
        if (this.#closesTransaction) this.#inTransaction = this.#closesTransaction = false;
      }
      if (!this.#inTransaction) {
        border = at;
        if (this.#wantBorder) {
          flush(at);
          this.#wantBorder = false;
          this.#offset = base + at;
          this.#sink.border(base + at);
        }
      }
      if (at >= chunk.length) break;
      const first = chunk[at];
      if (first === LF || first === HASH) {
        const end = first === LF ? at + 1 : readLine(chunk, at);
        if (!end) break;
        flush(at);
        if (first === HASH) this.#annotation(chunk.toString('latin1', at, end - 2), base + end);
        at = run = end;
        continue;
      }
      const head = readHead(chunk, at, this.#sink);
      if (!head) break;
      this.commands += 1;
      if (head.name === 'MULTI') this.#inTransaction = true;
      if (head.name === 'EXEC') this.#closesTransaction = true;
      const keep = this.#sink.keep(head.name, head.args, base + at);
      if (!keep) this.dropped += 1;
      if (keep !== this.#keeping) {
        flush(at);
        this.#keeping = keep;
      }
      this.#arguments = head.rest;
      at = head.end;
    }
    flush(at);
    this.#offset = base + at;
    if (at < chunk.length) this.#pending = Buffer.from(chunk.subarray(at));
  }

  #annotation(line: string, end: number): void {
    if (!this.#sink.annotation) throw notCommands();
    this.#sink.annotation(line, end);
  }
}

const nothing: Buffer = Buffer.alloc(0);

interface Head {
  readonly name: string;
  readonly args: readonly Buffer[];
  /** Arguments that are still to be read. */
  readonly rest: number;
  readonly end: number;
}

/** The count, the name and the wanted arguments of a command; undefined while they are incomplete. */
function readHead(chunk: Buffer, start: number, sink: ScannerSink): Head | undefined {
  const count = readLine(chunk, start);
  if (!count) return undefined;
  let rest = numberIn(chunk, start, count, STAR) - 1;
  if (rest < 0) throw notCommands();
  const line = readLine(chunk, count);
  if (!line) return undefined;
  const length = numberIn(chunk, count, line, DOLLAR);
  if (length > longestName) throw notCommands();
  let end = line + length + 2;
  if (chunk.length < end) return undefined;
  const name = chunk.toString('latin1', line, line + length).toUpperCase();
  const args: Buffer[] = [];
  for (let wanted = Math.min(sink.wants(name), rest); wanted > 0; wanted--) {
    const from = readLine(chunk, end);
    if (!from) return undefined;
    const size = numberIn(chunk, end, from, DOLLAR);
    if (size > (sink.longestArgument ?? longestArgument)) break;
    if (chunk.length < from + size + 2) return undefined;
    args.push(chunk.subarray(from, from + size));
    end = from + size + 2;
    rest -= 1;
  }
  return { name, args, rest, end };
}

/** Where the line that starts at `start` ends, its CRLF included; 0 while it is incomplete. */
function readLine(chunk: Buffer, start: number): number {
  const end = chunk.indexOf(LF, start);
  if (end < 0) {
    if (chunk.length - start > longestLine) throw notCommands();
    return 0;
  }
  if (chunk[end - 1] !== CR || end - start > longestLine) throw notCommands();
  return end + 1;
}

/** The number after the type byte of a line. */
function numberIn(chunk: Buffer, start: number, end: number, type: number): number {
  if (chunk[start] !== type || end - start < 4) throw notCommands();
  let value = 0;
  for (let at = start + 1; at < end - 2; at++) {
    const digit = chunk[at]! - 48;
    if (digit < 0 || digit > 9) throw notCommands();
    value = value * 10 + digit;
  }
  return value;
}

function notCommands(): CliError {
  return new CliError(
    'REDKEEP_BACKUP_STREAM_UNREADABLE',
    'A stream of commands is not what a Redis or Valkey server writes.',
    'From a server: check that the address is not a proxy. From a backup: run "redkeep backup verify".',
  );
}
