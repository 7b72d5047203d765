import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExposureFacts, GuardedFile } from '../../facts/exposure-facts.js';
import { Reach } from './reach.js';
import { type Content, contentOf } from './secret-content.js';

/** Not the deployment's own: packages, builds, history, and what tests are made of. */
const skipped = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.next', 'vendor', 'proc', 'sys', 'dev']);
const ofTests = /^(tests?|__tests__|specs?|fixtures|testdata|examples?)$/i;
/** Folders of the whole machine: named files in them are looked at, and nothing else. */
const shared =
  /^\/(?:etc|tmp|var|home|root|usr|opt|srv|mnt|run|boot|bin|lib|sbin)?$|^\/(?:var\/(?:lib|log|run|tmp|cache|spool)|usr\/\w+|usr\/local\/\w+|etc\/(?:ssl|pki|ssl\/(?:certs|private)|systemd(?:\/system)?))$/;
const mostFiles = 20_000;
const mostDepth = 12;
/** A key or a password is small; more of a file is not read. */
const readBytes = 64 * 1024;
const mostBytes = 4 * 2 ** 20;

export interface WalkRequest {
  readonly folders: readonly string[];
  /** Single files that a setting names. */
  readonly files: readonly string[];
  /** Accounts that the files may belong to, beside root, the user of the audit and the owners of the folders. */
  readonly accounts: readonly number[];
}

async function beginningOf(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(readBytes);
    const { bytesRead } = await handle.read(buffer, 0, readBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Walks folders, knows what others must not read or change by content, and says who can. */
export async function walkExposure({ folders, files, accounts }: WalkRequest): Promise<ExposureFacts> {
  const walk = new Walk();
  const owners = await Promise.all(
    folders.map((folder) =>
      stat(folder).then(
        ({ uid }) => uid,
        () => 0,
      ),
    ),
  );
  for (const folder of folders) await walk.folder(folder, 0);
  for (const file of files) await walk.file(file);
  return walk.result(folders, new Reach([...owners, ...accounts, ...(process.geteuid ? [process.geteuid()] : [])]));
}

class Walk {
  readonly #closed: { path: string; reason: string }[] = [];
  readonly #found = new Map<string, Content>();
  readonly #visited = new Set<string>();
  #files = 0;

  async folder(path: string, depth: number): Promise<void> {
    const real = await realpath(path).catch(() => path);
    if (this.#visited.has(real)) return;
    this.#visited.add(real);
    if (depth > mostDepth) return this.#close(path, `more than ${mostDepth} folders deep`);
    if (shared.test(real)) return;
    const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
      this.#close(path, reasonOf(error));
      return [];
    });
    for (const entry of entries) {
      if (this.#files >= mostFiles) return this.#close(path, `more than ${mostFiles} files`);
      const below = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name) && !ofTests.test(entry.name)) await this.folder(below, depth + 1);
      } else if (entry.isFile() || entry.isSymbolicLink()) await this.file(below);
      // A pipe, a socket or a device holds no secret, and opening one can wait for ever.
    }
  }

  async file(path: string): Promise<void> {
    if (this.#found.has(path)) return;
    try {
      const facts = await stat(path);
      // A link to a folder leads out of the deployment, or back into it.
      if (!facts.isFile()) return;
      this.#files++;
      if (facts.size === 0 || facts.size > mostBytes) return;
      const content = contentOf(path, await beginningOf(path));
      if (content !== undefined) this.#found.set(path, content);
    } catch (error) {
      // A link that leads nowhere hides nothing.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#close(path, reasonOf(error));
    }
  }

  async result(folders: readonly string[], reach: Reach): Promise<ExposureFacts> {
    const authorities = new Set([...this.#found.values()].flatMap((one) => one.authorities ?? []));
    const guarded: GuardedFile[] = [];
    for (const [path, { holds, isSecret, privateKeys }] of this.#found) {
      const ofAuthority = privateKeys?.some((key) => authorities.has(key)) === true;
      try {
        guarded.push({
          path,
          holds: ofAuthority ? 'the private key of the CA' : holds,
          isSecret,
          ...(await reach.of(path)),
        });
      } catch (error) {
        this.#close(path, reasonOf(error));
      }
    }
    return { folders, files: this.#files, guarded, closed: this.#closed };
  }

  #close(path: string, reason: string): void {
    this.#closed.push({ path, reason });
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM' ? 'no permission' : (code ?? String(error));
}
