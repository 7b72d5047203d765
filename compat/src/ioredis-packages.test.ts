import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '..', '..');
/** They have an ioredis of their own below them, which an override replaces too. */
const NESTING = ['bull', 'graphql-redis-subscriptions'];

/** What `npm install` makes of an override `ioredis -> npm:@redkeep/ioredis`: every package but that one as it is. */
async function installWithAlias(folder: string): Promise<void> {
  const source = join(REPOSITORY, 'node_modules');
  const target = join(folder, 'node_modules');
  await mkdir(target);
  for (const name of await readdir(source)) {
    if (name.startsWith('.') || name === 'ioredis') continue;
    if (!NESTING.includes(name)) await symlink(join(source, name), join(target, name));
    else
      await cp(join(source, name), join(target, name), {
        recursive: true,
        filter: (path) => !path.includes(join(name, 'node_modules', 'ioredis')),
      });
  }
  await symlink(join(REPOSITORY, 'packages', 'ioredis'), join(target, 'ioredis'));
}

test('packages that require ioredis run on Redkeep under its name', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-alias-'));
  try {
    await installWithAlias(folder);
    const file = join(folder, 'ioredis-packages.mjs');
    await cp(join(import.meta.dirname, 'ioredis-packages.js'), file);
    const { stdout } = await run(
      process.execPath,
      [
        '--preserve-symlinks',
        '--preserve-symlinks-main',
        '--test-reporter=tap',
        '--disable-warning=REDKEEP_PLAINTEXT',
        file,
      ],
      { cwd: dirname(file), maxBuffer: 16 * 1024 * 1024, env: withoutTestContext() },
    ).catch((error: { stdout: string; stderr: string }) => {
      assert.fail(`${error.stdout}\n${error.stderr}`);
    });
    for (const line of stdout.matchAll(/^ *ok \d+ - (.*)$/gm)) t.diagnostic(line[1]!);
    assert.equal(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]), 12);
    assert.equal(Number(/^# fail (\d+)$/m.exec(stdout)?.[1]), 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Else the child would report to this test's runner instead of to its output. */
function withoutTestContext(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return env;
}
