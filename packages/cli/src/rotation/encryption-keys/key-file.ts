import { readFile, stat } from 'node:fs/promises';
import { keysFromValue } from '@redkeep/guard';
import { CliError, explainSystemError } from '../../errors.js';
import { replaceFile } from '../../files/replace-file.js';

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
  const { mode, uid, gid } = await stat(file).catch((error: unknown) => {
    throw explainSystemError(error, file);
  });
  await replaceFile(file, ringText(keys), { mode: mode & 0o777, owner: { uid, gid } });
}

export function ringText(keys: readonly string[]): string {
  return `${keys.join('\n')}\n`;
}
