import { randomUUID } from 'node:crypto';
import { link, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError, explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import type { LoadedDeployment } from './loaded-deployment.js';

interface Identity {
  /** What distinguishes this deployment from every other one, whatever their names are. */
  readonly id: string;
  /** Where its folder was when it was used last. */
  readonly folder: string;
}

const identityFile = '.identity.json';

/** The id of a deployment; made when it is first asked for. */
export async function identityOf(loaded: LoadedDeployment): Promise<string> {
  return (await readOrMake(loaded)).id;
}

/**
 * Refuses to work on the local servers of a folder that was copied or moved: its files name the folder they were
 * written for, so that a copy would serve the original's data and a moved one would not start.
 */
export async function requireOwnFolder(loaded: LoadedDeployment): Promise<void> {
  const { id, folder } = await readOrMake(loaded);
  if (folder === loaded.folder) return;
  const original = await readIdentity(folder);
  const copied = original?.id === id;
  throw new CliError(
    'REDKEEP_DEPLOYMENT_COPIED',
    copied
      ? `${loaded.folder} is a copy of ${folder}: its files name that folder and its servers' data and ports.`
      : `${loaded.folder} was moved here from ${folder}, which its files still name.`,
    copied
      ? 'Make it a deployment of its own: redkeep init --adopt --port PORT --yes.'
      : 'Write its files for this place: redkeep init --adopt --yes.',
  );
}

/** Takes a folder for this place: a moved deployment stays the same one, a copy becomes another. */
export async function adoptFolder(folder: string): Promise<void> {
  const found = await readIdentity(folder);
  if (!found || found.folder === folder) return;
  const original = await readIdentity(found.folder);
  const id = original?.id === found.id ? randomUUID() : found.id;
  const file = path.join(folder, identityFile);
  await rm(file, { force: true });
  await rm(path.join(folder, 'run'), { recursive: true, force: true });
  await write(file, { id, folder });
}

async function readOrMake({ folder }: LoadedDeployment): Promise<Identity> {
  const found = await readIdentity(folder);
  if (found) return found;
  await write(path.join(folder, identityFile), { id: randomUUID(), folder });
  return (await readIdentity(folder))!;
}

async function readIdentity(folder: string): Promise<Identity | undefined> {
  try {
    const text = await readIfPresent(path.join(folder, identityFile));
    return text === undefined ? undefined : (JSON.parse(text) as Identity);
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and never over another's: two first commands at once agree on one id. */
async function write(file: string, identity: Identity): Promise<void> {
  const staging = `${file}.${process.pid}`;
  try {
    await writeFile(staging, `${JSON.stringify(identity)}\n`, { mode: 0o600 });
    await link(staging, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(file).catch(() => undefined))) throw error;
    });
  } catch (error) {
    throw explainSystemError(error, file);
  } finally {
    await rm(staging, { force: true });
  }
}
