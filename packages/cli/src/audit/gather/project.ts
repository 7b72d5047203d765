import { resolve } from 'node:path';
import { type Fact, observe, observed, unobserved } from '../facts/fact.js';
import type { ProjectFacts, UnreadableFile } from '../facts/project-facts.js';
import type { DescribedServer } from './file-node.js';
import { readLockfile } from './lockfile.js';
import type { ProjectFiles } from './project-files.js';
import { addReading, emptyReading, type Reading } from './reading.js';
import { readTextFile, reasonOf } from './text-file.js';

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
      unreadable.push({ file, reason: reasonOf(error) });
    }
  }
  return readable === 0
    ? unobserved(unreadable.map(({ file, reason }) => `${file}: ${reason}`).join('; '))
    : observed(found, files.join(', '));
}

/** Adds what a file says, or the reason why it could not be read. */
async function guarded(reading: Reading, file: string, read: () => Promise<Partial<Reading>>): Promise<void> {
  try {
    addReading(reading, await read());
  } catch (error) {
    reading.unreadable.push({ file, reason: reasonOf(error) });
  }
}

/** The parsers, large as they are, are loaded only where there is something to parse. */
async function readDeployment(files: ProjectFiles): Promise<Reading> {
  const reading = emptyReading();
  reading.unreadable.push(...files.unreadable);
  if (files.containers.length > 0) {
    const { readYamlFiles } = await import('./yaml-files.js');
    await guarded(reading, files.containers[0]!, () => readYamlFiles(files.containers, files.sources.length === 0));
  }
  if (files.units.length > 0) {
    const { readUnits } = await import('./unit-reading.js');
    addReading(reading, await readUnits(files.units, files.configs));
  }
  if (files.recipes.length + files.environments.length + files.starters.length > 0) {
    const { readEnvironmentFile, readRecipe, readStarter } = await import('./single-files.js');
    for (const file of files.recipes)
      await guarded(reading, file, () => readRecipe(file, reading.recipes.includes(resolve(file))));
    const local = new Set(reading.containers.filter(({ kind }) => kind === 'compose').map(({ name }) => name));
    for (const file of files.environments) await guarded(reading, file, () => readEnvironmentFile(file, local));
    for (const file of files.starters) await guarded(reading, file, () => readStarter(file, files.configs));
  }
  if (files.runs.length > 0) {
    const { readContainerRuns } = await import('./container-runs.js');
    for (const file of files.runs) await guarded(reading, file, () => readContainerRuns(file));
  }
  reading.remarks.push(...(await notRead(files.unread)));
  return withoutRepetition(reading);
}

/** Terraform that is about servers: named, so that nobody takes it for clean. */
async function notRead(files: readonly string[]): Promise<string[]> {
  const about: string[] = [];
  for (const file of files) {
    const text = await readTextFile(file).catch(() => 'redis');
    if (/redis|valkey|elasticache|memorystore|dragonfly|\b6379\b/i.test(text)) about.push(file);
  }
  return about.length === 0
    ? []
    : [
        `Terraform is not read, so what it says of servers is not in this report: ${about.slice(0, 5).join(', ')}${about.length > 5 ? ` and ${about.length - 5} more` : ''}`,
      ];
}

/** Variants of a project share most of their services: what is the same is reported once. */
function withoutRepetition(reading: Reading): Reading {
  const once = <T>(all: readonly T[]): T[] => [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
  return {
    ...reading,
    containers: once(reading.containers),
    servers: once(reading.servers),
    findings: once(reading.findings),
    unreadable: once(reading.unreadable),
    remarks: once(reading.remarks),
  };
}

/** What was given, as facts; and the servers that the files describe. */
export interface ReadProject {
  readonly project: ProjectFacts;
  readonly servers: readonly DescribedServer[];
}

function ofReading<T>(
  found: readonly T[],
  files: readonly string[],
  reading: Reading,
  missing: string,
): Fact<readonly T[]> {
  if (files.length === 0) return unobserved(missing);
  if (found.length > 0 || files.some((file) => !reading.unreadable.some((one) => one.file === file)))
    return observed(found, files.join(', '));
  return unobserved(reading.unreadable.map(({ file, reason }) => `${file}: ${reason}`).join('; '));
}

/** Reads what was given. */
export async function readProject(files: ProjectFiles): Promise<ReadProject> {
  const [source] = files.sources;
  const reading = await readDeployment(files);
  // A folder's scripts need not start any container: only those that do say something about containers.
  const described = reading.containers.length > 0 ? [...files.containers, ...files.runs] : files.containers;
  const deployment = [...described, ...files.recipes, ...files.environments, ...files.units, ...files.starters];
  const libraries = await each(files.lockfiles, 'no lockfile was given', reading.unreadable, readLockfile);
  return {
    servers: reading.servers,
    project: {
      unreadable: reading.unreadable,
      remarks: reading.remarks,
      containers: ofReading(reading.containers, described, reading, 'no Compose or Kubernetes file was given'),
      deployment: ofReading(
        reading.findings,
        reading.findings.length > 0 ? [...deployment, ...files.runs] : deployment,
        reading,
        'no deployment file was given',
      ),
      units: ofReading(reading.units, [...files.units, ...files.starters], reading, 'no systemd unit was given'),
      source:
        source === undefined
          ? unobserved('no source folder was given')
          : await observe(source, async () => (await import('./source.js')).readSource(source)),
      libraries,
    },
  };
}
