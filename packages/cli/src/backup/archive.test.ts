import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findEngines, startServer, waitFor } from '@redkeep/testing';
import { loadEntries } from './restore/load-entries.js';
import { planRestore } from './restore/plan-restore.js';
import { proveByRestore } from './restore/prove.js';
import { connectEndpoint } from './source/connect-endpoint.js';
import { ArchiveHarness } from './testing/archive-harness.js';

const wanted = ['redis-7.0', 'redis-8.0', 'valkey-8.0', 'valkey-9'];

for (const engine of findEngines().filter(({ name }) => wanted.includes(name))) {
  describe(`an archive of ${engine.name}`, () => {
    let harness: ArchiveHarness;
    before(async () => {
      harness = await ArchiveHarness.create();
    });
    after(() => harness.remove());

    test('holds transactions, scripts, functions and databases, with a user of three commands', async () => {
      await using server = await startServer({
        engine,
        config: ['enable-debug-command local', 'user archiver on >secret -@all +psync +replconf +ping'],
      });
      for (let key = 0; key < 500; key++) await server.command('SET', `before:${key}`, `value ${key}`);
      const login = { username: 'archiver', password: 'secret' };
      const running = harness.start(harness.options(harness.source({ s1: [server] }, login)));
      await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
      const client = await connectEndpoint({ host: server.host, port: server.port }, undefined);
      await client.sendCommand([
        'FUNCTION',
        'LOAD',
        "#!lua name=lib\nredis.register_function('f', function() return redis.call('SET','from-function','1') end)",
      ]);
      await client.sendCommand(['FCALL', 'f', '0']);
      await client.sendCommand(['EVAL', "redis.call('SET', 'a', '1'); redis.call('INCR', 'b'); return 1", '0']);
      for (let round = 0; round < 50; round++) {
        await client.multi().incr('left').incr('right').exec();
        await client.sendCommand(['PUBLISH', 'news', `message ${round}`]);
      }
      await client.sendCommand(['SELECT', '3']);
      await client.sendCommand(['SET', 'elsewhere', 'x'.repeat(9_000_000)]);
      await client.sendCommand(['SET', 'with-ttl', '1', 'EX', '1000']);
      await client.sendCommand(['SELECT', '0']);
      await client.sendCommand(['SET', 'last', 'one']);
      const offset = Number((await server.info('replication'))['master_repl_offset']);
      await waitFor(async () => {
        const { entries } = await loadEntries(harness.store, {});
        return entries.some(({ body }) => body.kind === 'segment' && body.to >= offset);
      });
      const digest = String(await server.command('DEBUG', 'DIGEST'));
      client.destroy();
      await running.stop();

      const { entries, problems } = await loadEntries(harness.store, {});
      assert.deepEqual(problems, []);
      const plan = planRestore(entries, 'test', { kind: 'latest' });
      const program = {
        path: engine.server,
        engine: { name: engine.kind, version: engine.version.split('.').slice(0, 2).join('.') },
        fullVersion: engine.version,
      };
      const [proof] = await proveByRestore(plan, {
        store: harness.store,
        identities: [harness.identity],
        program,
        signal: AbortSignal.timeout(60_000),
        compare: async (client) => {
          assert.equal(await client.get('left'), '50');
          assert.equal(await client.get('right'), '50');
          assert.equal(await client.get('last'), 'one');
          assert.match(JSON.stringify(await client.sendCommand(['FUNCTION', 'LIST'])), /lib/);
          return undefined;
        },
      });
      assert.equal(proof!.digest, digest);
      assert.equal(proof!.databases['3'], 2);
    });
  });
}
