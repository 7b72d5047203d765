import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { CliSandbox } from '../../testing/run-cli.js';

describe('redkeep acl keyspaces', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  afterEach(() => sandbox.remove());

  // A module is loaded once in a process: each has a name of its own.
  let modules = 0;
  const module = (text: string) =>
    writeFile(
      sandbox.path(`spaces-${++modules}.mjs`),
      `import { defineKeyspaces } from ${JSON.stringify(import.meta.resolve('@redkeep/guard'))};\n${text}`,
    );
  const keyspaces = (...args: string[]) => sandbox.run(['acl', 'keyspaces', `spaces-${modules}.mjs`, ...args]);

  test('prints lines that a server starts with, with the hash of a password and never the password', async () => {
    await module(`export default defineKeyspaces({
      notes: { prefix: 'note:', user: 'app' },
      sessions: { prefix: 'sess:', use: 'sessions', user: 'app' },
      audit: { prefix: 'audit:', use: 'audit', user: 'app', auditor: 'auditor' },
    });`);
    await writeFile(sandbox.path('app.txt'), 'a password of the application\n', { mode: 0o600 });
    const { code, out, err } = await keyspaces('--password-file', 'app=app.txt', '--cluster');
    assert.equal(code, 0, err);
    assert.match(err, /auditor has no password yet/);
    assert.ok(!out.includes('a password'));
    const lines = out.trim().split('\n');
    assert.equal(lines.length, 2);

    await using server = await startServer({ users: ['user default on nopass ~* &* +@all', ...lines] });
    const client = createClient({ url: server.url, username: 'app', password: 'a password of the application' });
    await client.connect();
    try {
      assert.equal(await client.set('note:1', 'x', { expiration: { type: 'EX', value: 9 } }), 'OK');
      await assert.rejects(client.set('other:1', 'x'), /NOPERM/);
      await assert.rejects(client.del('{audit}:stream'), /NOPERM/);
    } finally {
      client.destroy();
    }
  });

  test('says what is wrong with a module, a user or a password file', async () => {
    const wrong = async (expected: RegExp, ...args: string[]) => {
      const { code, out, err } = await keyspaces(...args);
      assert.equal(code, 2, err);
      assert.match(err, expected);
      assert.equal(out, '');
    };
    await wrong(/could not be loaded/);
    await module('export const nothing = 1;');
    await wrong(/exports no key spaces/);
    await module(`export const one = defineKeyspaces({ a: { prefix: 'a:', user: 'app' } });
      export const two = defineKeyspaces({ b: { prefix: 'b:', user: 'app' } });`);
    await wrong(/in two sets/);
    await module(`export const one = defineKeyspaces({ a: { prefix: 'a:', user: 'app' } });`);
    await writeFile(sandbox.path('short.txt'), 'short\n');
    await wrong(/shorter than 16/, '--password-file', 'app=short.txt');
    await wrong(/user=file/, '--password-file', 'app');
    await writeFile(sandbox.path('long.txt'), 'long enough to be one');
    await wrong(/No key space is for the user other/, '--password-file', 'other=long.txt');
    assert.equal((await keyspaces('--password-file', 'app=missing.txt')).code, 4);
  });
});
