import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliSandbox } from '../../testing/run-cli.js';

const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));

describe('a deployment on hosts that are reached by ssh', () => {
  test('leaves no folder for connections behind', async () => {
    const sandbox = await CliSandbox.create();
    try {
      const host = ['--target', 'systemd', '--host', '192.0.2.1'];
      assert.equal((await sandbox.run(['init', '--yes', '--profile', 'production', ...host])).code, 0);
      await mkdir(sandbox.path('tmp'));
      const { status, stderr } = spawnSync(process.execPath, [program, 'apply', '--dry-run'], {
        cwd: sandbox.folder,
        encoding: 'utf8',
        // It ends like an ssh that reaches no host; the folder for its sockets has been made by then.
        env: { ...process.env, TMPDIR: sandbox.path('tmp'), REDKEEP_SSH: 'false' },
      });
      assert.equal(status, 4, stderr);
      assert.match(stderr, /No way by ssh/);
      assert.deepEqual(await readdir(sandbox.path('tmp')), []);
    } finally {
      await sandbox.remove();
    }
  });
});
