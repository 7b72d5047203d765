import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { freePort, waitFor } from '@redkeep/testing';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';
import { Writer } from '../../testing/writer.js';

const json = (text: string) => JSON.parse(text) as { nodes: { node: string; action: string; reasons: string[] }[] };

async function setting(sandbox: CliSandbox, name: string, node = 0): Promise<string> {
  const { deployment, connect } = await openDeployment(sandbox);
  const admin = await connect('admin', deployment.nodes[node]);
  try {
    return (await admin.configGet(name))[name]!;
  } finally {
    admin.destroy();
  }
}

describe('redkeep apply on a single server', () => {
  let sandbox: CliSandbox;
  const run = (...args: string[]) => sandbox.run(args);
  before(async () => {
    sandbox = await CliSandbox.create();
    await run('init', '--yes', '--port', String(await freePort()));
    assert.equal((await run('up', '--detach')).code, 0);
  });
  after(() => sandbox.remove());

  test('finds nothing to do after up', async () => {
    assert.match((await run('apply')).err, /Every node runs with what the folder says/);
  });

  test('plans, asks, delivers a change to the running server, and takes it back', async () => {
    const was = await setting(sandbox, 'maxmemory');
    const { pid } = JSON.parse((await run('status', '--json')).out).nodes[0];
    await run('init', '--yes', '--memory', '300', '--app', 'shop', 'web');
    const plan = json((await run('apply', '--dry-run', '--json')).out);
    assert.deepEqual(
      plan.nodes.map(({ action }) => action),
      ['reload'],
    );
    assert.ok(plan.nodes[0]!.reasons.some((reason) => reason.startsWith(`maxmemory ${was} -> ${300 * 1024 * 1024}`)));
    assert.ok(plan.nodes[0]!.reasons.includes('user web is added'));
    assert.ok(plan.nodes[0]!.reasons.includes('user app is removed'));
    const refused = await run('apply');
    assert.equal(refused.code, 2);
    assert.match(refused.err, /REDKEEP_CONSENT_NEEDED/);
    assert.equal(await setting(sandbox, 'maxmemory'), was);

    const applied = await run('apply', '--yes');
    assert.equal(applied.code, 0, applied.err);
    assert.equal(await setting(sandbox, 'maxmemory'), String(300 * 1024 * 1024));
    assert.equal(JSON.parse((await run('status', '--json')).out).nodes[0].pid, pid, 'nothing was restarted');
    assert.equal((await run('acl', 'test')).code, 0);

    const undone = await run('apply', '--undo', '--yes');
    assert.equal(undone.code, 0, undone.err);
    assert.equal(await setting(sandbox, 'maxmemory'), was);
    assert.equal(
      JSON.parse(await readFile(sandbox.path('redkeep/redkeep.config.json'), 'utf8')).memoryMegabytes,
      undefined,
    );
    const { connect } = await openDeployment(sandbox);
    const app = await connect('app');
    assert.equal(await app.set('app:1', 'x'), 'OK');
    app.destroy();
  });

  test('puts back what it changed when the server refuses a part', async () => {
    const file = sandbox.path('redkeep/nodes/node-1/server.conf');
    const { writeFile } = await import('node:fs/promises');
    const text = await readFile(file, 'utf8');
    const was = await setting(sandbox, 'maxclients');
    await writeFile(
      file,
      text.replace(/^maxclients .*$/m, 'maxclients 777').replace(/^maxmemory-policy .*$/m, 'maxmemory-policy nonsense'),
    );
    const result = await run('apply', '--yes');
    assert.equal(result.code, 4);
    assert.match(result.err, /node-1 refused the change and keeps what it had/);
    assert.equal(await setting(sandbox, 'maxclients'), was);
    await writeFile(file, text);
    assert.equal((await run('apply', '--yes')).code, 0);
  });
});

describe('a Sentinel deployment whose roles have changed since init', () => {
  let sandbox: CliSandbox;
  const run = (...args: string[]) => sandbox.run(args);
  before(async () => {
    sandbox = await CliSandbox.create();
    await run('init', '--yes', '--topology', 'sentinel', '--profile', 'production', '--port', String(await freePort()));
    assert.equal((await run('up', '--detach')).code, 0);
  });
  after(() => sandbox.remove());

  const roles = async () => {
    const { nodes } = JSON.parse((await run('status', '--json')).out) as { nodes: { node: string; role: string }[] };
    return nodes.filter(({ role }) => role === 'primary').map(({ node }) => node);
  };

  test('restarts every node under load without losing a write or failing a command', async () => {
    const writer = await Writer.start(sandbox.path('redkeep'));
    const restarted = await run('restart', '--yes');
    assert.equal(restarted.code, 0, restarted.err);
    assert.match(restarted.err, /is primary now; writes waited \d+ ms/);
    const { acknowledged, failed, lost } = await writer.stop();
    assert.deepEqual({ failed, lost }, { failed: 0, lost: 0 });
    assert.ok(acknowledged > 0);
    assert.notDeepEqual(await roles(), ['node-1']);
  });

  test('keeps who is primary and every write over a changed answer, down and up', async () => {
    const { deployment, connect } = await openDeployment(sandbox);
    const [before] = await roles();
    const primary = deployment.nodes.find(({ name }) => name === before)!;
    const writer = await connect('app', primary);
    await writer.set('app:after-failover', 'kept');
    writer.destroy();
    await run('init', '--yes', '--memory', '200');
    assert.equal((await run('down')).code, 0);
    const up = await run('up', '--detach');
    assert.equal(up.code, 0, up.err);
    await waitFor(async () => (await roles())[0] === before, { timeout: 60_000, message: 'the same primary' });
    const reader = await connect('app', primary);
    assert.equal(await reader.get('app:after-failover'), 'kept');
    reader.destroy();
    assert.equal(await setting(sandbox, 'maxmemory', deployment.nodes.indexOf(primary)), String(200 * 1024 * 1024));
  });
});
