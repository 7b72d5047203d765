import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createdList } from '../deployment/write-files.js';
import { explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';

/** Folders below `backups/` that changes of files have left since a moment, oldest first. */
export async function backupsSince(folder: string, since: Date | undefined): Promise<string[]> {
  const names = await readdir(path.join(folder, 'backups')).catch(() => [] as string[]);
  const from = since === undefined ? '' : since.toISOString().replace(/[:.]/g, '-');
  return names
    .filter((name) => /^(?:certs-)?\d{4}-\d{2}-\d{2}T/.test(name) && name.replace(/^certs-/, '') >= from)
    .sort((a, b) => (a.replace(/^certs-/, '') < b.replace(/^certs-/, '') ? -1 : 1));
}

/** Puts back what the changes replaced or removed, newest first, and removes what they created. Safe to repeat. */
export async function restoreBackups(folder: string, backups: readonly string[]): Promise<void> {
  for (const name of [...backups].reverse()) {
    const backup = path.join(folder, 'backups', name);
    try {
      const entries = await readdir(backup, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((each) => each.isFile() && each.name !== createdList)) {
        const from = path.join(entry.parentPath, entry.name);
        const to = path.join(folder, path.relative(backup, from));
        await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
        await copyFile(from, `${to}.undo`);
        await rename(`${to}.undo`, to);
      }
      const created = await readIfPresent(path.join(backup, createdList));
      for (const file of created === undefined ? [] : (JSON.parse(created) as string[])) {
        await rm(path.join(folder, file), { force: true });
      }
    } catch (error) {
      throw explainSystemError(error, backup);
    }
  }
}
