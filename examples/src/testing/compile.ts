import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const run = promisify(execFile);
export const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** A folder inside the repository, so that packages resolve as they do for an application. */
export async function emptyFolder(name: string): Promise<string> {
  const folder = join(repository, 'examples', 'dist', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Compiles the TypeScript files of a folder as strictly as our own, into `out` in it; fails with what tsc says. */
export async function compileFolder(folder: string, options: object = {}): Promise<void> {
  const compilerOptions = {
    composite: false,
    declaration: false,
    sourceMap: false,
    rootDir: '.',
    outDir: 'out',
    noUncheckedIndexedAccess: false,
    ...options,
  };
  const config = { extends: '../../../tsconfig.base.json', compilerOptions, include: ['*.ts'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', folder]).catch((error) => assert.fail(error.stdout));
}
