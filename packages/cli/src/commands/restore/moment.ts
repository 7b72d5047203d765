import { cutsOf, instant, type RestoreTarget } from '../../backup/restore/plan-restore.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import type { Reading } from '../backup/reading.js';

export interface MomentOptions {
  readonly at?: string;
  readonly before?: string;
  readonly cut?: boolean;
  readonly nearest?: boolean;
}

/** Which moment the flags mean, and what was found on the way. */
export async function momentOf(
  _context: Context,
  { loaded, source }: Reading,
  options: MomentOptions,
  _identities: readonly string[],
): Promise<{ readonly target: RestoreTarget; readonly found?: string }> {
  const second = options.at === undefined ? undefined : secondOfText(options.at);
  if (options.cut) {
    const cut = cutsOf(loaded.entries, source).find(({ body }) => body.second <= (second ?? Infinity));
    if (cut) return { target: { kind: 'cut', cut }, found: `the cut of ${instant(cut.body.second)}` };
    throw new CliError(
      'REDKEEP_BACKUP_NOT_FOUND',
      'There is no cut over all shards at or before that time.',
      'Leave --cut away.',
    );
  }
  return { target: second === undefined ? { kind: 'latest' } : { kind: 'second', second } };
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
