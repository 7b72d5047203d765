import { type FoundCommand, findLast, parseCommandPattern } from '../../backup/restore/find-command.js';
import { type History, historiesOf } from '../../backup/restore/histories.js';
import { cutsOf, instant, type RestoreTarget } from '../../backup/restore/plan-restore.js';
import type { Store } from '../../backup/store/store.js';
import { CliError } from '../../errors.js';
import type { Reading } from '../backup/reading.js';

export interface MomentOptions {
  readonly at?: string;
  readonly before?: string;
  readonly cut?: boolean;
  readonly nearest?: boolean;
}

/** Which moment the flags mean, and how that is said. */
export async function momentOf(
  { environment, loaded, source, gone }: Reading,
  options: MomentOptions,
  identities: readonly string[],
): Promise<{ readonly target: RestoreTarget; readonly found?: string }> {
  const second = options.at === undefined ? undefined : secondOfText(options.at);
  if (options.before !== undefined) {
    const histories = historiesOf(loaded.entries, source, gone);
    return beforeCommand(environment.store, histories, options.before, identities, second ?? Infinity);
  }
  const shards = new Set(historiesOf(loaded.entries, source, gone).map(({ shard }) => shard)).size;
  const cuts = cutsOf(loaded.entries, source).filter(({ body }) => body.second <= (second ?? Infinity));
  if (options.cut) {
    if (cuts[0]) return { target: { kind: 'cut', cut: cuts[0] }, found: `the cut of ${instant(cuts[0].body.second)}` };
    throw notFound('There is no cut over all shards at or before that time.', 'Leave --cut away.');
  }
  if (second !== undefined) return { target: { kind: 'second', second } };
  // The newest moment of several shards is that of the last cut.
  const whole = shards > 1 ? cuts.find(({ body }) => body.oneMoment) : undefined;
  if (whole) return { target: { kind: 'cut', cut: whole }, found: `the cut of ${instant(whole.body.second)}` };
  return { target: { kind: 'latest' } };
}

/** Looks for the command in every shard; a shard without it stops at the second before. */
async function beforeCommand(
  store: Store,
  histories: readonly History[],
  text: string,
  identities: readonly string[],
  atOrBefore: number,
): Promise<{ readonly target: RestoreTarget; readonly found: string }> {
  const pattern = parseCommandPattern(text);
  const all: FoundCommand[] = [];
  for (const history of histories) {
    const found = await findLast(store, history, pattern, identities, atOrBefore);
    if (found) all.push(found);
  }
  // A shard can have several histories; its last command counts.
  all.sort((a, b) => a.second - b.second || a.offset - b.offset);
  const stops = Object.fromEntries(all.map((found) => [found.place.shard, found]));
  const last = all.at(-1);
  if (!last) throw notFound(`No ${pattern.name} that matches is in the archive.`, 'Check the pattern and --at.');
  const second = Math.min(...Object.values(stops).map((stop) => stop.second)) - 1;
  return { target: { kind: 'before', stops, second }, found: `before ${last.text} of ${instant(last.second)}` };
}

function notFound(message: string, next: string): CliError {
  return new CliError('REDKEEP_BACKUP_NOT_FOUND', message, next);
}

/** A time of day with its zone, or seconds since 1970. */
function secondOfText(text: string): number {
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text);
  const value = Date.parse(text);
  if (zoned && !Number.isNaN(value)) return Math.floor(value / 1000);
  throw new CliError(
    'REDKEEP_USAGE',
    '--at is not a moment with its time zone.',
    'For example --at 2026-03-01T14:03:06Z or --at 2026-03-01T15:03:06+01:00.',
  );
}
