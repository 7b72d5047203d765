import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Encryption, keysFromValue, Locks, RateLimiter, Sessions } from '@redkeep/guard';
import { freePort } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { ExitCode } from '../../exit-codes.js';
import { CliSandbox } from '../../testing/run-cli.js';

describe('an application with guards on a deployment of redkeep init', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  afterEach(async () => {
    await sandbox.run(['down', '--dir', 'shop']);
    await sandbox.remove();
  });

  const cli = async (...args: string[]) => {
    const { code, out, err } = await sandbox.run([...args, '--dir', 'shop']);
    assert.equal(code, ExitCode.Ok, err);
    return out;
  };

  test('runs what guards need when scripts are granted to it by name, and the audit agrees', async () => {
    const port = await freePort();
    const keys = ['sess:*', 'limit:*', 'lock:*', 'fence:*'];
    await writeFile(
      sandbox.path('answers.json'),
      JSON.stringify({
        profile: 'production',
        port,
        applications: [{ name: 'shop', keys, allow: ['eval', 'evalsha', 'time'] }],
      }),
    );
    await cli('init', '--yes', '--config', 'answers.json');
    await cli('up', '--detach');

    const file = (...parts: string[]) => sandbox.path('shop', ...parts);
    const client = createClient({
      url: `rediss://127.0.0.1:${port}`,
      username: 'shop',
      password: (await readFile(file('secrets', 'shop.password'), 'utf8')).trim(),
      tls: {
        caFile: file('pki', 'ca.crt'),
        certFile: file('pki', 'clients', 'shop.crt'),
        keyFile: file('pki', 'clients', 'shop.key'),
      },
    });
    await client.connect();
    try {
      const encryption = new Encryption({ keys: keysFromValue(randomBytes(32)), environment: 'test' });
      const sessions = new Sessions<{ basket: number }>({ client, encryption });
      const visitor = await sessions.create({ data: { basket: 1 } });
      const { id } = await sessions.rotate(visitor, { user: 'ana' });
      assert.deepEqual((await sessions.load(id))?.data, { basket: 1 });
      assert.equal(await sessions.destroyAll('ana'), 1);
      const limiter = new RateLimiter({ client, limits: [{ name: 'minute', limit: 5, periodMs: 60_000 }] });
      assert.equal((await limiter.check('ana')).source, 'redis');
      await (await new Locks({ client }).acquire('report')).release();
    } finally {
      client.destroy();
    }

    const report = JSON.parse(await cli('audit', '--json', '--fail-on', 'never')) as {
      checks: { id: string; status: string; evidence?: unknown }[];
    };
    const scripts = report.checks.find(({ id }) => id === 'ACL-004');
    assert.equal(scripts?.status, 'pass', JSON.stringify(scripts));
    assert.match(JSON.stringify(scripts), /can run scripts: shop/);
  });
});
