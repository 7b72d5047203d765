import { CommandScanner, type ScannerSink } from '../../backup/stream/command-scanner.js';
import { SegmentPosition, selectCommand } from '../../backup/stream/segment-position.js';
import { lookedAtBytes } from '../indicators/payloads.js';
import { badOf, shownKey } from './bad-commands.js';

/** Longer arguments are not looked at, and those behind them neither; payloads can be padded, but are not that long. */
const longestArgument = lookedAtBytes;
const mostArguments = 64;

interface OneCommand {
  readonly name: string;
  readonly args: readonly Buffer[];
}

/** A command, or a transaction, which is whole or not there. */
export interface Unit {
  /** 1, 2, 3 … in the order of the archive. */
  readonly number: number;
  readonly offset: number;
  readonly second: number;
  readonly database: string;
  readonly commands: readonly { readonly name: string; readonly keys: readonly string[] }[];
  /** Why it is not to be replayed; undefined for an ordinary write. */
  readonly bad?: { readonly indicator: string; readonly text: string };
}

/** Commands whose every argument is a key. */
const allKeys = new Set(['DEL', 'UNLINK', 'PFMERGE', 'SUNIONSTORE', 'SINTERSTORE', 'SDIFFSTORE', 'RENAME', 'COPY']);
/** Commands that have a subcommand before their key. */
const withSubcommand = new Set(['XGROUP', 'BITOP']);
const keyless = new Set(['FLUSHALL', 'FLUSHDB', 'SWAPDB', 'FUNCTION', 'SCRIPT']);

export function keysOf({ name, args }: OneCommand): string[] {
  if (keyless.has(name)) return [];
  const words = args.map((arg) => arg.toString('utf8'));
  if (name === 'MSET' || name === 'MSETNX') return words.filter((_, index) => index % 2 === 0);
  if (allKeys.has(name)) return words;
  return words.slice(withSubcommand.has(name) ? 1 : 0).slice(0, 1);
}

export interface LaterWriteOptions {
  /** Only what starts at this offset or later. */
  readonly fromOffset: number;
  /** Only what is of a second after this one; for shards without a bad command of their own. */
  readonly afterSecond?: number;
  /** The number of the first unit. */
  readonly firstNumber: number;
  /** Called with each unit, whole. */
  readonly onUnit?: (unit: Unit) => void;
  /** Which units are written to `output`; none where it is absent. */
  readonly keeps?: (number: number) => boolean;
}

/**
 * Reads the writes behind a moment, segment by segment. A search sees each unit; a replay takes out the bytes of those
 * that were chosen, with the database that each of them needs.
 */
export class LaterWrites implements ScannerSink {
  readonly longestArgument = longestArgument;
  readonly #options: LaterWriteOptions;
  readonly #position = new SegmentPosition();
  #scanner: CommandScanner | undefined;
  #database = '0';
  /** The database that is selected behind what was put out so far. */
  #selected: string | undefined;
  #number: number;
  #out: Buffer[] = [];
  #open:
    | { readonly offset: number; readonly second: number; readonly kept: boolean; commands: OneCommand[] }
    | undefined;
  /** Units that were put out. */
  written = 0;

  constructor(options: LaterWriteOptions) {
    this.#options = options;
    this.#number = options.firstNumber;
  }

  /** The number that the next unit will have. */
  get nextNumber(): number {
    return this.#number;
  }

  beginSegment(): void {
    this.#scanner = new CommandScanner(this, 0);
    this.#position.beginSegment();
    this.#open = undefined;
  }

  take(data: Buffer): readonly Buffer[] {
    this.#out = [];
    this.#scanner!.write(data);
    return this.#out;
  }

  annotation(line: string, end: number): void {
    this.#position.annotation(line, end);
  }

  wants(name: string): number {
    return name === 'SELECT' ? 1 : mostArguments;
  }

  keep(name: string, args: readonly Buffer[], place: number): boolean {
    if (name === 'SELECT') {
      this.#database = args[0]?.toString('latin1') ?? '0';
      return false;
    }
    const offset = this.#position.offsetOf(place);
    if (offset === undefined) return false;
    const command = { name, args: args.map((arg) => Buffer.from(arg)) };
    if (this.#open) {
      this.#open.commands.push(command);
      const { kept } = this.#open;
      if (name === 'EXEC') this.#finish(this.#open);
      else if (kept) this.#select();
      return kept;
    }
    const { second } = this.#position;
    if (offset < this.#options.fromOffset || second <= (this.#options.afterSecond ?? -1)) return false;
    const kept = this.#options.keeps?.(this.#number) === true;
    if (kept) {
      this.#select();
      this.written += 1;
    }
    const unit = { offset, second, kept, commands: [command] };
    if (name === 'MULTI') this.#open = unit;
    else this.#finish(unit);
    return kept;
  }

  bytes(piece: Buffer): void {
    this.#out.push(piece);
  }

  settled(): void {
    // Where commands end does not matter here.
  }

  border(): void {
    // Never asked for.
  }

  #select(): void {
    if (this.#selected === this.#database) return;
    this.#selected = this.#database;
    this.#out.push(selectCommand(this.#database));
  }

  #finish({ offset, second, commands }: { offset: number; second: number; commands: readonly OneCommand[] }): void {
    const number = this.#number;
    this.#number += 1;
    this.#open = undefined;
    if (!this.#options.onUnit) return;
    const inside = commands.filter(({ name }) => name !== 'MULTI' && name !== 'EXEC');
    const bad = inside.map(badOf).find((found) => found !== undefined);
    this.#options.onUnit({
      ...{ number, offset, second, database: this.#database },
      commands: inside.map((command) => ({ name: command.name, keys: keysOf(command) })),
      ...(bad && { bad }),
    });
  }
}

/** `SET sess:* (db 1)`: the command without values, keys as patterns. */
export function unitText({ commands, database }: Unit): string {
  const text = commands
    .slice(0, 3)
    .map(({ name, keys }) => [name, ...keys.slice(0, 3).map(shownKey)].join(' '))
    .join('; ');
  return `${text}${commands.length > 3 ? '; …' : ''}${database === '0' ? '' : ` (db ${database})`}`;
}
