import { createHash, randomBytes } from 'node:crypto';
import { chmod, copyFile, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError, explainSystemError } from '../errors.js';
import { createFile } from '../files/create-file.js';
import { readIfPresent } from '../files/read-if-present.js';
import { stopIfInterrupted } from '../interruption.js';
import type { Manifest } from './loaded-deployment.js';
import type { RenderedFile } from './render/rendered-file.js';
import { isRewrittenByServer } from './server-owned.js';

export type ChangeKind = 'create' | 'update' | 'overwrite-edited' | 'remove' | 'keep-edited' | 'same';

/** In a backup: the files that the change created, which taking it back removes. */
export const createdList = '.created.json';

/** What writing would do to one file. */
export interface Change {
  readonly path: string;
  readonly kind: ChangeKind;
  readonly before: string | undefined;
  readonly after: RenderedFile | undefined;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The manifest of rendered files: what is derived, by path. */
export function manifestOf(files: readonly RenderedFile[]): Manifest {
  return Object.fromEntries(files.filter(({ made }) => !made).map((file) => [file.path, sha256(file.content)]));
}

/** Compares what was rendered with what is in the folder, and recognises files that were edited by hand. */
export async function planChanges(
  folder: string,
  files: readonly RenderedFile[],
  manifest: Manifest,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const file of files) {
    const before = await readIfPresent(path.join(folder, file.path));
    changes.push({ path: file.path, kind: kindOf(file, before, manifest[file.path]), before, after: file });
  }
  const rendered = new Set(files.map((file) => file.path));
  for (const stale of Object.keys(manifest).filter((file) => !rendered.has(file))) {
    const before = await readIfPresent(path.join(folder, stale));
    if (before !== undefined) changes.push({ path: stale, kind: 'remove', before, after: undefined });
  }
  return changes;
}

function kindOf(file: RenderedFile, before: string | undefined, written: string | undefined): ChangeKind {
  if (before === undefined) return 'create';
  if (before === file.content) return 'same';
  if (file.made || isRewrittenByServer(before)) return 'update';
  if (written === sha256(before)) return 'update';
  return written === sha256(file.content) ? 'keep-edited' : 'overwrite-edited';
}

export function isWrite({ kind }: Change): boolean {
  return kind !== 'same' && kind !== 'keep-edited';
}

/**
 * Makes a folder with all files at once: they are written to a folder beside it, which is then renamed. Whatever
 * interrupts it leaves either nothing or everything. An existing folder is moved to `backup` first, when given.
 */
export async function writeFolder(
  folder: string,
  files: readonly RenderedFile[],
  options: { readonly signal: AbortSignal; readonly backup?: string },
): Promise<void> {
  const staging = `${folder}.staging-${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(path.dirname(folder), { recursive: true });
    await stage(staging, files, options.signal);
    if (options.backup !== undefined) await rename(folder, options.backup);
    try {
      await rename(staging, folder);
    } catch (error) {
      if (options.backup !== undefined) await rename(options.backup, folder);
      throw error;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')) {
      throw folderNotEmpty(folder);
    }
    throw explainSystemError(error, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * Applies changes inside an existing deployment: new contents are all staged before the first file is replaced, and
 * what is replaced or removed is kept under `backups/`. The last file given is renamed last.
 */
export async function applyChanges(
  folder: string,
  changes: readonly Change[],
  options: { readonly signal: AbortSignal; readonly now: Date },
): Promise<void> {
  const staging = path.join(folder, `.staging-${randomBytes(6).toString('hex')}`);
  const backup = path.join(folder, 'backups', timestamp(options.now));
  try {
    const writes = changes.filter(isWrite);
    const files = writes.flatMap(({ after }) => (after ? [after] : []));
    await stage(staging, files, options.signal);
    const created = writes.filter(({ before }) => before === undefined).map(({ path: file }) => file);
    if (created.length > 0) {
      await mkdir(backup, { recursive: true, mode: 0o700 });
      await writeFile(path.join(backup, createdList), JSON.stringify(created), { mode: 0o600 });
    }
    for (const { path: file, before } of writes) {
      if (before === undefined) continue;
      const target = path.join(backup, file);
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await copyFile(path.join(folder, file), target);
      await chmod(target, 0o600);
    }
    stopIfInterrupted(options.signal);
    for (const { path: file, after } of writes) {
      const target = path.join(folder, file);
      if (!after) {
        await rm(target);
        continue;
      }
      await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await rename(path.join(staging, file), target);
    }
  } catch (error) {
    throw explainSystemError(error, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function stage(staging: string, files: readonly RenderedFile[], signal: AbortSignal): Promise<void> {
  await mkdir(staging, { mode: 0o700 });
  for (const file of files) {
    stopIfInterrupted(signal);
    const target = path.join(staging, file.path);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    // Exclusive creation: never through a link that somebody else put there.
    await createFile(target, file.content, { mode: file.mode });
  }
  stopIfInterrupted(signal);
}

/** What is at a path: nothing, an empty folder, or something that may not be overwritten. */
export async function occupancy(folder: string): Promise<'free' | 'empty' | 'occupied'> {
  try {
    const found = await lstat(folder);
    if (!found.isDirectory()) return 'occupied';
    return (await readdir(folder)).length === 0 ? 'empty' : 'occupied';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'free';
    throw explainSystemError(error, folder);
  }
}

export function folderNotEmpty(folder: string): CliError {
  return new CliError(
    'REDKEEP_FOLDER_NOT_EMPTY',
    `${folder} holds files that are not a redkeep deployment.`,
    'Choose another folder with --dir, or --force, which moves it aside and keeps it.',
  );
}

/** A time that may stand in a file name and sorts by age. */
export function timestamp(now: Date): string {
  return now.toISOString().replace(/[:.]/g, '-');
}
