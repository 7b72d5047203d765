import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fact, observe, unobserved } from '../facts/fact.js';
import type { ProjectFacts } from '../facts/project-facts.js';
import { readLockfile } from './lockfile.js';
import { readUnit } from './units.js';

/** Files of a project by what they are. */
export interface ProjectFiles {
  readonly containers: readonly string[];
  readonly units: readonly string[];
  readonly sources: readonly string[];
  readonly lockfiles: readonly string[];
}

/** What a file given to the audit is; `undefined`: nothing it knows. */
export async function kindOf(path: string): Promise<keyof ProjectFiles | 'config' | undefined> {
  if ((await stat(path)).isDirectory()) return 'sources';
  if (/\.service$/.test(path)) return 'units';
  if (/package-lock\.json$/.test(path)) return 'lockfiles';
  if (/\.conf$/.test(path)) return 'config';
  return /\.ya?ml$/.test(path) ? 'containers' : undefined;
}

/** What a folder holds beside its sources: Compose files, manifests, units, a lockfile. Not below its own level. */
export async function filesOfFolder(folder: string): Promise<ProjectFiles> {
  const names = await readdir(folder);
  const paths = names.map((name) => join(folder, name));
  const yaml = paths.filter((path) => /\.ya?ml$/.test(path));
  const texts = await Promise.all(yaml.map((path) => readFile(path, 'utf8')));
  return {
    containers: yaml.filter((_, index) => /^(services:|kind:\s)/m.test(texts[index]!)),
    units: paths.filter((path) => path.endsWith('.service')),
    sources: [folder],
    lockfiles: paths.filter((path) => path.endsWith('package-lock.json')),
  };
}

function each<T>(
  files: readonly string[],
  missing: string,
  read: (file: string) => Promise<readonly T[]>,
): Promise<Fact<readonly T[]>> {
  if (files.length === 0) return Promise.resolve(unobserved(missing));
  return observe(files.join(', '), async () => (await Promise.all(files.map(read))).flat());
}

/** Reads what was given. The parsers, large as they are, are loaded only where there is something to parse. */
export async function readProject(files: ProjectFiles): Promise<ProjectFacts> {
  const [source] = files.sources;
  return {
    containers: await each(files.containers, 'no Compose or Kubernetes file was given', async (file) => {
      const { readContainers } = await import('./containers.js');
      return readContainers(file);
    }),
    units: await each(files.units, 'no systemd unit was given', async (file) => [await readUnit(file)]),
    source:
      source === undefined
        ? unobserved('no source folder was given')
        : await observe(source, async () => (await import('./source.js')).readSource(source)),
    libraries: await each(files.lockfiles, 'no lockfile was given', readLockfile),
  };
}

export const noProjectFiles: ProjectFiles = { containers: [], units: [], sources: [], lockfiles: [] };

export function mergeProjects(projects: readonly ProjectFiles[]): ProjectFiles {
  return {
    containers: projects.flatMap((one) => one.containers),
    units: projects.flatMap((one) => one.units),
    sources: projects.flatMap((one) => one.sources),
    lockfiles: projects.flatMap((one) => one.lockfiles),
  };
}
