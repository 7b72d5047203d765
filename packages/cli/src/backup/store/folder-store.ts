import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { type ObjectContent, ObjectExists, ObjectMissing, type Store, type StoredObject } from './store.js';

/** Half-written files start so; a reader passes over them, and expiry removes old ones. */
const partPrefix = '.part-';

/** A folder, for example of a mounted disk. An object appears under its name when it is whole and on the disk. */
export class FolderStore implements Store {
  readonly description: string;
  readonly isOffHost = false;
  readonly #folder: string;
  #disk: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.description = folder;
  }

  async put(name: string, content: ObjectContent): Promise<void> {
    const target = path.join(this.#folder, name);
    const folder = path.dirname(target);
    await this.#requireSameDisk();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const part = path.join(folder, `${partPrefix}${randomBytes(8).toString('hex')}`);
    try {
      if ('file' in content) await copyFile(content.file, part);
      const handle = await open(part, 'file' in content ? 'r+' : 'wx', 0o600);
      try {
        if ('data' in content) await handle.writeFile(content.data);
        await handle.chmod(0o600);
        await handle.sync();
      } finally {
        await handle.close();
      }
      // A link fails where the name is taken; a rename would replace it.
      await link(part, target);
      await syncFolder(folder);
    } catch (error) {
      throw codeOf(error) === 'EEXIST' ? new ObjectExists(name) : error;
    } finally {
      await rm(part, { force: true });
    }
  }

  /** A disk that was unmounted leaves its empty mount point, which must not become a second store. */
  async #requireSameDisk(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { dev } = await stat(this.#folder);
    this.#disk ??= dev;
    if (this.#disk !== dev) throw new Error(`${this.#folder} is on another file system than before: is it mounted?`);
  }

  async get(name: string): Promise<AsyncIterable<Buffer>> {
    const file = path.join(this.#folder, name);
    try {
      await stat(file);
    } catch (error) {
      throw codeOf(error) === 'ENOENT' ? new ObjectMissing(name) : error;
    }
    return createReadStream(file, { highWaterMark: 256 * 1024 });
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    const visit = async (relative: string): Promise<void> => {
      const entries = await readdir(path.join(this.#folder, relative), { withFileTypes: true }).catch((error) => {
        if (codeOf(error) === 'ENOENT') return [];
        throw error;
      });
      for (const entry of entries) {
        const name = `${relative}${entry.name}`;
        if (entry.isDirectory()) await visit(`${name}/`);
        else if (entry.isFile() && !entry.name.startsWith(partPrefix)) {
          found.push({ name, bytes: (await stat(path.join(this.#folder, name))).size });
        }
      }
    };
    await visit(prefix);
    return found;
  }

  async remove(name: string): Promise<void> {
    await rm(path.join(this.#folder, name), { force: true });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
