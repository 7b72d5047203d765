import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnitFacts } from '../facts/project-facts.js';
import { parseUnitParts, type UnitPart } from './units.js';

/** Where systemd looks for units, the stronger place first. */
export const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** The unit a service of this machine runs from, with its drop-ins; undefined where there is no such file. */
export async function readInstalledUnit(
  name: string,
  folders: readonly string[] = unitFolders,
): Promise<UnitFacts | undefined> {
  const read = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);
  for (const folder of folders) {
    const file = join(folder, name);
    const text = await read(file);
    if (text === undefined) continue;
    const dropIns: UnitPart[] = [];
    for (const place of [...folders].reverse()) {
      const within = join(place, `${name}.d`);
      const names = (await readdir(within).catch(() => [])).filter((one) => one.endsWith('.conf')).sort();
      for (const one of names) dropIns.push({ file: join(within, one), text: (await read(join(within, one))) ?? '' });
    }
    return parseUnitParts([{ text, file }, ...dropIns]);
  }
  return undefined;
}
