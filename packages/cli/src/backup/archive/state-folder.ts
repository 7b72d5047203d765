import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { startMarkOf } from '../../engine/process-record.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';

const signerFile = 'signer.key';
const lockFile = 'lock';

/** Writes a file so that after a crash either the old or the new content is there. */
export async function writeDurably(file: string, content: string | Buffer): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The key that signs what this writer did; made at its first start, for this user alone. */
export async function loadSigner(folder: string): Promise<KeyObject> {
  const file = path.join(folder, signerFile);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readIfPresent(file);
  if (known !== undefined) return createPrivateKey(known);
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeDurably(file, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return createPrivateKey(await readFile(file));
}

/**
 * Keeps a second process out of the folder: two writers with one key would make two chains of one. A lock of a process
 * that has ended is taken over. Returns what releases it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(folder, lockFile);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const mine = JSON.stringify({ pid: process.pid, startMark: await startMarkOf(process.pid) });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(mine);
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
      if (await holderLives(file)) break;
      await rm(file, { force: true });
    }
  }
  throw new CliError(
    'REDKEEP_BACKUP_BUSY',
    `Another redkeep process is writing with the state in ${folder}.`,
    'Wait for it, or give this one a state folder of its own with --state.',
  );
}

async function holderLives(file: string): Promise<boolean> {
  try {
    const { pid, startMark } = JSON.parse((await readIfPresent(file)) ?? '') as { pid: number; startMark?: string };
    const mark = await startMarkOf(pid);
    return mark !== undefined && mark === startMark;
  } catch {
    return false;
  }
}
