import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startCluster } from './cluster.js';

describe('startCluster', () => {
  for (const tls of [false, true]) {
    test(`forms a whole cluster ${tls ? 'over TLS' : 'in plaintext'}, replicas in step`, async () => {
      await using cluster = await startCluster({ masters: 3, replicas: 3, tls, password: 'secret' });
      for (const node of cluster.nodes) {
        const info = String(await node.command('CLUSTER', 'INFO'));
        assert.match(info, /cluster_state:ok/);
        assert.match(info, /cluster_slots_ok:16384/);
        assert.match(info, /cluster_size:3/);
      }
      const owner = await cluster.ownerOf(12_182);
      assert.equal(await owner.command('SET', 'foo', 'bar'), 'OK');
      const other = cluster.masters.find((node) => node !== owner);
      await assert.rejects(
        async () => other?.command('GET', 'foo'),
        new RegExp(`MOVED 12182 127\\.0\\.0\\.1:${owner.tlsPort || owner.port}`),
      );
    });
  }

  test('moves a dead master to its replica', async () => {
    await using cluster = await startCluster({ masters: 3, replicas: 3 });
    const before = await cluster.ownerOf(0);
    await before.kill();
    await cluster.failedOver(0, before);
    await cluster.settled();
    assert.equal(await cluster.ownerOf(0), cluster.replicas[cluster.masters.indexOf(before)]);
  });
});
