#!/usr/bin/env node
// Refuses what makes a code base hard to read: modules that import each other in a circle, a second definition of a word
// that decides security or names a concept, other test dialects, and prose that reads as translated.
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY } from './bootstrap.mjs';
import { importsOf, parseSource } from './lib/module-syntax.mjs';
import { checkProse, checkSourceProse, proseOf } from './lib/prose.mjs';
import { run, runMain, StepFailed } from './lib/step.mjs';
import { checkVocabulary, checkVocabularyTable } from './lib/vocabulary.mjs';

const WORKSPACES = [
  'packages/client',
  'packages/ioredis',
  'packages/guard',
  'packages/cli',
  'testing',
  'bench',
  'examples',
  'fuzz',
  'compat',
  'chaos',
  'journeys',
  'site',
];

/** Circles of imports, second definitions of a word, the dialect of tests, and the English of pages and sources. */
export async function checkStructure() {
  const sources = await readSources();
  const complaints = [
    ...checkCircles(sources),
    ...checkVocabulary(sources),
    ...sources.flatMap(checkTestDialect),
    ...sources.flatMap(checkSourceProse),
    ...(await checkDocuments()),
  ];
  if (complaints.length > 0) throw new StepFailed(complaints.map((complaint) => `✖ ${complaint}`).join('\n'));
}

/** Every TypeScript file: its path from the repository's root, and its syntax. */
export async function readSources() {
  const sources = [];
  for (const workspace of WORKSPACES) {
    const entries = await readdir(join(REPOSITORY, workspace, 'src'), { withFileTypes: true, recursive: true });
    for (const entry of entries.filter(({ name }) => name.endsWith('.ts'))) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      sources.push({ path: relative(REPOSITORY, path), program: parseSource(await readFile(path, 'utf8')) });
    }
  }
  return sources.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Files of which each reaches each other by imports, types too: a reader cannot begin with any of them, and none can be
 * taken away alone.
 */
export function findCircles(sources) {
  const paths = new Set(sources.map(({ path }) => path));
  const edges = new Map(
    sources.map(({ path, program }) => [
      path,
      importsOf(program)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => join(path, '..', specifier).replace(/\.js$/, '.ts'))
        .filter((target) => paths.has(target)),
    ]),
  );
  return stronglyConnected(edges).map((circle) => circle.sort());
}

/** Tarjan's algorithm: the groups of more than one node, and nodes that lead to themselves. */
function stronglyConnected(edges) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const groups = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of edges.get(node)) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1 || edges.get(node).includes(node)) groups.push(group);
  };
  for (const node of edges.keys()) if (!index.has(node)) visit(node);
  return groups;
}

function checkCircles(sources) {
  return findCircles(sources).map((circle) => `imports go in a circle: ${circle.join(' ')}`);
}

/** `test` and `describe`, and helpers in `testing/`: see CONTRIBUTING.md, "Tests". */
function checkTestDialect({ path, program }) {
  const complaints = [];
  if (/\.test\.\w+\.ts$/.test(path)) complaints.push(`${path}: test helpers are in src/testing/`);
  for (const node of program.body) {
    if (node.type !== 'ImportDeclaration') continue;
    const names = node.specifiers.map(({ imported }) => imported?.name);
    if (node.source.value === 'node:test' && names.includes('it')) complaints.push(`${path}: says it() for test()`);
    if (node.source.value === 'node:assert') complaints.push(`${path}: uses node:assert, not node:assert/strict`);
  }
  return complaints;
}

async function checkDocuments() {
  const tracked = await run('git', ['ls-files', '-z', '*.md'], { cwd: REPOSITORY, quiet: true });
  const complaints = [];
  for (const path of tracked.split('\0').filter(Boolean)) {
    const text = await readFile(join(REPOSITORY, path), 'utf8');
    complaints.push(...checkProse(path, proseOf(text)));
    if (path === 'ARCHITECTURE.md') complaints.push(...checkVocabularyTable(text));
  }
  return complaints;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runMain(async () => {
    await checkStructure();
    console.log('No circles of imports, one definition of each word, one dialect of tests, plain English.');
  });
}
