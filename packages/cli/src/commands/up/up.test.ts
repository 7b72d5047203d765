import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, beforeEach, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import { CliSandbox } from '../../testing/run-cli.js';

describe('redkeep up, down and status', () => {
  let sandbox: CliSandbox;
  const sandboxes: CliSandbox[] = [];
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    sandboxes.push(sandbox);
  });
  after(async () => {
    for (const used of sandboxes) await used.remove();
  });

  const init = async () => sandbox.run(['init', '--yes', '--port', String(await freePort())]);
  const start = () => sandbox.run(['up', '--detach']);

  test('starts, shows and stops the server; each twice', async () => {
    await init();
    assert.equal((await start()).code, 0);
    const again = await start();
    assert.equal(again.code, 0);
    assert.match(again.err, /running already/);

    const status = await sandbox.run(['status', '--json']);
    assert.equal(status.code, 0);
    const { nodes } = JSON.parse(status.out);
    assert.equal(nodes.length, 1);
    assert.equal(nodes[0].state, 'ready');
    assert.match(nodes[0].tls, /^TLSv1\.[23]$/);

    assert.match((await sandbox.run(['down'])).err, /Stopped 1/);
    assert.match((await sandbox.run(['down'])).err, /Nothing was running/);
    const stopped = await sandbox.run(['status']);
    assert.equal(stopped.code, 1);
    assert.match(stopped.out, /stopped/);
  });

  test('in the foreground stops the server when interrupted', async () => {
    await init();
    const interrupt = new AbortController();
    const result = await sandbox.run(['up'], {
      signal: interrupt.signal,
      onText: (text) => text.includes('Ctrl-C') && interrupt.abort(),
    });
    assert.equal(result.code, 0);
    assert.equal((await sandbox.run(['status'])).code, 1);
  });

  test('says which port is taken and leaves everything as it was', async () => {
    await init();
    const config = JSON.parse(await readFile(sandbox.path('redkeep/redkeep.config.json'), 'utf8'));
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(config.port, '127.0.0.1', resolve));
    try {
      const result = await start();
      assert.equal(result.code, 4);
      assert.match(result.err, new RegExp(`Port ${config.port} .*REDKEEP_PORT_TAKEN`));
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
    }
    assert.equal((await start()).code, 0);
  });

  test('says where no deployment is, and where no server program is', async () => {
    const nothing = await start();
    assert.equal(nothing.code, 2);
    assert.match(nothing.err, /REDKEEP_NO_DEPLOYMENT/);

    await init();
    const noServer = await sandbox.run(['up', '--detach'], { env: { PATH: sandbox.folder } });
    assert.equal(noServer.code, 4);
    assert.match(noServer.err, /REDKEEP_SERVER_NOT_FOUND/);
  });

  test('reports what a server that cannot start says', async () => {
    await init();
    await writeFile(sandbox.path('redkeep/nodes/node-1/users.acl'), 'user broken +nosuchcommand\n');
    const result = await start();
    assert.equal(result.code, 4);
    assert.match(result.err, /REDKEEP_SERVER_FAILED/);
    assert.match(result.err, /nosuchcommand|ACL/);
  });
});
