import { open, rm } from 'node:fs/promises';

export interface FileOptions {
  /** Permission bits, whatever the umask is; default 0o600. */
  readonly mode?: number;
  /** Default: the user and group of this process. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/**
 * Makes a file that only its owner reads, unless another mode is given, and waits until it is on disk. Where there is
 * one, or a link that somebody else put there, it fails with EEXIST. What it could not write to its end is removed.
 */
export async function createFile(
  file: string,
  content: string | Buffer,
  { mode = 0o600, owner }: FileOptions = {},
): Promise<void> {
  const handle = await open(file, 'wx', mode & 0o700);
  try {
    await handle.writeFile(content);
    const { uid, gid } = await handle.stat();
    if (owner && (owner.uid !== uid || owner.gid !== gid)) await handle.chown(owner.uid, owner.gid);
    await handle.chmod(mode);
    await handle.sync();
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
