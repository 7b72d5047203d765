import { readFile } from 'node:fs/promises';
import { explainSystemError } from '../errors.js';

/** A file's text, or undefined where there is none. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw explainSystemError(error, file);
  }
}
