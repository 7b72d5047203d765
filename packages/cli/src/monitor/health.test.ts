/** `redkeep health` on real servers that are stopped, loading, cut off, open, or serve the wrong certificate. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createPki, freePort, waitFor, writePki } from '@redkeep/testing';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';

const program = fileURLToPath(new URL('../../bin/redkeep.js', import.meta.url));

describe('redkeep health', () => {
  let sandbox: CliSandbox;
  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    await sandbox.run(['init', '--yes', '--profile', 'production', '--topology', 'sentinel', '--port', port]);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
  });
  after(() => sandbox.remove());

  const health = async (level: string, node: string) => sandbox.run(['health', '--level', level, '--node', node]);
  const pidOf = async (node: string) =>
    JSON.parse(await readFile(sandbox.path(`redkeep/run/${node}.json`), 'utf8')).pid as number;

  test('says yes to all three for every node', async () => {
    for (const level of ['alive', 'ready', 'safe']) {
      const { code, out, err } = await sandbox.run(['health', '--level', level, '--json']);
      assert.equal(code, 0, out + err);
      assert.equal(JSON.parse(out).nodes.length, 6);
    }
  });

  test('a stopped process is not alive, and is again when it goes on', async () => {
    const pid = await pidOf('node-2');
    process.kill(pid, 'SIGSTOP');
    try {
      const { code, out } = await health('alive', 'node-2');
      assert.equal(code, 1);
      assert.match(out, /node-2: not alive/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await waitFor(async () => (await health('ready', 'node-2')).code === 0, { message: 'node-2 to be ready again' });
  });

  test('a replica without its primary is alive and not ready', async () => {
    const { connect, deployment } = await openDeployment(sandbox);
    const replica = deployment.nodes.find(({ name }) => name === 'node-3')!;
    const admin = await connect('admin', replica);
    await admin.sendCommand(['CONFIG', 'SET', 'masterauth', 'wrong']);
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE']);
    await admin.sendCommand(['REPLICAOF', deployment.nodes[0]!.host, String(deployment.nodes[0]!.port)]);
    let said = '';
    await waitFor(
      async () => {
        said = (await health('ready', 'node-3')).out;
        return said.includes('its link to the primary is down');
      },
      { message: 'node-3 to be without its primary' },
    ).catch((error: Error) => assert.fail(`${error.message}: ${said}`));
    assert.equal((await health('alive', 'node-3')).code, 0);
    admin.destroy();
  });

  test('a server that lets strangers in, or serves another certificate, is ready and not safe', async () => {
    const { connect, deployment } = await openDeployment(sandbox);
    const admin = await connect('admin', deployment.nodes.find(({ name }) => name === 'node-1')!);
    await admin.sendCommand(['ACL', 'SETUSER', 'default', 'on', 'nopass', '+@all']);
    assert.equal((await health('ready', 'node-1')).code, 0);
    assert.match((await health('safe', 'node-1')).out, /it answers without a login/);
    await admin.sendCommand(['ACL', 'SETUSER', 'default', 'off']);
    const files = await writePki(await createPki(), sandbox.folder, 'server');
    await admin.sendCommand(['CONFIG', 'SET', 'tls-cert-file', files.cert, 'tls-key-file', files.key]);
    assert.match((await health('ready', 'node-1')).out, /cannot log in over verified TLS/);
    admin.destroy();
  });

  test('puts no password into the process list and leaves no trace of an unauthenticated probe', async () => {
    const password = (await readFile(sandbox.path('redkeep/secrets/monitoring.password'), 'utf8')).trim();
    const running = promisify(execFile)(process.execPath, [
      program,
      'health',
      '--dir',
      sandbox.path('redkeep'),
      '--node',
      'node-2',
    ]);
    const line = await readFile(`/proc/${running.child.pid}/cmdline`, 'utf8').catch(() => '');
    const { stdout } = await running;
    assert.match(stdout, /node-2: ready/);
    assert.ok(!line.includes(password) && !stdout.includes(password));
  });
});
