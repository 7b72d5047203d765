import { randomBytes } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { isGone, type ProcessOwner, parseOwner, thisProcess } from '../engine/process-record.js';
import { CliError, explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';

interface Holder extends ProcessOwner {
  readonly command: string;
}

const lockFile = '.lock';

/**
 * Runs work while no other redkeep changes the same deployment. A lock whose process is gone is taken over. The lock
 * of another machine on a shared folder cannot be judged from here and is respected.
 */
export async function withFolderLock<T>(folder: string, command: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, lockFile);
  const own: Holder = { ...(await thisProcess()), command };
  await acquire(file, own);
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function acquire(file: string, own: Holder): Promise<void> {
  // Written whole and then linked: nobody ever reads half a lock.
  const staging = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(staging, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    for (;;) {
      try {
        return await link(staging, file);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      }
      const text = await readIfPresent(file);
      const holder = parseOwner<Holder>(text);
      if (holder && !(await isGone(holder))) throw busy(holder);
      await removeStale(file, text);
    }
  } catch (error) {
    throw explainSystemError(error, file);
  } finally {
    await rm(staging, { force: true });
  }
}

/** Removes a lock that was judged to be stale; one that somebody else has put there meanwhile is put back. */
async function removeStale(file: string, judged: string | undefined): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  await rename(file, aside).catch(() => undefined);
  const taken = await readIfPresent(aside);
  if (taken !== undefined && taken !== judged) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

function busy({ pid, host, command }: Holder): CliError {
  return new CliError(
    'REDKEEP_BUSY',
    `"redkeep ${command}" (pid ${pid} on ${host}) is changing this deployment.`,
    `Wait until it has ended${host === hostname() ? '' : `; if ${host} is gone, remove ${lockFile} from the folder`}.`,
  );
}
