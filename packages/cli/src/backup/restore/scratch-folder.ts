import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import { isGone, parseOwner, thisProcess } from '../../engine/process-record.js';
import { readIfPresent } from '../../files/read-if-present.js';

const ownerFile = '.owner';
const scratchName = 'redkeep-scratch-';

// The system closes the pipe when the process that holds its other end dies, even by SIGKILL.
const keep = 'read -r word; [ "$word" = kept ] || rm -rf -- "$1"';

/**
 * A folder for decrypted data. A small shell of its own session removes it when this process ends, however it ends. What
 * is left all the same, because the machine went down, is removed when the next one is created in the same place.
 */
export class ScratchFolder {
  readonly path: string;
  readonly #keeper: ChildProcess & { readonly stdin: Writable };

  private constructor(folder: string, keeper: ChildProcess & { readonly stdin: Writable }) {
    this.path = folder;
    this.#keeper = keeper;
  }

  /** In the folder `parent`, else in the system's for temporary files. */
  static in(parent: string | undefined): Promise<ScratchFolder> {
    return ScratchFolder.named(path.join(parent ?? tmpdir(), scratchName));
  }

  /** Its path is `prefix` and six characters. */
  static async named(prefix: string): Promise<ScratchFolder> {
    await mkdir(path.dirname(prefix), { recursive: true });
    await removeLeft(prefix);
    // Both at once: a process that is killed in between leaves an empty folder.
    const folder = mkdtempSync(prefix);
    const keeper = spawn('/bin/sh', ['-c', keep, 'redkeep-scratch', folder], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] },
    });
    keeper.stdin.on('error', () => undefined);
    await once(keeper, 'spawn');
    const scratch = new ScratchFolder(folder, keeper);
    try {
      await writeFile(path.join(folder, ownerFile), JSON.stringify(await thisProcess()), { mode: 0o600 });
      return scratch;
    } catch (error) {
      await scratch.remove();
      throw error;
    }
  }

  /** The data is whole, and is the user's from now on. */
  async moveTo(place: string): Promise<void> {
    await rm(path.join(this.path, ownerFile), { force: true });
    await rename(this.path, place);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    await endKeeper(this.#keeper, 'kept\n');
  }
}

/** Closes the pipe on which a process of ours waits, and waits until it has done its work. */
export async function endKeeper(child: ChildProcess & { readonly stdin: Writable }, word = ''): Promise<void> {
  child.stdin.end(word);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Removes this user's folders of processes that are gone. */
async function removeLeft(prefix: string): Promise<void> {
  const parent = path.dirname(prefix);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(path.basename(prefix))) continue;
    const folder = path.join(parent, name);
    const found = await lstat(folder).catch(() => undefined);
    // In a folder that everybody may write to, others could name one of theirs like that.
    if (!found?.isDirectory() || found.uid !== process.getuid?.()) continue;
    const owner = parseOwner(await readIfPresent(path.join(folder, ownerFile)).catch(() => undefined));
    if (owner && (await isGone(owner))) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
