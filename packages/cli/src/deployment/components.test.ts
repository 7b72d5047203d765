import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Cache, Encryption, keysFromValue, Locks, RateLimiter, Sessions } from '@redkeep/guard';
import { freePort } from '@redkeep/testing';
import type { RedisClient } from 'redkeep';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';

describe('an application that declares components of guard', () => {
  let sandbox: CliSandbox;
  let web: RedisClient;
  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    const init = await sandbox.run([
      'init',
      '--yes',
      '--port',
      port,
      '--app',
      'shop',
      '--components',
      'web=sessions,limits,locks,cache',
    ]);
    assert.equal(init.code, 0, init.err);
    const up = await sandbox.run(['up', '--detach']);
    assert.equal(up.code, 0, up.err);
    web = await (await openDeployment(sandbox)).connect('web');
  });
  after(async () => {
    web?.destroy();
    await sandbox.remove();
  });

  test('runs them as its user, without EVAL', async () => {
    const encryption = new Encryption({ keys: keysFromValue(randomBytes(32)), environment: 'test' });
    const sessions = new Sessions<{ basket: string[] }>({ client: web, encryption, maxPerUser: 5 });
    const visitor = await sessions.create({ data: { basket: ['book'] } });
    const known = await sessions.rotate(visitor, { user: 'ana' });
    assert.deepEqual((await sessions.load(known.id))?.data, { basket: ['book'] });
    assert.equal(await sessions.destroyAll('ana'), 1);

    const limiter = new RateLimiter({
      client: web,
      onStoreError: 'deny',
      limits: [{ name: 'm', limit: 1, periodMs: 60_000 }],
    });
    assert.deepEqual([(await limiter.check('ana')).allowed, (await limiter.check('ana')).allowed], [true, false]);

    assert.equal(await new Locks({ client: web }).using('invoice', { ttlMs: 5000 }, async () => 'done'), 'done');
    const cache = new Cache({ client: web, ttlMs: 60_000 });
    assert.equal(await cache.get('price', async () => 42), 42);
    await assert.rejects(web.sendCommand(['EVAL', 'return 1', '0']), /NOPERM/);
  });

  test('gives each only what it needs on its own keys', async () => {
    await web.sendCommand(['HSET', 'sess:x', 'f', 'v']);
    await assert.rejects(web.sendCommand(['HSET', 'cache:x', 'f', 'v']), /NOPERM/, 'a cache keeps strings');
    await assert.rejects(web.sendCommand(['LPUSH', 'sess:list', 'v']), /NOPERM/, 'lists belong to locks');
    await assert.rejects(web.sendCommand(['GET', 'shop:1']), /NOPERM/, "another application's key");
    const test = await sandbox.run(['acl', 'test']);
    assert.equal(test.code, 0, test.out);
  });

  test('leaves nothing for apply to do, and nothing of high severity for the audit', async () => {
    assert.match((await sandbox.run(['apply'])).err, /Every node runs with what the folder says/);
    const audit = await sandbox.run(['audit', 'redkeep', '--json']);
    const { findings } = JSON.parse(audit.out) as { findings: { id: string; severity: string; status: string }[] };
    const authorization = findings.filter(({ id, status }) => id.startsWith('ACL-') && status === 'fail');
    assert.deepEqual(authorization, []);
  });
});
