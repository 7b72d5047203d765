#!/usr/bin/env node
// What would be published, judged before it is: each package's content, manifest and types, and which package imports which.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { REPOSITORY } from './bootstrap.mjs';
import { importsOf, parseSource } from './lib/module-syntax.mjs';
import { run, runMain, StepFailed } from './lib/step.mjs';

/** What a package may contain. Everything else is a mistake in `files`. */
const ALLOWED = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^bin\/[\w.-]+\.js$/,
  /^dist\/.+\.(js|d\.ts)$/,
  /^cjs\/(package\.json|[\w-]+\.mjs|.+\.(js|d\.ts))$/,
  /^(index|ioredis)\.(cjs|d\.cts)$/,
  /^built\/.+\.(cjs|d\.cts)$/,
  /^dist\/.+\.(css|svg|lua)$/,
  /^redkeep\.config\.schema\.json$/,
  /^(data|schema)\/[\w.-]+\.json$/,
];
const FORBIDDEN = [/\.test\./, /\/testing\//, /\.tsbuildinfo$/];
const REQUIRED = ['package.json', 'README.md', 'LICENSE'];

/** The repository. npm accepts a release's provenance only if the manifest names the repository that built it. */
const HOME = 'https://github.com/redkeep/redkeep';

/** What each workspace may import of the others, by npm name. */
const MAY_IMPORT = {
  redkeep: [],
  '@redkeep/ioredis': ['redkeep'],
  '@redkeep/guard': ['redkeep'],
  // The one table of what guard's components need on a server: `init` makes their users from it.
  '@redkeep/cli': ['redkeep', '@redkeep/guard'],
};
/** Entry points besides the packages' own names. */
const ENTRIES = ['redkeep/ioredis', '@redkeep/guard/needs'];
const TEST_HELPERS = ['@redkeep/testing'];

export async function checkPackages() {
  const names = await readdir(join(REPOSITORY, 'packages'));
  const packages = await Promise.all(names.map((name) => readPackage(join(REPOSITORY, 'packages', name))));
  const complaints = [
    ...checkVersions(packages, JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'))),
    ...checkClientIsFree(packages),
    ...packages.flatMap(checkManifest),
    ...(await Promise.all(packages.map(checkImports))).flat(),
    ...(await Promise.all(packages.map(checkPack))).flat(),
    ...(await checkTrackedFiles()),
    ...(await checkGeneratedPages()),
  ];
  if (complaints.length > 0) throw new StepFailed(complaints.map((complaint) => `✖ ${complaint}`).join('\n'));
}

async function readPackage(folder) {
  return { folder, manifest: JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) };
}

/** One version for everything, and each of ours depends on exactly its own release of the others. */
function checkVersions(packages, root) {
  return packages.flatMap(({ manifest }) => [
    ...(manifest.version === root.version
      ? []
      : [`${manifest.name}: version ${manifest.version}, not ${root.version}`]),
    ...Object.entries(manifest.dependencies ?? {})
      .filter(([name, range]) => name in MAY_IMPORT && range !== root.version)
      .map(([name, range]) => `${manifest.name}: depends on ${name} ${range}, not ${root.version}`),
  ]);
}

function checkClientIsFree(packages) {
  const client = packages.find(({ manifest }) => manifest.name === 'redkeep').manifest;
  return ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundledDependencies']
    .filter((field) => Object.keys(client[field] ?? {}).length > 0)
    .map((field) => `redkeep: has ${field}; the client has none, ever`);
}

/** What npm's page links to, and what resolves without `exports`: TypeScript's `node10`, for every entry point. */
function checkManifest({ folder, manifest }) {
  const directory = relative(REPOSITORY, folder);
  const complaints = [
    manifest.repository?.url === `git+${HOME}.git` && manifest.repository.directory === directory
      ? []
      : `repository is not ${HOME}, directory ${directory}`,
    manifest.bugs?.url === `${HOME}/issues` ? [] : `bugs is not ${HOME}/issues`,
    manifest.homepage?.startsWith(`${HOME}/tree/main/${directory}`) ? [] : 'homepage is not the folder of the package',
  ].flat();
  const entries = Object.keys(manifest.exports ?? {}).filter((entry) => entry !== './package.json');
  if (entries.includes('.') && !(manifest.main && manifest.types)) complaints.push('has no main and types');
  for (const entry of entries.filter((name) => name !== '.')) {
    if (!manifest.typesVersions?.['*']?.[entry.slice(2)]) complaints.push(`typesVersions has no ${entry.slice(2)}`);
  }
  return complaints.map((complaint) => `${manifest.name}: ${complaint}`);
}

const isWorkspace = (specifier) => Object.keys(MAY_IMPORT).some((name) => `${specifier}/`.startsWith(`${name}/`));

async function checkImports({ folder, manifest }) {
  const complaints = [];
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  for (const path of await sourcesBelow(join(folder, 'src'))) {
    const isTest = path.includes('.test.') || path.includes('/testing/');
    const where = path.slice(REPOSITORY.length + 1);
    for (const { specifier, isType } of importsOf(parseSource(await readFile(path, 'utf8')))) {
      // A type is gone in what is published; were one to stay in a declaration, the check of types would find it.
      if (isType && !specifier.startsWith('.') && !isWorkspace(specifier)) continue;
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('.')) {
        if (!join(path, '..', specifier).startsWith(join(folder, 'src')))
          complaints.push(`${where}: leaves its package: ${specifier}`);
        continue;
      }
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      if (name in MAY_IMPORT && specifier !== name && !ENTRIES.includes(specifier))
        complaints.push(`${where}: imports an inner file: ${specifier}`);
      else if (isTest) continue;
      else if (TEST_HELPERS.includes(name)) complaints.push(`${where}: production code imports ${specifier}`);
      else if (name in MAY_IMPORT && !MAY_IMPORT[manifest.name].includes(name))
        complaints.push(`${where}: may not import ${name}`);
      else if (!declared.includes(name))
        complaints.push(`${where}: imports ${name}, which its package.json does not declare`);
    }
  }
  return complaints;
}

