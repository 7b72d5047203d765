/**
 * What a client costs before it runs: bytes in a bundle, bytes installed, and the compiler's work on its types, beside
 * node-redis. Writes bench/SIZE.md.
 *
 *   npm run bench:size
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('..', import.meta.url));
const root = join(here, '..');
const { resolve } = createRequire(import.meta.url);
const CLIENTS = ['redkeep', 'redis'] as const;
type Client = (typeof CLIENTS)[number];

const application = (client: Client) => `
import { createClient } from '${client}';
const client = createClient({ url: 'rediss://cache.internal:6379' });
await client.connect();
await client.set('key', 'value', { expiration: { type: 'EX', value: 60 } });
const value: string | null = await client.get('key');
const user = await client.hGetAll('user');
const replies = await client.multi().incr('count').get('key').exec();
export const shown = [value, Object.keys(user), replies];
await client.close();
`;
const BUNDLES: Readonly<Record<string, (client: Client) => string>> = {
  'an application with `createClient`': application,
  '`createCluster` too': (client) => `${application(client)}export { createCluster } from '${client}';`,
  'one constant (`RESP_TYPES`)': (client) => `export { RESP_TYPES } from '${client}';`,
  everything: (client) => `export * from '${client}';`,
};

async function bundle(contents: string): Promise<{ readonly minified: number; readonly gzipped: number }> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Optional packages, which both look for only when they are asked to.
    external: ['@opentelemetry/api', '@node-rs/xxhash'],
    write: false,
    logLevel: 'error',
  });
  const { contents: code } = outputFiles[0]!;
  return { minified: code.length, gzipped: gzipSync(code).length };
}

interface Installed {
  readonly packages: number;
  readonly bytes: number;
}
/** What npm would install with a package: itself and its dependencies, each once. */
async function installed(name: string, from: string = import.meta.url, seen = new Set<string>()): Promise<Installed> {
  const manifestPath = await manifestOf(name, from);
  const folder = dirname(manifestPath);
  if (seen.has(folder)) return { packages: 0, bytes: 0 };
  seen.add(folder);
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as { dependencies?: Record<string, string> };
  // A workspace holds more than what is published.
  let total: Installed = {
    packages: 1,
    bytes: name === 'redkeep' ? publishedBytes(folder) : await folderBytes(folder),
  };
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    const more = await installed(dependency, manifestPath, seen);
    total = { packages: total.packages + more.packages, bytes: total.bytes + more.bytes };
  }
  return total;
}

/** `package.json` of a package that need not export it. */
async function manifestOf(name: string, from: string): Promise<string> {
  let folder = dirname(createRequire(from).resolve(name));
  for (;;) {
    const path = join(folder, 'package.json');
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined && (JSON.parse(text) as { name?: string }).name === name) return path;
    if (folder === dirname(folder)) throw new Error(`No package.json of ${name}`);
    folder = dirname(folder);
  }
}

function publishedBytes(folder: string): number {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: folder, encoding: 'utf8' });
  return (JSON.parse(output) as [{ unpackedSize: number }])[0].unpackedSize;
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? await folderBytes(path) : (await stat(path)).size;
  }
  return bytes;
}

const RUNS = 3;
interface Checked {
  readonly types: number;
  readonly instantiations: number;
  readonly memory: number;
  /** Milliseconds: the fastest of RUNS. */
  readonly time: number;
}
/** The compiler's own account of checking a program. */
async function check(source: string): Promise<Checked> {
  const folder = await mkdtemp(join(here, 'size-'));
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'app.ts'), source);
    const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, types: ['node'] };
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck: true }, include: ['app.ts'] }),
    );
    const tsc = join(dirname(resolve('typescript/package.json')), 'bin', 'tsc');
    const runs = Array.from({ length: RUNS }, () => {
      const output = execFileSync(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics'], { encoding: 'utf8' });
      const figure = (name: string) =>
        Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(output)?.[1] ?? Number.NaN);
      return {
        types: figure('Types'),
        instantiations: figure('Instantiations'),
        memory: figure('Memory used'),
        time: figure('Total time') * 1000,
      };
    });
    return runs.sort((a, b) => a.time - b.time)[0]!;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const lines: string[] = [];
const say = (line = '') => {
  lines.push(line);
  console.log(line);
};
const table = (...columns: string[]) => {
  say(`| ${columns.join(' | ')} |`);
  say(`|${columns.map(() => '---').join('|')}|`);
};
const row = (...cells: (string | number)[]) => say(`| ${cells.join(' | ')} |`);
const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

say('# Size and types');
say();
say('`npm run bench:size` writes this file. `redis` is node-redis 6 with its modules, as it is installed.');
say();
say('### In a bundle (esbuild, minified; in brackets: gzip)');
say();
table('what is imported', ...CLIENTS);
for (const [title, source] of Object.entries(BUNDLES)) {
  const sizes = await Promise.all(CLIENTS.map((client) => bundle(source(client))));
  row(title, ...sizes.map(({ minified, gzipped }) => `${kb(minified)} (${kb(gzipped)})`));
}
say();
say('### Installed');
say();
table('', 'packages', 'bytes');
for (const client of CLIENTS) {
  const { packages, bytes } = await installed(client);
  row(client, packages, kb(bytes));
}
say();
say(`### Type-checked: a small application, over one without a client (TypeScript; time: fastest of ${RUNS})`);
say();
table('', 'types', 'instantiations', 'memory', 'time');
const empty = await check('export {};\n');
for (const client of CLIENTS) {
  const { types, instantiations, memory, time } = await check(application(client));
  row(
    client,
    types - empty.types,
    instantiations - empty.instantiations,
    `${((memory - empty.memory) / 1024).toFixed(1)} MB`,
    `${Math.round(time - empty.time)} ms`,
  );
}
say();
await writeFile(join(root, 'bench', 'SIZE.md'), lines.join('\n'));
