import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import type { RedisClient } from 'redkeep';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

describe('redkeep restore --into a running deployment', () => {
  let sandbox: CliSandbox;
  let admin: RedisClient;
  const store = ['--store', 'store', '--identity', 'identity.txt'];
  let recipient: string;

  before(async () => {
    sandbox = await CliSandbox.create();
    const init = await sandbox.run(['init', '--yes', '--port', String(await freePort())]);
    assert.equal(init.code, 0, init.err);
    const up = await sandbox.run(['up', '--detach']);
    assert.equal(up.code, 0, up.err);
    recipient = (await sandbox.run(['backup', 'key', 'new', 'identity.txt'])).out.trim();
    admin = await (await openDeployment(sandbox)).connect('admin');
    // A server waits for more replicas before it sends a snapshot; here there are none.
    await admin.configSet('repl-diskless-sync-delay', '0');
    for (let key = 0; key < 500; key++) await admin.set(`customer:${key % 50}:${key}`, `value ${key}`);
    await admin.set('with-ttl', 'x', { EX: 5000 });
    await admin.sendCommand(['SET', Buffer.from([0, 255, 13, 10]), Buffer.from([1, 2, 254])]);
    await admin.sendCommand([
      'FUNCTION',
      'LOAD',
      "#!lua name=lib\nredis.register_function('f', function() return 1 end)",
    ]);
    const run = await sandbox.run(['backup', 'run', '--store', 'store', '--recipient', recipient]);
    assert.equal(run.code, 0, run.err);
  });
  after(async () => {
    admin?.destroy();
    await sandbox.remove();
  });

  const into = (...more: string[]) => sandbox.run(['restore', ...store, '--into', 'redkeep', ...more]);

  test('brings chosen keys back and leaves the others, and takes it back', async () => {
    for (let key = 0; key < 500; key++) if (key % 50 === 7) await admin.del(`customer:7:${key}`);
    await admin.set('customer:8:8', 'newer');
    const asked = await into('--keys', 'customer:7:*');
    assert.match(asked.err, /REDKEEP_CONSENT_NEEDED/);
    const done = await into('--keys', 'customer:7:*', '--yes', '--json');
    assert.equal(done.code, 0, done.err + done.out);
    assert.equal(JSON.parse(done.out).keys, 10);
    assert.equal(await admin.get('customer:7:57'), 'value 57');
    assert.equal(await admin.get('customer:8:8'), 'newer');
    const undone = await sandbox.run(['restore', 'undo', ...store, '--into', 'redkeep', '--yes']);
    assert.equal(undone.code, 0, undone.err);
    assert.equal(await admin.get('customer:7:57'), null);
    assert.equal(await admin.get('customer:8:8'), 'newer');
  });

  test('brings everything back with times to live and functions, and takes it back', async () => {
    await admin.flushAll();
    await admin.sendCommand(['FUNCTION', 'FLUSH']);
    await admin.set('written-meanwhile', '1');
    const writer = JSON.parse((await sandbox.run(['backup', 'list', '--store', 'store', '--json'])).out);
    const at = writer.histories[0].to as string;
    const before = await readFile(sandbox.path('redkeep/secrets/app.password'), 'utf8');
    const done = await into('--at', at, '--new-credentials', '--yes');
    assert.equal(done.code, 0, done.err);
    // Every password is another one, and sessions of the old ones have ended.
    assert.notEqual(await readFile(sandbox.path('redkeep/secrets/app.password'), 'utf8'), before);
    assert.equal(admin.isOpen, false);
    admin = await (await openDeployment(sandbox)).connect('admin');
    assert.match(done.err + done.out, /The old passwords are refused on every node/);
    assert.equal(await admin.get('customer:1:1'), 'value 1');
    assert.equal(await admin.get('written-meanwhile'), null);
    assert.ok((await admin.ttl('with-ttl')) > 4000);
    assert.equal(await admin.sendCommand(['FCALL', 'f', '0']), 1);
    assert.equal(Number(await admin.exists(Buffer.from([0, 255, 13, 10]))), 1);
    // The application is let in again.
    const list = String(await admin.sendCommand(['ACL', 'LIST']));
    assert.match(list, /user app on /);
    const undone = await sandbox.run(['restore', 'undo', ...store, '--into', 'redkeep', '--yes']);
    assert.equal(undone.code, 0, undone.err);
    assert.equal(await admin.get('written-meanwhile'), '1');
    assert.equal(Number(await admin.dbSize()), 1);
  });

  test('goes on where it was killed, and keeps the safety copy of the first run', async () => {
    await admin.set('precious', 'before the restore');
    const interrupt = new AbortController();
    // Without --at: the safety copy must not become the newest state of the backup.
    const first = await sandbox.run(['restore', ...store, '--into', 'redkeep', '--yes'], {
      signal: interrupt.signal,
      // Aborted when the safety copy is there: the next steps are the dangerous ones.
      onText: (text) => text.includes('what is there now.') && interrupt.abort(),
    });
    assert.notEqual(first.code, 0);
    const again = await into('--yes');
    assert.equal(again.code, 0, again.err);
    assert.equal(await admin.get('precious'), null);
    assert.equal(await admin.get('customer:1:1'), 'value 1');
    const undone = await sandbox.run(['restore', 'undo', ...store, '--into', 'redkeep', '--yes']);
    assert.equal(undone.code, 0, undone.err);
    assert.equal(await admin.get('precious'), 'before the restore');
  });
});
