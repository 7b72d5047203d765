import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { keysFromValue } from '@redkeep/guard';
import { CliError, explainSystemError } from '../../errors.js';

/** The keys of a ring's file, newest first, checked; their text never reaches an error. */
export async function readKeyFile(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, file);
  });
  const keys = keysOf(text);
  try {
    keysFromValue(keys);
  } catch (error) {
    throw new CliError(
      'REDKEEP_USAGE',
      `${file} does not hold a key ring.`,
      'It needs one key of 32 bytes a line, base64 or hex, newest first.',
      { cause: error },
    );
  }
  return keys;
}

/** One key a line or between commas; `#` begins a comment. */
export function keysOf(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Replaces the ring as a whole. Owner, group and mode stay: an application that could read it still can. */
export async function writeKeyFile(file: string, keys: readonly string[]): Promise<void> {
  const staging = `${file}.new`;
  try {
    const before = await stat(file);
    await rm(staging, { force: true });
    const handle = await open(staging, 'wx', 0o600);
    try {
      await handle.writeFile(ringText(keys));
      const own = await handle.stat();
      if (own.uid !== before.uid || own.gid !== before.gid) await handle.chown(before.uid, before.gid);
      await handle.chmod(before.mode & 0o777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staging, file);
  } catch (error) {
    throw explainSystemError(error, file);
  }
}

export function ringText(keys: readonly string[]): string {
  return `${keys.join('\n')}\n`;
}
