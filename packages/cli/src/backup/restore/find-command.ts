import { CliError } from '../../errors.js';
import { isSegment } from '../format/entry.js';
import type { Store } from '../store/store.js';
import type { History, HistoryPlace } from './histories.js';
import { readContent } from './read-object.js';
import { type SeenCommand, SegmentCutter } from './segment-cutter.js';

/** A command name, and where one is given a pattern that one of its arguments must match. */
export interface CommandPattern {
  readonly name: string;
  readonly argument: RegExp | undefined;
}

export interface FoundCommand {
  readonly place: HistoryPlace;
  /** Where it starts, or its transaction. */
  readonly offset: number;
  readonly second: number;
  /** Its name and first argument, printable; values are left out. */
  readonly text: string;
}

/** Reads `FLUSHALL`, `DEL customer:*` and their like; a pattern is a glob (`*` and `?`). */
export function parseCommandPattern(text: string): CommandPattern {
  const [name = '', pattern, ...more] = text.trim().split(/\s+/);
  if (!/^[A-Za-z][A-Za-z0-9._-]*$/.test(name) || more.length > 0) {
    throw new CliError(
      'REDKEEP_USAGE',
      '--before is not a command name, perhaps followed by one key pattern.',
      'For example --before FLUSHALL or --before "DEL customer:*".',
    );
  }
  return { name: name.toUpperCase(), argument: pattern === undefined ? undefined : globPattern(pattern) };
}

export function globPattern(glob: string): RegExp {
  const source = glob.replace(/[\\^$.*+?()[\]{}|]/g, (character) => {
    if (character === '*') return '.*';
    return character === '?' ? '.' : `\\${character}`;
  });
  return new RegExp(`^${source}$`, 's');
}

/** The last command of a history that matches, at or before a second; undefined where there is none. */
export async function findLast(
  store: Store,
  history: History,
  pattern: CommandPattern,
  identities: readonly string[],
  atOrBefore: number,
): Promise<FoundCommand | undefined> {
  const { writer, shard, history: number } = history;
  const segments = history.stretches.filter(isSegment).filter(({ body }) => body.firstSecond <= atOrBefore);
  for (const { body } of segments.reverse()) {
    let last: SeenCommand | undefined;
    const cutter = new SegmentCutter({ startOffset: 0, stopSecond: atOrBefore }, (command) => {
      if (matches(pattern, command)) last = command;
    });
    cutter.beginSegment();
    for await (const part of readContent(store, body.object, identities)) cutter.take(part);
    if (last) {
      const place = { writer, shard, history: number };
      return { place, offset: last.offset, second: last.second, text: printable(last) };
    }
  }
  return undefined;
}

function matches({ name, argument }: CommandPattern, command: SeenCommand): boolean {
  if (command.name !== name) return false;
  return argument === undefined || command.args.some((arg) => argument.test(arg.toString('utf8')));
}

function printable({ name, args }: SeenCommand): string {
  const first = args[0]
    ?.toString('utf8')
    .slice(0, 60)
    .replace(/[^\x20-\x7e]/g, '?');
  return first === undefined ? name : `${name} ${first}${args.length > 1 ? ' …' : ''}`;
}
