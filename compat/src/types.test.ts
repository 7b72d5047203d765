/**
 * What would be published, installed in an empty folder and compiled by other compilers than our own, against other
 * types of Node, without `skipLibCheck`. `REDKEEP_TYPES=full` (`npm run test:types`) takes every combination.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installPacked, type Packed, packPackages } from '@redkeep/testing';
import { typeProgram } from './testing/type-program.js';
import {
  ALL_SETTINGS,
  COMPILERS,
  describeSetting,
  NODE_TYPES,
  SHORT_SETTINGS,
  type TypeSetting,
} from './testing/type-settings.js';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const isFull = process.env['REDKEEP_TYPES'] === 'full';

let folder: string;
let packed: Packed[];
/** Folders with a `package.json`, by name: `typescript-5.4`, `types-node-18`. */
let tools: (name: string) => string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redkeep-types-'));
  packed = await packPackages(join(folder, 'tarballs'), ['client', 'guard', 'ioredis']);
  await installPacked(join(folder, 'packages'), packed);
  tools = isFull ? await downloadTools(join(folder, 'tools')) : installedTool;
});
after(() => rm(folder, { recursive: true, force: true }));

/** The ends of the ranges are dependencies: TypeScript's newest of the repository, its oldest of this workspace. */
function installedTool(name: string): string {
  if (name === 'typescript-7.0') return join(repository, 'node_modules', 'typescript');
  const require = createRequire(import.meta.url);
  return dirname(require.resolve(`${name === 'typescript-5.4' ? 'typescript' : name}/package.json`));
}

async function downloadTools(into: string): Promise<typeof tools> {
  const dependencies = Object.fromEntries([
    ...COMPILERS.map((version) => [`typescript-${version}`, `npm:typescript@~${version}.0`]),
    ...NODE_TYPES.map((version) => [`types-node-${version}`, `npm:@types/node@^${version}.0.0`]),
  ]);
  await mkdir(into);
  await writeFile(join(into, 'package.json'), JSON.stringify({ private: true, dependencies }));
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: into });
  return (name) => join(into, 'node_modules', name);
}

/** An application with the packages and one version of Node's types, and nothing else to resolve from. */
async function application(setting: TypeSetting): Promise<string> {
  const app = await mkdtemp(join(folder, 'app-'));
  const modules = join(app, 'node_modules');
  await cp(join(folder, 'packages', 'node_modules'), modules, { recursive: true });
  const types = tools(`types-node-${setting.nodeTypes}`);
  await cp(types, join(modules, '@types', 'node'), { recursive: true, dereference: true });
  const { dependencies = {} } = JSON.parse(await readFile(join(types, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const require = createRequire(join(types, 'package.json'));
    await cp(dirname(require.resolve(`${name}/package.json`)), join(modules, name), { recursive: true });
  }
  await writeFile(join(app, 'package.json'), JSON.stringify({ private: true, type: setting.type }));
  await writeFile(join(app, 'index.ts'), typeProgram(packed, setting));
  const { module, moduleResolution, typescript } = setting;
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2022'], types: ['node'], module, moduleResolution, outDir: 'out', rootDir: '.' },
    // As a library would: its declarations have to be able to name our types.
    ...{ strict: true, exactOptionalPropertyTypes: true, declaration: true, skipLibCheck: false },
    ...(typescript === '6.0' && moduleResolution === 'node10' ? { ignoreDeprecations: '6.0' } : {}),
  };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  return app;
}

describe('an application compiles and starts', () => {
  for (const setting of isFull ? ALL_SETTINGS : SHORT_SETTINGS) {
    test(describeSetting(setting), async () => {
      const app = await application(setting);
      const tsc = join(tools(`typescript-${setting.typescript}`), 'bin', 'tsc');
      await run(process.execPath, [tsc, '-p', app]).catch(({ stdout, message }) => assert.fail(stdout || message));
      // Bundlers resolve for themselves; everything else is Node's own resolution.
      if (setting.moduleResolution !== 'bundler') {
        const { stdout } = await run(process.execPath, [join(app, 'out', 'index.js')]);
        for (const { name } of packed) assert.match(stdout, new RegExp(`^${name} [1-9]`, 'm'));
      }
      await rm(app, { recursive: true });
    });
  }
});
