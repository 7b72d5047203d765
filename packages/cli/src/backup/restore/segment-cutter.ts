import { CommandScanner, type ScannerSink } from '../stream/command-scanner.js';
import { SegmentPosition, selectCommand } from '../stream/segment-position.js';

export interface CutLimits {
  /** Commands before this offset are in the base. */
  readonly startOffset: number;
  readonly stopOffset?: number | undefined;
  readonly stopSecond?: number | undefined;
}

/** A command as a search sees it. */
export interface SeenCommand {
  readonly name: string;
  readonly args: readonly Buffer[];
  /** Where it starts, or its transaction: the offset to restore to for the state before it. */
  readonly offset: number;
  readonly second: number;
}

/**
 * Takes the commands between two places out of segments, in constant memory. Transactions stay whole: one that begins
 * before the stop is kept to its end.
 */
export class SegmentCutter implements ScannerSink {
  readonly #limits: CutLimits;
  readonly #see: ((command: SeenCommand) => void) | undefined;
  readonly #position = new SegmentPosition();
  #scanner: CommandScanner | undefined;
  #out: Buffer[] = [];
  #database = '0';
  #begun = false;
  #stopped = false;
  #transaction: { readonly offset: number; readonly kept: boolean } | undefined;
  /** Commands that were kept. */
  commands = 0;
  /** The last second of a command that was kept. */
  lastSecond = 0;

  constructor(limits: CutLimits, see?: (command: SeenCommand) => void) {
    this.#limits = limits;
    this.#see = see;
  }

  /** True when the stop was reached: later segments need not be read. */
  get stopped(): boolean {
    return this.#stopped;
  }

  beginSegment(): void {
    this.#scanner = new CommandScanner(this, 0);
    this.#position.beginSegment();
    this.#transaction = undefined;
  }

  /** What of these bytes of the segment is kept. */
  take(data: Buffer): readonly Buffer[] {
    this.#out = [];
    this.#scanner!.write(data);
    return this.#out;
  }

  /** True when the segment ended where a segment may end. */
  get isWhole(): boolean {
    return this.#scanner!.atBorder;
  }

  annotation(line: string, end: number): void {
    this.#position.annotation(line, end);
  }

  wants(name: string): number {
    return this.#see ? 64 : name === 'SELECT' ? 1 : 0;
  }

  keep(name: string, args: readonly Buffer[], place: number): boolean {
    if (name === 'SELECT') this.#database = args[0]?.toString('latin1') ?? '0';
    // The head selects the database, which is said again where the first kept command is.
    const offset = this.#position.offsetOf(place);
    if (offset === undefined) return false;
    const { second } = this.#position;
    if (this.#transaction) {
      const { kept, offset: start } = this.#transaction;
      if (kept) this.#see?.({ name, args, offset: start, second });
      if (name === 'EXEC') this.#transaction = undefined;
      if (kept) this.commands += 1;
      return kept;
    }
    const { startOffset, stopOffset = Infinity, stopSecond = Infinity } = this.#limits;
    if (offset >= stopOffset || second > stopSecond) this.#stopped = true;
    const kept = !this.#stopped && offset >= startOffset;
    if (name === 'MULTI') this.#transaction = { offset, kept };
    if (!kept) return false;
    if (!this.#begun) {
      this.#begun = true;
      this.#out.push(selectCommand(this.#database));
    }
    this.#see?.({ name, args, offset, second });
    this.commands += 1;
    this.lastSecond = second;
    return true;
  }

  bytes(piece: Buffer): void {
    this.#out.push(piece);
  }

  settled(): void {
    // Where commands end does not matter here: what is kept is kept whole.
  }

  border(): void {
    // Never asked for.
  }
}
