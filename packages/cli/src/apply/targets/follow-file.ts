import { open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogOptions } from '../delivery.js';

const pollMilliseconds = 250;
/** The most that is read of a log's end: enough for any number of lines a person asks for. */
const tailBytes = 1024 * 1024;

/** Hands over the last lines of a file and, when asked, those that are added until the signal. */
export async function followFile(file: string, { lines, follow, signal, onLine }: LogOptions): Promise<void> {
  let { text, end } = await readFrom(file, -tailBytes);
  const last = lines === 0 ? [] : text.trimEnd().split('\n').slice(-lines);
  for (const line of last) if (line !== '') onLine(line);
  while (follow && !signal.aborted) {
    await delay(pollMilliseconds, undefined, { signal }).catch(() => undefined);
    ({ text, end } = await readFrom(file, end));
    for (const line of text.trimEnd().split('\n')) if (line !== '') onLine(line);
  }
}

/** Reads from an offset, or a negative one from the end, to the end of the file; nothing where there is no file. */
async function readFrom(file: string, offset: number): Promise<{ text: string; end: number }> {
  const size = await stat(file)
    .then((found) => found.size)
    .catch(() => 0);
  const start = offset < 0 ? Math.max(0, size + offset) : offset > size ? 0 : offset;
  if (size === start) return { text: '', end: size };
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return { text: buffer.toString('utf8', 0, bytesRead), end: start + bytesRead };
  } finally {
    await handle.close();
  }
}
