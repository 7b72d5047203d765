import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createdList } from '../deployment/write-files.js';
import { explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';

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
        await replaceFile(to, await readFile(from), { mode: (await stat(from)).mode & 0o777 });
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
