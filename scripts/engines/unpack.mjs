// Unpacks a server from a Debian package together with the libraries that it needs, C library included, so that one
// machine can hold servers of several Debian releases side by side. Nothing is installed and no root is needed.
// apt does the finding, the signatures and the checksums; only its state lives in a folder of our own.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The servers we know where to find. `base` is the suite that holds what a backport leaves out. */
export const ENGINES = [
  { name: 'redis-7.0', product: 'redis', suite: 'bookworm', version: /^7\.0\./ },
  { name: 'valkey-8.0', product: 'valkey', suite: 'bookworm-backports', base: 'bookworm', version: /^8\.0\./ },
  { name: 'redis-8.0', product: 'redis', suite: 'trixie', version: /^8\.0\./ },
  { name: 'valkey-8.1', product: 'valkey', suite: 'trixie', version: /^8\.1\./ },
  { name: 'valkey-9', product: 'valkey', suite: 'sid', version: /^9\./ },
];

const TOOLS = ['server', 'sentinel', 'cli', 'check-rdb', 'check-aof', 'benchmark'];

/** What this machine's own distribution has: for Debian and its kin, the running release's packages. */
export async function distributionEngines() {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const suite = /^VERSION_CODENAME="?([\w-]+)/m.exec(text)?.[1];
  if (!suite) throw new Error('no Debian or Ubuntu release here whose package could be unpacked');
  return ['valkey', 'redis'].map((product) => ({
    name: `${product}-${suite}`,
    product,
    suite,
    version: /^([7-9]|\d\d)\./,
  }));
}

/** Where unpacked servers live: REDKEEP_ENGINES, else `.cache/engines` in the repository. */
export function enginesFolder(env = process.env) {
  return resolve(env.REDKEEP_ENGINES || join(repository, '.cache/engines'));
}

/**
 * Unpacks one of ENGINES into `cache/<name>`; does nothing when it is there. The folder appears whole or not at all.
 * @returns {Promise<{ folder: string, version: string }>}
 */
