import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { compareVersions, type Engine, type EngineName, engineNames } from '../vocabulary/engines.js';

const execute = promisify(execFile);

/** A server program found on this machine. */
export interface ServerProgram {
  readonly path: string;
  readonly engine: Engine;
  /** As the program reports it, for example `7.0.15`. */
  readonly fullVersion: string;
}

const programNames: Readonly<Record<EngineName, string>> = {
  redis: 'redis-server',
  valkey: 'valkey-server',
  dragonfly: 'dragonfly',
};

const versionPatterns: Readonly<Record<EngineName, RegExp>> = {
  redis: /^Redis server v=(\d+\.\d+\.\d+)/m,
  // Valkey 7.2 leaves its name out.
  valkey: /^(?:Valkey s|S)erver v=(\d+\.\d+\.\d+)/m,
  dragonfly: /^dragonfly v(\d+\.\d+\.\d+)/m,
};

const nextStep =
  'Install one (for example "apt install redis-server" or "brew install valkey"), or name it with --server.';

/**
 * Finds a server program: the one named, else `REDKEEP_SERVER`, else on the PATH. `engine` restricts the search.
 * Undefined when there is none; a program that was named and is unusable is an error.
 */
export async function findServerProgram(
  context: Context,
  wanted: { readonly engine?: EngineName; readonly program?: string },
): Promise<ServerProgram | undefined> {
  const named = wanted.program ?? context.env['REDKEEP_SERVER'];
  if (named !== undefined && named !== '') {
    const file = path.resolve(context.cwd, named);
    const program = await identify(file);
    if (program) return program;
    throw new CliError('REDKEEP_SERVER_NOT_FOUND', `${file} is not a Redis, Valkey or Dragonfly server.`, nextStep);
  }
  const folders = (context.env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  for (const engine of wanted.engine ? [wanted.engine] : engineNames) {
    for (const folder of folders) {
      const program = await identify(path.join(folder, programNames[engine]));
      if (program?.engine.name === engine) return program;
    }
  }
  return undefined;
}

/** The program that can run a deployment of this engine: the same engine, at least as new. */
export async function requireServerProgram(
  context: Context,
  engine: Engine,
  named: string | undefined,
): Promise<ServerProgram> {
  const program = await findServerProgram(context, {
    engine: engine.name,
    ...(named === undefined ? {} : { program: named }),
  });
  if (!program) {
    throw new CliError('REDKEEP_SERVER_NOT_FOUND', `No ${programNames[engine.name]} was found.`, nextStep);
  }
  const found = program.engine;
  if (found.name !== engine.name || compareVersions(found.version, engine.version) < 0) {
    throw new CliError(
      'REDKEEP_SERVER_UNSUITABLE',
      `The deployment is for ${engine.name} ${engine.version}; ${program.path} is ${found.name} ${found.version}.`,
      `Name a suitable server with --server, or run "redkeep init --engine ${found.name} --engine-version ${found.version} --force".`,
    );
  }
  return program;
}

async function identify(file: string): Promise<ServerProgram | undefined> {
  try {
    await access(file, constants.X_OK);
    const { stdout } = await execute(file, ['--version'], { timeout: 10_000 });
    for (const name of engineNames) {
      const fullVersion = versionPatterns[name].exec(stdout)?.[1];
      if (fullVersion) {
        return { path: file, engine: { name, version: fullVersion.split('.').slice(0, 2).join('.') }, fullVersion };
      }
    }
    return undefined;
  } catch {
    return undefined;
  }
}
