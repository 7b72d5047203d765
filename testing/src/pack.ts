import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The parts of a package.json that say how a package is entered. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly type?: 'module' | 'commonjs';
  readonly main?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** A package as npm would publish it. */
export interface Packed {
  readonly name: string;
  readonly tarball: string;
  readonly manifest: Manifest;
}

/** Packs `packages/<folder>` as built, for each of the folders, into `into`. */
export async function packPackages(into: string, folders: readonly string[]): Promise<Packed[]> {
  await mkdir(into, { recursive: true });
  return Promise.all(
    folders.map(async (folder) => {
      const source = join(repository, 'packages', folder);
      const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', into];
      const { stdout } = await run('npm', args, { cwd: source });
      const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [{ filename: string }];
      const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as Manifest;
      return { name: manifest.name, tarball: join(into, filename), manifest };
    }),
  );
}

/** Makes `folder` a project that has the packed packages installed, and nothing from outside: no network is used. */
export async function installPacked(folder: string, packed: readonly Packed[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const dependencies = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const cache = join(folder, '.npm');
  const args = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', [...args, '--cache', cache], { cwd: folder });
}
