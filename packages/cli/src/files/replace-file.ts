import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { explainSystemError } from '../errors.js';
import { createFile, type FileOptions } from './create-file.js';

export interface Replacement extends FileOptions {
  readonly file: string;
  readonly content: string | Buffer;
}

/**
 * Replaces a file as a whole, or makes it: after a crash there is either the old content or the new one. The new file has
 * the given mode and owner from its first byte that others could read. Missing folders are made, for this user alone.
 */
export function replaceFile(file: string, content: string | Buffer, options: FileOptions = {}): Promise<void> {
  return replaceFiles([{ file, content, ...options }]);
}

/**
 * Replaces files that belong together, such as a key and its certificate: all are written and flushed before the first
 * one is renamed.
 */
export async function replaceFiles(replacements: readonly Replacement[]): Promise<void> {
  // A name of its own for each: two processes that replace the same file never write into one.
  const staged = replacements.map((each) => ({
    ...each,
    staging: `${each.file}.${randomBytes(6).toString('hex')}.new`,
  }));
  let current = '';
  try {
    for (const { file, content, staging, ...options } of staged) {
      current = file;
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await createFile(staging, content, options);
    }
    for (const { file, staging } of staged) {
      current = file;
      await rename(staging, file);
    }
    for (const folder of new Set(staged.map(({ file }) => path.dirname(file)))) await syncFolder(folder);
  } catch (error) {
    for (const { staging } of staged) await rm(staging, { force: true }).catch(() => undefined);
    throw explainSystemError(error, current);
  }
}

/** A rename is on disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
