import { readdir, readFile, stat } from 'node:fs/promises';
import { NotObserved } from '../audit/facts/fact.js';

/** The trimmed content of a small file of the kernel; empty where there is none. */
export async function textIfAny(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim();
}

/** Device-mapper targets of cryptsetup carry a UUID that begins with CRYPT-. */
export async function isEncrypted(block: string): Promise<boolean> {
  return (await textIfAny(`${block}/dm/uuid`)).startsWith('CRYPT-');
}

/** Whether a directory is on a volume that this machine encrypts. Encryption by a cloud provider below it cannot be seen from here. */
export async function dataEncrypted(directory: string | undefined): Promise<boolean> {
  if (directory === undefined) throw new NotObserved('the data directory is not known');
  const { dev } = await stat(directory);
  const [major, minor] = [Math.floor(dev / 256), dev % 256];
  if (major === 0)
    throw new NotObserved(`${directory} is on a virtual or layered file system: ask the host or the cloud volume`);
  const block = `/sys/dev/block/${major}:${minor}`;
  if (await isEncrypted(block)) return true;
  const below = await readdir(`${block}/slaves`).catch(() => []);
  return (await Promise.all(below.map((name) => isEncrypted(`/sys/class/block/${name}`)))).includes(true);
}
