import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '@redkeep/testing';
import { CliSandbox } from '../../testing/run-cli.js';
import { formatReply, splitWords } from './reply.js';

describe('redkeep cli', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    await sandbox.run(['init', '--yes', '--profile', 'production', '--app', 'shop', '--port', port]);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
  });
  afterEach(() => sandbox.remove());

  test('gives redis-cli the certificate and the user, and the password in the environment only', async () => {
    const tools = sandbox.path('tools');
    await mkdir(tools);
    const record = sandbox.path('record');
    const script = `#!/bin/sh\n{ tr '\\0' ' ' < /proc/$PPID/cmdline; echo "$0 $*"; } > '${record}'\necho "$REDISCLI_AUTH" > '${record}.auth'\n`;
    await writeFile(path.join(tools, 'redis-cli'), script);
    await chmod(path.join(tools, 'redis-cli'), 0o755);
    const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));
    const child = spawn(process.execPath, [program, 'cli', '--user', 'shop', '--', 'GET', 'shop:1'], {
      cwd: sandbox.folder,
      env: { PATH: `${tools}:/usr/bin:/bin` },
    });
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    const password = await readFile(sandbox.path('redkeep/secrets/shop.password'), 'utf8');
    const seen = await readFile(record, 'utf8');
    assert.match(seen, /--user shop .*--tls .*pki\/clients\/shop\.crt.* GET shop:1/);
    assert.ok(!seen.includes(password));
    assert.equal((await readFile(`${record}.auth`, 'utf8')).trim(), password);
  });

  test('has a prompt of its own where there is no redis-cli', async () => {
    const env = { PATH: sandbox.folder };
    const once = await sandbox.run(['cli', '--user', 'shop', '--', 'SET', 'shop:1', 'a b'], { env });
    assert.deepEqual([once.code, once.out], [0, 'OK\n']);
    const session = await sandbox.run(['cli', '--user', 'shop'], {
      env,
      replies: ['GET shop:1', 'FLUSHALL', 'GET "open', 'MGET shop:1 shop:none', 'quit'],
    });
    assert.equal(session.code, 0);
    assert.match(session.out, /^a b\n\(error\) NOPERM.*\n1\) a b\n2\) \(nil\)\n$/);
    assert.match(session.err, /A quote is not closed/);
    assert.equal((await sandbox.run(['cli', '--user', 'shop', '--', 'FLUSHALL'], { env })).code, 5);
  });

  test('reads words as redis-cli does, and shows nothing that moves the terminal', () => {
    assert.deepEqual(splitWords(`set  "a \\"b\\x41" 'c d' e`), ['set', 'a "bA', 'c d', 'e']);
    assert.equal(splitWords('get "a'), undefined);
    assert.deepEqual(formatReply([1, [null, 'x\u001b[2J']]), ['1) (integer) 1', '2) 1) (nil)', '   2) x\ufffd[2J']);
  });
});
