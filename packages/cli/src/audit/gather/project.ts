import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fact, observe, observed, unobserved } from '../facts/fact.js';
import type { ProjectFacts, UnreadableFile } from '../facts/project-facts.js';
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
  const facts = await stat(path);
  if (facts.isDirectory()) return 'sources';
  if (!facts.isFile()) return undefined;
  if (/\.service$/.test(path)) return 'units';
  if (/package-lock\.json$/.test(path)) return 'lockfiles';
  if (/\.(conf|acl)$/.test(path)) return 'config';
  return /\.ya?ml$/.test(path) ? 'containers' : undefined;
}

/** What a folder holds beside its sources: Compose files, manifests, units, a lockfile. Not below its own level. */
export async function filesOfFolder(folder: string): Promise<ProjectFiles> {
  // Pipes and devices are left alone: reading one would wait for a writer for ever.
  const entries = await readdir(folder, { withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ name }) => join(folder, name));
  const yaml = paths.filter((path) => /\.ya?ml$/.test(path));
  const texts = await Promise.all(yaml.map((path) => readFile(path, 'utf8').catch(() => 'kind: unreadable')));
  return {
    containers: yaml.filter((_, index) => /^(services:|kind:\s)/m.test(texts[index]!)),
    units: paths.filter((path) => path.endsWith('.service')),
    sources: [folder],
    lockfiles: paths.filter((path) => path.endsWith('package-lock.json')),
  };
}

/** Configuration and ACL files of a folder, by name and by what they say. */
export async function serverFilesOf(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  const paths = entries.filter(({ name }) => /\.(conf|acl)$/.test(name)).map(({ name }) => join(folder, name));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  const typical = /^\s*(bind|port|tls-port|requirepass|aclfile|protected-mode|maxmemory|appendonly|sentinel|user)\s/im;
  return paths.filter((_, index) => typical.test(texts[index]!));
}

/** Reads each file by itself: one that cannot be read hides none of the others, and is listed. */
async function each<T>(
  files: readonly string[],
  missing: string,
  unreadable: UnreadableFile[],
  read: (file: string) => Promise<readonly T[]>,
): Promise<Fact<readonly T[]>> {
  if (files.length === 0) return unobserved(missing);
  const found: T[] = [];
  let readable = 0;
  for (const file of files) {
    try {
      found.push(...(await read(file)));
      readable++;
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
      unreadable.push({ file, reason: message.replace(`${file}: `, '') });
    }
  }
  return readable === 0
    ? unobserved(unreadable.map(({ file, reason }) => `${file}: ${reason}`).join('; '))
    : observed(found, files.join(', '));
}

/** Reads what was given. The parsers, large as they are, are loaded only where there is something to parse. */
export async function readProject(files: ProjectFiles): Promise<ProjectFacts> {
  const [source] = files.sources;
  const unreadable: UnreadableFile[] = [];
  return {
    unreadable,
    containers: await each(files.containers, 'no Compose or Kubernetes file was given', unreadable, async (file) => {
      const { readContainers } = await import('./containers.js');
      return readContainers(file);
    }),
    units: await each(files.units, 'no systemd unit was given', unreadable, async (file) => [await readUnit(file)]),
    source:
      source === undefined
        ? unobserved('no source folder was given')
        : await observe(source, async () => (await import('./source.js')).readSource(source)),
    libraries: await each(files.lockfiles, 'no lockfile was given', unreadable, readLockfile),
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
