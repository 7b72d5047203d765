import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { freePort, waitFor } from '@redkeep/testing';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

describe('a Sentinel deployment', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    await sandbox.run(['init', '--yes', '--topology', 'sentinel', '--profile', 'production', '--port', port]);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
  });
  afterEach(() => sandbox.remove());

  test('fails over when its primary dies, and takes the old one back as a replica with the data', async () => {
    const { deployment, connect } = await openDeployment(sandbox);
    const { sentinel, nodes } = deployment;
    const [first] = nodes;
    const watcher = await connect(
      'monitoring',
      nodes.find(({ role }) => role === 'sentinel'),
    );
    const { pid } = JSON.parse(await readFile(sandbox.path('redkeep/run', `${first!.name}.json`), 'utf8'));
    process.kill(pid, 'SIGKILL');
    const promoted = await waitFor(
      async () => {
        const reply = await watcher.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinel!.primaryName]);
        const port = Number((reply as unknown as string[])[1]);
        return port === first!.port ? undefined : nodes.find((node) => node.port === port);
      },
      { timeout: 60_000, message: 'another primary' },
    );
    watcher.destroy();
    const writer = await connect('app', promoted);
    await waitFor(() => writer.set('app:1', 'after'), { timeout: 60_000, message: 'the new primary to take writes' });
    writer.destroy();

    const up = await sandbox.run(['up', '--detach']);
    assert.equal(up.code, 0, up.err);
    const reader = await connect('app', first);
    assert.equal(await reader.get('app:1'), 'after');
    reader.destroy();
  });
});
