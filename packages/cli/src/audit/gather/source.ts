import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from '@babel/parser';
import type { SourceFacts, SourceFinding } from '../facts/project-facts.js';
import { type SyntaxNode, scanProgram } from './source-rules.js';

const skipped = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.next', 'vendor', 'out']);
const sourceFile = /\.(?:[cm]?[jt]s|[jt]sx)$/;
const testFile = /(^|[./_-])(test|tests|spec|__tests__|fixtures)([./_-]|$)/;
/** More files than this are not read: the audit says so instead of taking minutes. */
const mostFiles = 20_000;

async function filesBelow(folder: string, closed: string[]): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    closed.push(folder);
    return [];
  });
  const nested = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory())
        return skipped.has(entry.name) || entry.name.startsWith('.') ? [] : filesBelow(path, closed);
      return entry.isFile() && sourceFile.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : [];
    }),
  );
  return nested.flat();
}

/** Parses JavaScript or TypeScript, with JSX where the name allows it. */
export function parseSource(text: string, file: string): SyntaxNode {
  const typescript = /\.[cm]?tsx?$/.test(file);
  return parse(text, {
    sourceType: 'unambiguous',
    allowReturnOutsideFunction: true,
    errorRecovery: false,
    plugins: [
      ...(typescript ? (['typescript'] as const) : (['flow'] as const)),
      ...(/\.[cm]?ts$/.test(file) ? [] : (['jsx'] as const)),
      'decorators-legacy',
      'explicitResourceManagement',
    ],
  }).program as unknown as SyntaxNode;
}

/** Scans one file's text. Exported for tests and for editors. */
export function scanSource(
  text: string,
  file: string,
): { findings: SourceFinding[]; clients: SourceFacts['clients']; commands: string[] } {
  return scanProgram(parseSource(text, file), file, testFile.test(file));
}

/**
 * Reads an application's sources with a real parser, never by searching for text: what stands in comments and strings
 * is not code.
 */
export async function readSource(folder: string): Promise<SourceFacts> {
  const closed: string[] = [];
  const paths = await filesBelow(folder, closed);
  if (paths.length > mostFiles)
    throw new Error(`${paths.length} source files, at most ${mostFiles} are read: name a smaller folder`);
  const unparsed: string[] = closed.map((path) => relative(process.cwd(), path));
  const findings: SourceFinding[] = [];
  const clients: SourceFacts['clients'][number][] = [];
  const commands = new Set<string>();
  let files = 0;
  for (const path of paths) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) {
      unparsed.push(relative(process.cwd(), path));
      continue;
    }
    // Parsing every file of a large application would take long; only those that can concern a server are parsed.
    if (!/redis|valkey|glide|dragonfly|redkeep/i.test(text)) continue;
    const name = relative(process.cwd(), path);
    files++;
    try {
      const found = scanSource(text, name);
      findings.push(...found.findings);
      clients.push(...found.clients);
      for (const command of found.commands) commands.add(command);
    } catch {
      unparsed.push(name);
    }
  }
  return { files, unparsed, clients, findings, commands: [...commands].sort() };
}
