import { rm } from 'node:fs/promises';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
import type { Straggler } from './stragglers.js';

const file = 'secrets/rotation/stragglers.json';

/** Who used an old password when it was taken away; they may use it until a rotation ends without them. */
export async function readStragglers(loaded: LoadedDeployment): Promise<readonly Straggler[]> {
  const text = await readIfPresent(loaded.locate(file));
  try {
    return text === undefined ? [] : (JSON.parse(text) as Straggler[]);
  } catch {
    return [];
  }
}

export async function writeStragglers(loaded: LoadedDeployment, stragglers: readonly Straggler[]): Promise<void> {
  if (stragglers.length === 0) return rm(loaded.locate(file), { force: true });
  await replaceFile(loaded.locate(file), `${JSON.stringify(stragglers, null, 2)}\n`);
}
