import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseExpression } from '@babel/parser';
import type { Node } from '@babel/types';
import type { SourceFacts } from '../facts/project-facts.js';
import { type Aliases, Modules, resolveImport } from './sources/modules.js';
import { scanSources } from './sources/scan.js';

const skipped = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.next', 'vendor', 'out']);
const sourceFile = /\.(?:[cm]?[jt]s|[jt]sx)$/;
/** A file that says one of these words is parsed, and those that it imports from or that import it. */
const aboutServers = /redis|valkey|glide|dragonfly|redkeep|bullmq|['"]bull['"]|bee-queue/i;
const imported = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g;
/** More files than this are not read: the audit says so instead of taking minutes. */
const mostFiles = 20_000;
/** How far values are followed from a file that is about a server, in imports, and through how many files at most. */
const mostImports = 3;
const mostParsed = 3_000;

interface Found {
  readonly sources: string[];
  /** Folders with a package.json or tsconfig.json. */
  readonly projects: string[];
}

async function filesBelow(folder: string, closed: string[]): Promise<Found> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    closed.push(folder);
    return [];
  });
  const nested = await Promise.all(
    entries.map(async (entry): Promise<Found> => {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skipped.has(entry.name) && !entry.name.startsWith('.'))
        return filesBelow(path, closed);
      const isSource = entry.isFile() && sourceFile.test(entry.name) && !entry.name.endsWith('.d.ts');
      const isProject = entry.isFile() && /^(package|tsconfig|jsconfig)\.json$/.test(entry.name);
      return { sources: isSource ? [path] : [], projects: isProject ? [path] : [] };
    }),
  );
  return { sources: nested.flatMap(({ sources }) => sources), projects: nested.flatMap(({ projects }) => projects) };
}

/** JSON with comments and trailing commas, as in tsconfig.json. */
function readJsonc(text: string): unknown {
  const plainValue = (node: Node): unknown => {
    if (node.type === 'ObjectExpression')
      return Object.fromEntries(
        node.properties.flatMap((one) =>
          one.type === 'ObjectProperty' && one.key.type === 'StringLiteral'
            ? [[one.key.value, plainValue(one.value)]]
            : [],
        ),
      );
    if (node.type === 'ArrayExpression')
      return node.elements.map((one) => (one === null || one.type === 'SpreadElement' ? undefined : plainValue(one)));
    return 'value' in node ? node.value : undefined;
  };
  return plainValue(parseExpression(text));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Names that stand for files: `paths` of a tsconfig.json, and the names of a workspace's packages. */
async function readAliases(projects: readonly string[]): Promise<Aliases> {
  const paths: [string, string[]][] = [];
  for (const file of projects.slice(0, 500)) {
    try {
      const content = record(readJsonc(await readFile(file, 'utf8')));
      const folder = dirname(file);
      if (file.endsWith('package.json')) {
        const name = content['name'];
        if (typeof name === 'string')
          paths.push(
            [
              name,
              [join(folder, 'src', 'index'), join(folder, 'index'), join(folder, String(content['main'] ?? 'index'))],
            ],
            [`${name}/*`, [join(folder, 'src', '*'), join(folder, '*')]],
          );
        continue;
      }
      const options = record(content['compilerOptions']);
      const base = join(folder, String(options['baseUrl'] ?? '.'));
      for (const [pattern, targets] of Object.entries(record(options['paths'])))
        if (Array.isArray(targets)) paths.push([pattern, targets.map((target) => join(base, String(target)))]);
    } catch {
      // Without it some imports lead nowhere; what they would have brought is unknown, and nothing is concluded from it.
    }
  }
  return { paths };
}

/** Scans one file's text. Exported for tests and for editors. */
export function scanSource(text: string, file: string): Omit<SourceFacts, 'files'> {
  const found = scanSources(new Modules(new Map([[file, text]])));
  if (found.unparsed.length > 0) throw new SyntaxError(`${file} cannot be parsed`);
  return found;
}

/** The files that can concern a server: those that speak of one, and those that hand values to them or take theirs. */
function concerned(about: ReadonlySet<string>, links: ReadonlyMap<string, readonly string[]>): Set<string> {
  const importers = new Map<string, string[]>();
  for (const [file, targets] of links)
    for (const target of targets) importers.set(target, [...(importers.get(target) ?? []), file]);
  const found = new Set(about);
  let edge = [...about];
  for (let step = 0; step < mostImports && found.size < mostParsed; step++) {
    const next = edge.flatMap((file) => [...(links.get(file) ?? []), ...(importers.get(file) ?? [])]);
    edge = [...new Set(next)].filter((file) => !found.has(file));
    for (const file of edge) found.add(file);
  }
  return found;
}

/**
 * Reads an application's sources with a real parser, never by searching for text: what is in comments and strings
 * is not code.
 */
export async function readSource(folder: string): Promise<SourceFacts> {
  const closed: string[] = [];
  const { sources, projects } = await filesBelow(folder, closed);
  if (sources.length > mostFiles)
    throw new Error(`${sources.length} source files, at most ${mostFiles} are read: name a smaller folder`);
  const aliases = await readAliases(projects);
  const known = new Set(sources);
  const unreadable: string[] = [...closed];
  const about = new Set<string>();
  const links = new Map<string, readonly string[]>();
  for (const path of sources) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) {
      unreadable.push(path);
      continue;
    }
    if (aboutServers.test(text)) about.add(path);
    const targets = [...text.matchAll(imported)].map(([, , specifier]) =>
      resolveImport(path, specifier!, aliases, (one) => known.has(one)),
    );
    links.set(
      path,
      targets.filter((one) => one !== undefined),
    );
  }
  const texts = new Map<string, string>();
  for (const path of concerned(about, links)) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) texts.set(path, text);
  }
  const found = scanSources(new Modules(texts, aliases));
  const named = (path: string) => relative(process.cwd(), path);
  const place = <T extends { readonly at: { readonly file: string; readonly line: number } }>(one: T): T => ({
    ...one,
    at: { ...one.at, file: named(one.at.file) },
  });
  return {
    files: about.size,
    unparsed: [...unreadable, ...found.unparsed.filter((path) => about.has(path))].map(named),
    clients: found.clients.map(place),
    findings: found.findings.map(place),
    commands: found.commands,
  };
}
