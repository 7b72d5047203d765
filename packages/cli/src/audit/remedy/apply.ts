import { chmod, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Ask, record } from '../gather/live.js';
import type { Change } from './change.js';

export async function applyChange(ask: Ask, change: Change): Promise<void> {
  if (change.kind === 'chmod') return chmod(change.path, change.mode);
  if (change.kind === 'config') await ask('CONFIG', 'SET', change.name, change.value);
  else await ask('ACL', 'SETUSER', change.user, ...change.rules);
}

/** Redis writes these files with its umask and forgets the mode they had (0600 becomes 0644): it is put back. */
async function keepingMode(path: string | undefined, write: () => Promise<unknown>): Promise<void> {
  const before = path === undefined ? undefined : await stat(path).catch(() => undefined);
  await write();
  if (path !== undefined && before !== undefined) await chmod(path, before.mode & 0o7777);
}

/** Makes what was changed at run time survive a restart. Servers without such a file keep it until then only. */
export async function persist(ask: Ask, kinds: ReadonlySet<Change['kind']>): Promise<void> {
  const info = String(await ask('INFO', 'server'));
  const configFile = info.match(/^config_file:(.+)\r?$/m)?.[1]?.trim();
  const settings = record(await ask('CONFIG', 'GET', 'aclfile', 'dir'));
  const aclFile = settings['aclfile'];
  if (kinds.has('config') && configFile) await keepingMode(configFile, () => ask('CONFIG', 'REWRITE'));
  if (kinds.has('acl')) {
    if (aclFile)
      await keepingMode(isAbsolute(aclFile) ? aclFile : join(settings['dir'] ?? '.', aclFile), () =>
        ask('ACL', 'SAVE'),
      );
    else if (configFile) await keepingMode(configFile, () => ask('CONFIG', 'REWRITE'));
  }
}
