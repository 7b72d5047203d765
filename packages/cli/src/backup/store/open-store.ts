import path from 'node:path';
import { CliError } from '../../errors.js';
import { FolderStore } from './folder-store.js';
import { commandCalls, ProgramStore, rcloneCalls } from './program-store.js';
import type { Store } from './store.js';

export interface OpenStoreOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly lockDays?: number | undefined;
}

/** Opens the store that `--store` names: a folder, `s3://bucket/prefix`, `rclone:remote:path` or `command:program`. */
export async function openStore(spec: string, { cwd, env, lockDays }: OpenStoreOptions): Promise<Store> {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9]+):(.*)$/s.exec(spec) ?? [];
  if (lockDays !== undefined && scheme !== 's3') {
    throw new CliError('REDKEEP_USAGE', '--lock-days is for s3:// stores.', 'Leave it away.');
  }
  switch (scheme) {
    case undefined:
      return new FolderStore(path.resolve(cwd, spec));
    case 's3':
      return (await import('./s3-store.js')).S3Store.open(spec, { env, lockDays });
    case 'rclone':
      return new ProgramStore(rcloneCalls(rest));
    case 'command':
      if (rest.trim() !== '') return new ProgramStore(commandCalls(rest));
  }
  throw new CliError(
    'REDKEEP_USAGE',
    `There is no store of the kind "${scheme}:".`,
    'Use a folder, s3://bucket/prefix, rclone:remote:path, or command:program.',
  );
}
