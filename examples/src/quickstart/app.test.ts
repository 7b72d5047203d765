import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findEngine } from '@redkeep/testing';

const run = promisify(execFile);
const redkeep = fileURLToPath(new URL('../../../packages/cli/bin/redkeep.js', import.meta.url));
const app = fileURLToPath(new URL('./app.js', import.meta.url));

test('the sample application proves its connection to a deployment made by redkeep init', async (t) => {
  const folder = join(await mkdtemp(join(tmpdir(), 'redkeep-test-')), 'deployment');
  const env = { ...process.env, REDKEEP_SERVER: findEngine().server };
  t.after(async () => {
    await run(process.execPath, [redkeep, 'down', '--dir', folder]).catch(() => {});
    await rm(join(folder, '..'), { recursive: true, force: true });
  });
  await run(process.execPath, [redkeep, 'init', '--yes', '--dir', folder], { env });
  await run(process.execPath, [redkeep, 'up', '--detach', '--dir', folder], { env });
  const { stdout } = await run(process.execPath, [app, folder]);
  assert.deepEqual(
    [...stdout.matchAll(/✓ ([\w-]+(?: \w+)?) {2,}/g)].map(([, step]) => step),
    ['configuration', 'connection', 'round trip', 'session', 'health', 'clean-up'],
  );
  await assert.rejects(run(process.execPath, [app, join(folder, 'nowhere')]));
});
