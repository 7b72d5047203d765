import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import type { UnreadableFile } from '../facts/project-facts.js';
import { looksLikeServerConfig } from './server-config-text.js';
import { readTextFile, reasonOf } from './text-file.js';

/** Files of a project by what they are. */
export interface ProjectFiles {
  /** YAML: Compose files, Kubernetes manifests, Helm values, workflows; distinguished by their content. */
  readonly containers: readonly string[];
  readonly units: readonly string[];
  readonly sources: readonly string[];
  readonly lockfiles: readonly string[];
  /** Dockerfiles and Containerfiles. */
  readonly recipes: readonly string[];
  /** `.env` and what is named like it. */
  readonly environments: readonly string[];
  /** supervisord, `/etc/default`, init scripts: files that start a server in their own way. */
  readonly starters: readonly string[];
  /** Scripts, Makefiles, scripts of a package.json and Quadlet files: what runs containers without Compose. */
  readonly runs: readonly string[];
  /** Configuration and ACL files that a folder holds; those that another file uses are part of that one's server. */
  readonly configs: readonly string[];
  /** Files of kinds that are not read (Terraform): the report names them. */
  readonly unread: readonly string[];
  /** What a folder holds and could not be read. */
  readonly unreadable: readonly UnreadableFile[];
}

export type FileKind = Exclude<keyof ProjectFiles, 'unreadable'>;

export const noProjectFiles: ProjectFiles = {
  containers: [],
  units: [],
  sources: [],
  lockfiles: [],
  recipes: [],
  environments: [],
  starters: [],
  runs: [],
  unread: [],
  configs: [],
  unreadable: [],
};

export function mergeProjects(projects: readonly ProjectFiles[]): ProjectFiles {
  const all = <Key extends keyof ProjectFiles>(key: Key): ProjectFiles[Key][number][] =>
    projects.flatMap((one) => [...one[key]]);
  return {
    containers: all('containers'),
    units: all('units'),
    sources: all('sources'),
    lockfiles: all('lockfiles'),
    recipes: all('recipes'),
    environments: all('environments'),
    starters: all('starters'),
    runs: all('runs'),
    unread: all('unread'),
    configs: all('configs'),
    unreadable: all('unreadable'),
  };
}

const byName: readonly [RegExp, FileKind][] = [
  [/\.service$/, 'units'],
  [/\.(container|sh|bash)$|^(GNUm|M|m)akefile$|^package\.json$/, 'runs'],
  [/^package-lock\.json$/, 'lockfiles'],
  [/^(Dockerfile|Containerfile)(\..+)?$|\.(dockerfile|containerfile)$/i, 'recipes'],
  [/^\.env(\..+)?$|\.env$|^env\.(prod|production|staging|local)$/, 'environments'],
  [
    /^supervisord?\.conf$|supervisor.*\.(conf|ini)$|^(redis|valkey|keydb)(-server|-sentinel)?(\.(default|sysconfig|init|openrc))?$|^Procfile$/,
    'starters',
  ],
  [/\.tf(\.json)?$/, 'unread'],
  [/\.ya?ml$/, 'containers'],
  [/\.(conf|acl)$/, 'configs'],
];

/** What a file is, by its name; `undefined`: nothing the audit knows. */
export function kindOfName(name: string): FileKind | undefined {
  return byName.find(([pattern]) => pattern.test(name))?.[1];
}

/** What a path given to the audit is. */
export async function kindOf(path: string): Promise<FileKind | undefined> {
  const facts = await stat(path);
  if (facts.isDirectory()) return dirname(path) !== path && /\.service\.d$/.test(path) ? 'units' : 'sources';
  const kind = kindOfName(basename(path));
  // A drop-in is a `.conf` file in `NAME.service.d`.
  return kind === 'configs' && /\.service\.d$/.test(dirname(path)) ? 'units' : kind;
}

const skipped = new Set(
  'node_modules dist build coverage .git .next vendor out target __pycache__ .venv venv .cache .terraform'.split(' '),
);
/** More entries than this are not looked at: the report says so. */
const mostEntries = 50_000;

interface Walk {
  readonly found: Map<FileKind, string[]>;
  readonly unreadable: UnreadableFile[];
  entries: number;
}

function whatIs(entry: Dirent): string | undefined {
  if (entry.isFIFO()) return 'it is a named pipe';
  if (entry.isSocket()) return 'it is a socket';
  if (entry.isBlockDevice() || entry.isCharacterDevice()) return 'it is a device';
  return undefined;
}

async function take(path: string, entry: Dirent, walk: Walk): Promise<void> {
  const inDropIn = /\.service\.d$/.test(dirname(path));
  const kind = inDropIn && entry.name.endsWith('.conf') ? 'units' : kindOfName(entry.name);
  if (kind === undefined) return;
  let reason = whatIs(entry);
  if (entry.isSymbolicLink()) {
    const target = await stat(path).catch((error: unknown) => reasonOf(error));
    if (typeof target === 'string') reason = target;
    else if (target.isDirectory()) return;
    else if (!target.isFile()) reason = 'it leads to a pipe, socket or device';
  }
  if (reason !== undefined) walk.unreadable.push({ file: path, reason });
  else walk.found.set(kind, [...(walk.found.get(kind) ?? []), path]);
}

async function walkFolder(folder: string, walk: Walk): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    walk.unreadable.push({ file: folder, reason: reasonOf(error) });
    return [];
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (++walk.entries > mostEntries) return;
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) await take(path, entry, walk);
    else if (
      !skipped.has(entry.name) &&
      (!entry.name.startsWith('.') || /^\.(github|forgejo|gitea|circleci|docker)$/.test(entry.name))
    )
      await walkFolder(path, walk);
  }
}

/** What tests and examples start is theirs, for minutes. */
const isOfTests = (path: string): boolean => /(^|\/)(tests?|__tests__|specs?|e2e|fixtures|examples?)\//.test(path);

/** Deployment files of a folder and of what is below it. Folders of installed and built things are left out. */
export async function filesOfFolder(folder: string): Promise<ProjectFiles> {
  const walk: Walk = { found: new Map(), unreadable: [], entries: 0 };
  await walkFolder(folder, walk);
  const of = (kind: FileKind): string[] => walk.found.get(kind) ?? [];
  if (walk.entries > mostEntries)
    walk.unreadable.push({
      file: folder,
      reason: `it has more than ${mostEntries} entries, and the rest was not looked at: name a smaller folder`,
    });
  const configs: string[] = [];
  for (const path of of('configs')) {
    const text = await readTextFile(path).catch((error: unknown) => {
      walk.unreadable.push({ file: path, reason: reasonOf(error) });
      return '';
    });
    if (looksLikeServerConfig(text, path)) configs.push(path);
  }
  return {
    containers: of('containers'),
    units: of('units'),
    sources: [folder],
    lockfiles: of('lockfiles'),
    recipes: of('recipes'),
    environments: of('environments'),
    starters: of('starters'),
    unread: of('unread'),
    runs: of('runs').filter((path) => !isOfTests(relative(folder, path))),
    configs,
    unreadable: walk.unreadable,
  };
}
