import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export type EngineKind = 'redis' | 'valkey';

/** A real server's programs. `cli`, `checkRdb` and `checkAof` are undefined where the package leaves them out. */
export interface Engine {
  /** The cache folder's name (`valkey-8.0`), or `<kind>-<major>.<minor>` for one found in PATH. */
  readonly name: string;
  readonly kind: EngineKind;
  readonly version: string;
  readonly server: string;
  readonly sentinel: string | undefined;
  readonly cli: string | undefined;
  readonly checkRdb: string | undefined;
  readonly checkAof: string | undefined;
}

const KINDS: readonly EngineKind[] = ['redis', 'valkey'];
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

const chosen = new Map<string | undefined, Engine>();

/**
 * Every server on this machine, those in PATH first, then the ones that `npm run engines` unpacked into
 * REDKEEP_ENGINES (default: `.cache/engines` in the repository), by name. Looks anew each time: one may have been added.
 */
export function findEngines(): readonly Engine[] {
  return firstOfEachName([...enginesInPath(), ...enginesInCache()]);
}

/**
 * The engine that tests use: the one that REDKEEP_ENGINE or `name` names, else the first one found.
 * @throws when there is none: tests need a real server.
 */
export function findEngine(name: string | undefined = process.env['REDKEEP_ENGINE']): Engine {
  const known = chosen.get(name);
  if (known) return known;
  const engines = findEngines();
  const engine = name ? engines.find((candidate) => candidate.name === name) : engines[0];
  if (engine) {
    chosen.set(name, engine);
    return engine;
  }
  const names = engines.map((candidate) => candidate.name).join(', ') || 'none';
  throw new Error(
    `No ${name ? `engine named ${name}` : 'Redis or Valkey server'} (found: ${names}). ` +
      `Install redis-server or valkey-server, or unpack one: npm run engines -- ${name ?? 'redis-8.0'}`,
  );
}

function firstOfEachName(engines: readonly Engine[]): Engine[] {
  return engines.filter((engine, index) => engines.findIndex((other) => other.name === engine.name) === index);
}

function enginesInPath(): Engine[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return KINDS.flatMap((kind) => {
    const engine = engineIn(folders, kind);
    return engine ? [engine] : [];
  });
}

function enginesInCache(): Engine[] {
  const cache = resolve(process.env['REDKEEP_ENGINES'] || join(REPOSITORY, '.cache/engines'));
  return listFolder(cache).flatMap((name) => {
    const kind = KINDS.find((candidate) => name.startsWith(`${candidate}-`));
    const engine = kind && engineIn([join(cache, name, 'bin')], kind, name);
    return engine ? [engine] : [];
  });
}

function engineIn(folders: readonly string[], kind: EngineKind, name?: string): Engine | undefined {
  const tool = (part: string) => folders.map((folder) => join(folder, `${kind}-${part}`)).find(isExecutable);
  const server = tool('server');
  const version = server && serverVersion(server, kind);
  if (!version) return undefined;
  return {
    name: name ?? `${kind}-${version.split('.').slice(0, 2).join('.')}`,
    kind,
    version,
    server,
    sentinel: tool('sentinel'),
    cli: tool('cli'),
    checkRdb: tool('check-rdb'),
    checkAof: tool('check-aof'),
  };
}

/** Undefined when the program is another kind under this name: distributions link redis-server to Valkey. */
function serverVersion(server: string, kind: EngineKind): string | undefined {
  try {
    const line = execFileSync(server, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const isValkey = /valkey/i.test(line.replaceAll(server, ''));
    return isValkey === (kind === 'valkey') ? /v=(\d+\.\d+\.\d+)/.exec(line)?.[1] : undefined;
  } catch {
    return undefined;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
