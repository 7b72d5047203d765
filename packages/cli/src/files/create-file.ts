import { open } from 'node:fs/promises';

/**
 * Makes a file that only its owner reads, and waits until it is on disk. Where there is one, or a link that somebody else
 * put there, it fails with EEXIST.
 */
export async function createFile(file: string, content: string | Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
