import { open } from 'node:fs/promises';
import { explainSystemError } from '../errors.js';

/**
 * Adds a line to a journal, mode 0600, and waits until it is on disk. The line end comes first, so that a line which a
 * crash cut off stays alone on its line.
 */
export async function appendLine(file: string, line: string): Promise<void> {
  try {
    const handle = await open(file, 'a', 0o600);
    try {
      await handle.writeFile(`\n${line}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainSystemError(error, file);
  }
}