async function sourcesBelow(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** Packs for real and judges the tarball, as a user would get it. */
async function checkPack({ folder, manifest }) {
  const { createPackageFromTarballData, checkPackage } = await import('@arethetypeswrong/core');
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const place = await mkdtemp(join(tmpdir(), 'redkeep-pack-'));
  try {
    const output = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', place], {
      cwd: folder,
      quiet: true,
    });
    const [packed] = JSON.parse(output.slice(output.indexOf('[')));
    const files = packed.files.map(({ path }) => path);
    const complaints = [
      ...files
        .filter((path) => !ALLOWED.some((rule) => rule.test(path)) || FORBIDDEN.some((rule) => rule.test(path)))
        .map((path) => `would publish ${path}`),
      ...REQUIRED.filter((path) => !files.includes(path)).map((path) => `would publish no ${path}`),
      ...Object.values(manifest.bin ?? {})
        .filter((path) => !files.includes(path.replace(/^\.\//, '')))
        .map((path) => `its program ${path} is not in the package`),
    ];
    const tarball = await readFile(join(place, packed.filename));
    const lint = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true, level: 'warning' });
    complaints.push(...lint.messages.map((message) => `publint: ${formatMessage(message, lint.pkg)}`));
    if (manifest.exports) {
      const types = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
      complaints.push(...typeProblems(types).map((problem) => `types: ${problem}`));
    }
    return complaints.map((complaint) => `${manifest.name}: ${complaint}`);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** A package that is only ESM is loaded by CommonJS code with import() or, from Node 20.19 on, with require(). */
function typeProblems(analysis) {
  if (!analysis.types) return ['the package has none'];
  return (
    analysis.problems
      .filter(({ kind }) => kind !== 'CJSResolvesToESM')
      // require('redkeep/ioredis') is a class that has every named export, `default` too, as a property: as with ioredis.
      .filter(({ kind, typesFileName }) => kind !== 'MissingExportEquals' || !typesFileName?.includes('/ioredis'))
      .map(({ kind, entrypoint, resolutionKind }) => `${kind} ${entrypoint ?? ''} ${resolutionKind ?? ''}`.trim())
  );
}

/** Pages that are generated say what the built code says. */
async function checkGeneratedPages() {
  const { stalePages } = await import(pathToFileURL(join(REPOSITORY, 'site/dist/references/index.js')).href);
  return (await stalePages()).map((path) => `${path}: is not what its source says: npm run docs:references`);
}

/** Nothing in the repository may name the machine that it was written on, or carry a key. */
async function checkTrackedFiles() {
  const files = (await run('git', ['ls-files', '-z'], { cwd: REPOSITORY, quiet: true })).split('\0').filter(Boolean);
  const complaints = [];
  for (const file of files) {
    const text = await readFile(join(REPOSITORY, file), 'utf8').catch(() => '');
    if (/(?:\/home\/|\/Users\/)(?!user\b|you\b|app\b|node\b|runner\b)[a-z]\w+\//.test(text))
      complaints.push(`${file}: names a home folder`);
    if (/-----BEGIN (?:\w+ )?PRIVATE KEY-----\n[\w+/=]/.test(text)) complaints.push(`${file}: contains a private key`);
    if (file === 'package-lock.json' && /"resolved": "https?:/.test(text))
      complaints.push(`${file}: names a registry host`);
    if (file.endsWith('.npmrc') && /registry\s*=|_auth/.test(text))
      complaints.push(`${file}: sets a registry or a credential`);
  }
  return complaints;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runMain(async () => {
    await checkPackages();
    console.log('Every package would publish cleanly.');
  });
}
