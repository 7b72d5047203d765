import path from 'node:path';
import { CliError } from '../../errors.js';
import { FolderStore } from './folder-store.js';
import type { Store } from './store.js';

/** Opens the store that `--store` names: a folder, `s3://bucket/prefix`, `rclone:remote:path` or `command:program`. */
export async function openStore(spec: string, cwd: string): Promise<Store> {
  const scheme = /^([a-z][a-z0-9]+):/.exec(spec)?.[1];
  switch (scheme) {
    case undefined:
      return new FolderStore(path.resolve(cwd, spec));
    default:
      throw new CliError(
        'REDKEEP_USAGE',
        `There is no store of the kind "${scheme}:".`,
        'Use a folder, s3://bucket/prefix, rclone:remote:path, or command:program.',
      );
  }
}
