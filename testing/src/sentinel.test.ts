import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startSentinel } from './sentinel.js';

describe('startSentinel', () => {
  test('fails over to the replica when the primary dies, with TLS and passwords everywhere', async () => {
    await using setup = await startSentinel({
      replicas: 1,
      sentinels: 3,
      tls: true,
      password: 'server-secret',
      sentinelPassword: 'sentinel-secret',
    });
    assert.equal(await setup.currentPrimary(), setup.primary);
    await setup.primary.kill();
    const next = await setup.failedOver(setup.primary);
    assert.equal(next, setup.replicas[0]);
    assert.equal(await next.command('SET', 'key', 'value'), 'OK');
  });

  test('runs with a single sentinel and without secrets', async () => {
    await using setup = await startSentinel({ replicas: 0, sentinels: 1 });
    assert.equal(await setup.currentPrimary(), setup.primary);
  });
});
