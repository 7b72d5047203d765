import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '@redkeep/testing';
import { CliSandbox } from '../../testing/run-cli.js';

const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));

describe('redkeep up in the foreground, as a process', () => {
  let sandbox: CliSandbox;
  before(async () => {
    sandbox = await CliSandbox.create();
    assert.equal((await sandbox.run(['init', '--yes', '--port', String(await freePort())])).code, 0);
  });
  after(() => sandbox.remove());

  function start(): { readonly child: ChildProcess; said(): string } {
    const child = spawn(process.execPath, [program, 'up'], { cwd: sandbox.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream!.on('data', (chunk) => (text += chunk));
    return { child, said: () => text };
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`stays until ${signal}, then stops the servers`, async () => {
      const { child, said } = start();
      const ended = once(child, 'exit');
      await waitFor(() => said().includes('Ctrl-C'), { timeout: 30_000, message: 'the servers to be ready' });
      // The state of the servers is looked at again and again meanwhile.
      assert.equal((await sandbox.run(['status'])).code, 0);
      assert.equal(child.exitCode, null, said());
      child.kill(signal);
      assert.deepEqual(await ended, [0, null], said());
      assert.match(said(), /Stopped; the data is kept/);
      assert.equal((await sandbox.run(['status'])).code, 1);
    });
  }
});