export async function unpackEngine(engine, cache) {
  const folder = join(cache, engine.name);
  const present = await installedVersion(folder, engine);
  if (present) return { folder, version: present };

  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, '.unpacking-'));
  try {
    const apt = await privateApt(work, engine);
    const packages = await neededPackages(apt, engine);
    const debs = join(work, 'debs');
    await mkdir(debs);
    await apt(['apt-get', 'download', ...packages], { cwd: debs });
    const root = join(work, 'root');
    for (const deb of await readdir(debs)) await run('dpkg-deb', ['-x', join(debs, deb), root]);
    await writeLaunchers(root, engine);
    const version = await installedVersion(root, engine);
    if (!version) throw new Error(`${engine.name}: the unpacked server does not start`);
    if (!engine.version.test(version)) {
      throw new Error(`${engine.name}: ${engine.suite} has ${engine.product} ${version}`);
    }
    await rm(folder, { recursive: true, force: true });
    await rename(root, folder);
    return { folder, version };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function installedVersion(folder, engine) {
  try {
    const { stdout } = await run(join(folder, 'bin', `${engine.product}-server`), ['--version']);
    return /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** A function that runs an apt command on lists, cache and status of its own, below `work`. */
async function privateApt(work, engine) {
  const at = (...parts) => join(work, 'apt', ...parts);
  for (const part of ['lists/partial', 'archives/partial']) await mkdir(at(part), { recursive: true });
  await writeFile(at('status'), '');
  const { uri, options, components } = await distributionMirror();
  const suites = [engine.suite, engine.base].filter(Boolean);
  await writeFile(at('sources.list'), suites.map((suite) => `deb ${options}${uri} ${suite} ${components}\n`).join(''));
  await writeFile(
    at('apt.conf'),
    [
      ['Dir::State', at()],
      ['Dir::State::status', at('status')],
      ['Dir::State::lists', at('lists')],
      ['Dir::Cache', at()],
      ['Dir::Etc::sourcelist', at('sources.list')],
      ['Dir::Etc::sourceparts', '/dev/null'],
      ['APT::Sandbox::User', ''],
      ['Acquire::Retries', '3'],
    ]
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  const apt = async ([command, ...args], options = {}) => {
    const env = { ...process.env, APT_CONFIG: at('apt.conf'), LC_ALL: 'C' };
    try {
      return (await run(command, args, { ...options, env, maxBuffer: 1 << 26 })).stdout;
    } catch (error) {
      throw new Error(`${engine.name}: ${command} ${args[0]} failed: ${String(error.stderr || error.message).trim()}`);
    }
  };
  await apt(['apt-get', 'update', '-qq']);
  return apt;
}

/** The server's packages and the shared libraries among their dependencies, as `name=version`. */
async function neededPackages(apt, engine) {
  const wanted = ['server', 'sentinel', 'tools'].map((part) => `${engine.product}-${part}`);
  const uris = await apt([
    'apt-get',
    'install',
    '--print-uris',
    '-qq',
    '-y',
    '--no-install-recommends',
    '-t',
    engine.suite,
    ...wanted,
  ]);
  const files = [...uris.matchAll(/^'[^']+' (\S+) /gm)].map((match) => match[1].split('_'));
  return files
    .filter(([name]) => wanted.includes(name) || /^(lib|zlib)/.test(name))
    .map(([name, version]) => `${name}=${decodeURIComponent(version)}`);
}

/** The mirror that this machine's own apt uses, so that a private mirror or a proxy keeps working. */
async function distributionMirror() {
  const folder = '/etc/apt';
  const parts = await readdir(join(folder, 'sources.list.d')).catch(() => []);
  const lists = parts.filter((name) => /\.(list|sources)$/.test(name)).map((name) => `sources.list.d/${name}`);
  for (const name of ['sources.list', ...lists]) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    const source = name.endsWith('.sources') ? fromDeb822(text) : fromOneLine(text);
    if (source) return { ...source, components: /ubuntu/.test(source.uri) ? 'main universe' : 'main' };
  }
  throw new Error('no Debian or Ubuntu mirror in /etc/apt');
}

const isArchive = (uri) => /\/(debian|ubuntu|ubuntu-ports)\/?$/.test(uri);

function fromDeb822(text) {
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name) => new RegExp(`^${name}:[ \\t]*(.+)$`, 'mi').exec(stanza)?.[1]?.trim();
    const uri = field('URIs')?.split(/\s+/).find(isArchive);
    if (!uri || /^no$/i.test(field('Enabled') ?? '')) continue;
    const key = field('Signed-By');
    return { uri, options: key?.startsWith('/') ? `[signed-by=${key}] ` : '' };
  }
  return undefined;
}

function fromOneLine(text) {
  const match = [...text.matchAll(/^\s*deb\s+(\[[^\]]*\]\s+)?(\S+)\s/gm)].find((line) => isArchive(line[2]));
  return match ? { uri: match[2], options: match[1] ?? '' } : undefined;
}

/**
 * `bin/<tool>` starts the tool with the folder's own loader and libraries. A launcher is a shell script that ends in
 * exec, so the process that was started is the server itself and its pid is the one to signal.
 */
async function writeLaunchers(root, engine) {
  const libraries = await readdir(join(root, 'usr/lib'));
  const triplet = libraries.find((name) => /^[a-z0-9_]+-linux-gnu/.test(name));
  if (!triplet) throw new Error(`${engine.name}: no library folder in the unpacked packages`);
  const libraryFolders = [`usr/lib/${triplet}`, `lib/${triplet}`];
  let loader;
  for (const folder of libraryFolders) {
    const names = await readdir(join(root, folder)).catch(() => []);
    const name = names.find((candidate) => /^ld-linux.*\.so\.\d+$/.test(candidate));
    if (name) loader = `${folder}/${name}`;
  }
  if (!loader) throw new Error(`${engine.name}: no dynamic loader in the unpacked packages`);

  const bin = join(root, 'bin');
  await mkdir(bin, { recursive: true });
  for (const tool of TOOLS) {
    const program = `${engine.product}-${tool}`;
    const script = `#!/bin/sh
here=$0
[ -L "$here" ] && here=$(readlink -f "$here")
root=$(cd "$(dirname "$here")/.." && pwd)
exec "$root/${loader}" --library-path "${libraryFolders.map((folder) => `$root/${folder}`).join(':')}" "$root/usr/bin/${program}" "$@"
`;
    await rm(join(bin, program), { force: true });
    await writeFile(join(bin, program), script);
    await chmod(join(bin, program), 0o755);
  }
}
