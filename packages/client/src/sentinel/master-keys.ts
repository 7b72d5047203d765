/** SCAN of the master, page by page, for as long as it is the same one. */
import type { EventEmitter } from 'node:events';
import { pages, type ScanIteratorOptions } from '../client/scan-iterators.js';
import { type ScanOptions, scan } from '../commands/keys.js';
import { ScanIteratorInterruptedError } from '../errors.js';
import type { CommandOptions } from '../options/command-options.js';
import type { SentinelCore, SentinelEvent } from './sentinel-core.js';

export async function* masterKeys(
  core: SentinelCore,
  events: EventEmitter,
  options: (ScanOptions & ScanIteratorOptions) | undefined,
  commandOptions: CommandOptions | undefined,
): AsyncGenerator<unknown[], void, undefined> {
  let changed = false;
  const onTopology = ({ type }: SentinelEvent) => {
    changed ||= type === 'MASTER_CHANGE';
  };
  events.on('topology-change', onTopology);
  try {
    yield* pages(
      options,
      async (cursor) => {
        if (changed) throw new ScanIteratorInterruptedError();
        let reply: { readonly cursor: unknown; readonly keys: unknown[] };
        try {
          reply = await core.dispatchToMaster(scan(cursor, options), commandOptions);
        } catch (error) {
          throw changed ? new ScanIteratorInterruptedError(error) : error;
        }
        // SCAN is a read: it may have been repeated at another master, which took the cursor for its own.
        if (changed) throw new ScanIteratorInterruptedError();
        return reply;
      },
      ({ keys }) => keys,
    );
  } finally {
    events.off('topology-change', onTopology);
  }
}
