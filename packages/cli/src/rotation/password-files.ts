import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { nextPasswordFile, previousPasswordFile } from '../deployment/make-material.js';
import type { User } from '../deployment/model.js';
import { explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
import { createPassword } from '../secrets/password.js';

/**
 * Where a user's rotation is, as its files say: `stable` has one password, `both` a next one beside it, `switched` the
 * next one in place and the previous one beside it. Servers accept every password that has a file.
 */
export type PasswordState = 'stable' | 'both' | 'switched';

const read = async (loaded: LoadedDeployment, file: string) => (await readIfPresent(loaded.locate(file)))?.trim();

export async function passwordState(loaded: LoadedDeployment, user: User): Promise<PasswordState> {
  if ((await read(loaded, nextPasswordFile(user))) !== undefined) return 'both';
  return (await read(loaded, previousPasswordFile(user))) === undefined ? 'stable' : 'switched';
}

export async function currentPassword(loaded: LoadedDeployment, user: User): Promise<string> {
  return (await read(loaded, user.passwordFile)) ?? '';
}

/** The password that is to come; undefined once it has taken its place. */
export function nextPassword(loaded: LoadedDeployment, user: User): Promise<string | undefined> {
  return read(loaded, nextPasswordFile(user));
}

export function previousPassword(loaded: LoadedDeployment, user: User): Promise<string | undefined> {
  return read(loaded, previousPasswordFile(user));
}

/** stable -> both. The new password is on disk before any server knows it. Safe to repeat. */
export async function makeNext(loaded: LoadedDeployment, user: User): Promise<void> {
  if ((await passwordState(loaded, user)) !== 'stable') return;
  await replaceFile(loaded.locate(nextPasswordFile(user)), createPassword());
}

/** both -> switched: the next password takes the place that applications read. Safe to repeat. */
export async function switchPassword(loaded: LoadedDeployment, user: User): Promise<void> {
  if ((await passwordState(loaded, user)) !== 'both') return;
  const current = loaded.locate(user.passwordFile);
  const previous = loaded.locate(previousPasswordFile(user));
  try {
    // While a next one is there, the current one has not been replaced: the copy may be made again.
    await copyFile(current, `${previous}.new`);
    await rename(`${previous}.new`, previous);
    await rename(loaded.locate(nextPasswordFile(user)), current);
  } catch (error) {
    throw explainSystemError(error, current);
  }
}

/** switched -> stable: the previous password is kept below the journal's folder, as a backup. Safe to repeat. */
export async function retirePrevious(loaded: LoadedDeployment, user: User, backup: string): Promise<void> {
  const previous = loaded.locate(previousPasswordFile(user));
  try {
    await mkdir(backup, { recursive: true, mode: 0o700 });
    await rename(previous, path.join(backup, `${user.name}.password`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  } catch (error) {
    throw explainSystemError(error, previous);
  }
}

/** switched -> both: the previous password is current again, and the one that had replaced it still accepted. Safe to repeat. */
export async function switchBack(loaded: LoadedDeployment, user: User): Promise<void> {
  if ((await passwordState(loaded, user)) !== 'switched') return;
  const current = loaded.locate(user.passwordFile);
  const next = loaded.locate(nextPasswordFile(user));
  const previous = loaded.locate(previousPasswordFile(user));
  try {
    const texts = await Promise.all([current, previous].map((file) => readFile(file, 'utf8')));
    // Alike after a kill between the renames: the new one is in the staging file already.
    if (texts[0] !== texts[1]) {
      await copyFile(current, `${next}.new`);
      await copyFile(previous, `${current}.new`);
      await rename(`${current}.new`, current);
    }
    await rename(`${next}.new`, next);
    await rm(previous, { force: true });
  } catch (error) {
    throw explainSystemError(error, current);
  }
}

/** both or switched -> stable with the old password, for an abort. Safe to repeat. */
export async function takeBack(loaded: LoadedDeployment, user: User): Promise<void> {
  const previous = loaded.locate(previousPasswordFile(user));
  const next = loaded.locate(nextPasswordFile(user));
  try {
    if ((await passwordState(loaded, user)) === 'switched') await rename(previous, loaded.locate(user.passwordFile));
    await rm(next, { force: true });
    await rm(previous, { force: true });
  } catch (error) {
    throw explainSystemError(error, next);
  }
}
