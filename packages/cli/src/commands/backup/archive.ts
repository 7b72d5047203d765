import { archive } from '../../backup/archive/archive-run.js';
import type { ArchiveEvent } from '../../backup/archive/shard-archiver.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { archiveOptions, type TakeOptions } from './archive-options.js';
import { Progress, plural, size } from './sizes.js';

/** `redkeep backup archive`: follows the replication stream until it is stopped. */
export async function backupArchive(context: Context, options: TakeOptions): Promise<void> {
  const { terminal, signal } = context;
  const progress = new Progress((text) => terminal.note(text));
  let segments = 0;
  const onEvent = (event: ArchiveEvent) => {
    if (event.kind === 'segment') segments += 1;
    if (options.json) return terminal.line(JSON.stringify({ at: context.clock.now().toISOString(), ...event }));
    if (event.kind === 'snapshot-progress') return progress.report(`snapshot of ${event.shard}`, event.bytes);
    const told = describe(event);
    if (told) terminal[told.level](told.text);
  };
  const { environment, run } = await archiveOptions(context, options, 'archive', onEvent);
  if (!options.json) {
    terminal.note(`Archiving "${run.source.name}" to ${environment.store.description}; ends with Ctrl-C or SIGTERM.`);
  }
  const { waiting } = await archive(run, signal);
  if (waiting > 0) {
    throw new CliError(
      'REDKEEP_BACKUP_STORE_FAILED',
      `${plural(waiting, 'entry', 'entries')} did not reach the store and are kept in ${run.stateFolder}.`,
      'Start it again when the store works: it uploads them first.',
    );
  }
  if (!options.json) terminal.done(`Stopped; ${plural(segments, 'segment')} sealed, all of it in the store.`);
}

function describe(
  event: ArchiveEvent,
): { readonly level: 'note' | 'done' | 'warn'; readonly text: string } | undefined {
  switch (event.kind) {
    case 'connected': {
      const how = event.resumed ? 'goes on where it was' : 'takes the whole data set first';
      return { level: 'done', text: `${event.shard}: follows ${event.address}, ${how}.` };
    }
    case 'disconnected':
      return { level: 'warn', text: `${event.shard}: not connected (${event.reason}); trying again.` };
    case 'base':
      return { level: 'done', text: `${event.shard}: base of ${size(event.bytes)} at offset ${event.offset}.` };
    case 'gap':
      return { level: 'warn', text: `${event.shard}: GAP: ${event.reason}. A new base was taken.` };
    case 'failover':
      return { level: 'note', text: `${event.shard}: another server is the primary; the stream goes on.` };
    case 'cut':
      return event.oneMoment
        ? { level: 'note', text: `Cut over all shards: writes waited for at most ${event.pausedMs} ms.` }
        : { level: 'warn', text: `A cut over all shards is not of one moment: ${event.reason ?? 'unknown'}.` };
    case 'clock':
      return { level: 'warn', text: `The clock of this host jumped by ${event.byMs} ms; seconds wait for it.` };
    case 'spool-full':
      return { level: 'warn', text: `The spool is full (${size(event.bytes)}): the stream waits for the store.` };
    case 'store':
      return event.problem === undefined
        ? { level: 'done', text: 'The store works again.' }
        : { level: 'warn', text: `The store failed (${event.problem}); sealed data waits on this host.` };
    default:
      return undefined;
  }
}
