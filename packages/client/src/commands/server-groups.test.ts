/** Every command that is not about data, against a server, under both protocols. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Server, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import { RESP_TYPES } from '../protocol/types.js';

const LIBRARY =
  "#!lua name=lib\nredis.register_function{function_name='f', callback=function(k, a) return a[1] end, flags={'no-writes'}}";

for (const RESP of [2, 3] as const) {
  describe(`server commands, RESP${RESP}`, () => {
    let server: Server;
    let client: RedisClient;
    before(async () => {
      // DEBUG SLEEP makes a latency spike.
      server = await startServer({ config: { 'enable-debug-command': 'local' } });
      client = createClient({ url: `redis://127.0.0.1:${server.port}`, RESP, commandPolicy: 'unrestricted' });
      client.on('error', () => {});
      await client.connect();
    });
    after(async () => {
      client?.destroy();
      await server?.stop();
    });

    test('ACL', async () => {
      assert.ok((await client.aclCat()).includes('read'));
      assert.ok((await client.aclCat('hash')).includes('hget'));
      assert.equal(await client.aclSetUser('u', ['on', '>pw', '~k:*', '+get', '(+set ~s:*)']), 'OK');
      const user = await client.aclGetUser('u');
      assert.ok(user);
      assert.deepEqual([user.keys, user.channels, user.flags.includes('on')], ['~k:*', '', true]);
      const [selector] = user.selectors;
      assert.deepEqual([selector?.commands, selector?.keys, selector?.channels], ['-@all +set', '~s:*', '']);
      assert.equal(await client.aclGetUser('nobody'), null);
      assert.equal(await client.aclDryRun('u', ['GET', 'k:1']), 'OK');
      assert.match(String(await client.aclDryRun('u', ['GET', 'x'])), /no permissions/);
      assert.match(await client.aclGenPass(), /^[0-9a-f]{64}$/);
      assert.equal((await client.aclGenPass(32)).length, 8);
      assert.equal((await client.aclList()).length, 2);
      assert.deepEqual((await client.aclUsers()).sort(), ['default', 'u']);
      assert.equal(await client.aclWhoAmI(), 'default');
      await assert.rejects(client.auth({ username: 'u', password: 'wrong' }));
      const [entry] = await client.aclLog();
      assert.ok(entry);
      assert.deepEqual([entry.reason, entry.username, entry.count], ['auth', 'u', 1]);
      assert.equal(typeof entry['age-seconds'], 'number');
      assert.equal((await client.ACL_LOG(5)).length, 1);
      assert.equal(await client.aclLogReset(), 'OK');
      assert.equal((await client.aclLog()).length, 0);
      assert.equal(await client.aclDelUser(['u', 'nobody']), 1);
      await assert.rejects(client.aclSave(), /ACL file/);
      await assert.rejects(client.aclLoad(), /ACL file/);
    });

    test('CLIENT', async () => {
      const id = await client.clientId();
      assert.equal(await client.clientSetName('me'), 'OK');
      assert.equal(await client.clientGetName(), 'me');
      const info = await client.clientInfo();
      assert.deepEqual(
        [info.id, info.name, info.user, info.resp],
        [id, 'me', 'default', info.resp === undefined ? undefined : RESP],
      );
      assert.equal((await client.clientList()).filter((item) => item.id === id).length, 1);
      assert.equal((await client.clientList({ ID: [String(id)] })).length, 1);
      assert.equal((await client.clientList({ TYPE: 'REPLICA' })).length, 0);
      assert.equal(await client.clientGetRedir(), -1);
      assert.equal(await client['CLIENT_NO-EVICT'](true), 'OK');
      if (RESP === 3) assert.equal(await client.clientTracking(true, { OPTIN: true, NOLOOP: true }), 'OK');
      else assert.equal(await client.clientTracking(true, { REDIRECT: id, OPTIN: true, NOLOOP: true }), 'OK');
      assert.equal(await client.clientCaching(true), 'OK');
      const tracking = await client.clientTrackingInfo();
      assert.ok(tracking.flags.includes('optin'));
      assert.deepEqual([tracking.redirect, tracking.prefixes], [RESP === 3 ? 0 : id, []]);
      assert.equal(await client.clientTracking(false), 'OK');
      assert.equal(await client.clientPause(1, 'WRITE'), 'OK');
      assert.equal(await client.clientUnpause(), 'OK');
      assert.equal(await client.clientUnblock(id, 'ERROR'), 0);
      assert.equal(await client.clientKill({ filter: 'ID', id: id + 1000 }), 0);
      assert.equal(
        await client.clientKill([
          { filter: 'TYPE', type: 'pubsub' },
          { filter: 'SKIPME', skipMe: true },
        ]),
        0,
      );
      const hello = await client.hello();
      assert.deepEqual([hello.proto, hello.role], [RESP, 'master']);
    });

    test('COMMAND', async () => {
      const all = await client.COMMAND();
      assert.equal(all.length, await client.commandCount());
      assert.equal((await client.command()).length, all.length);
      const [get, none] = await client.commandInfo(['get', 'nothing']);
      assert.equal(none, null);
      assert.ok(get);
      assert.deepEqual(
        [get.name, get.arity, get.flags.has('readonly'), get.categories.has('@string'), get.isKeyless],
        ['get', 2, true, true, false],
      );
      assert.deepEqual(get.keySpecs, [
        { beginSearch: { type: 'index', index: 1 }, findKeys: { type: 'range', lastKey: 0, keyStep: 1, limit: 0 } },
      ]);
      const [evaluated] = await client.commandInfo(['eval']);
      assert.deepEqual(evaluated?.keySpecs[0]?.findKeys, { type: 'keynum', keyNumIdx: 0, firstKey: 1, keyStep: 1 });
      const dbsize = all.find(({ name }) => name === 'dbsize');
      assert.deepEqual(dbsize?.policies, { request: 'all_shards', response: 'agg_sum' });
      const docs = await client.commandDocs(['set', 'config']);
      assert.equal(docs.set?.group, 'string');
      assert.equal(docs.set?.arguments?.[0]?.name, 'key');
      const condition = docs.set?.arguments?.find(({ name }) => name === 'condition');
      assert.equal(condition?.arguments?.[0]?.token, 'NX');
      assert.equal(docs.config?.subcommands?.['config|get']?.group, 'server');
      assert.deepEqual(await client.commandGetKeys(['MSET', 'a', '1', 'b', '2']), ['a', 'b']);
      const [flags] = await client.commandGetKeysAndFlags(['SET', 'a', '1']);
      assert.equal(flags?.key, 'a');
      assert.ok(flags?.flags.includes('OW'));
      assert.ok((await client.commandList()).includes('get'));
      assert.deepEqual(await client.commandList({ FILTERBY: { type: 'PATTERN', value: 'zscor*' } }), ['zscore']);
    });

    test('CONFIG', async () => {
      assert.equal(await client.configSet('maxmemory-policy', 'allkeys-lru'), 'OK');
      assert.deepEqual({ ...(await client.configGet('maxmemory-policy')) }, { 'maxmemory-policy': 'allkeys-lru' });
      assert.equal(await client.configSet({ 'maxmemory-policy': 'noeviction', hz: '11' }), 'OK');
      assert.deepEqual(
        { ...(await client.configGet(['hz', 'maxmemory-policy'])) },
        { hz: '11', 'maxmemory-policy': 'noeviction' },
      );
      const map = await client.withTypeMapping({ [RESP_TYPES.MAP]: Map }).configGet('hz');
      assert.deepEqual(map, new Map([['hz', '11']]));
      assert.equal(await client.configResetStat(), 'OK');
      assert.equal(await client.configRewrite(), 'OK');
    });

    test('functions', async () => {
      assert.equal(await client.functionLoad(LIBRARY), 'lib');
      assert.equal(await client.functionLoad(LIBRARY, { REPLACE: true }), 'lib');
      assert.equal(await client.fCall('f', { keys: ['k'], arguments: ['hello'] }), 'hello');
      assert.equal(await client.fCallRo('f', { arguments: [7] }), '7');
      const [library] = await client.functionList({ LIBRARYNAME: 'l*' });
      assert.deepEqual([library?.library_name, library?.engine], ['lib', 'LUA']);
      assert.deepEqual({ ...library?.functions[0] }, { name: 'f', description: null, flags: ['no-writes'] });
      assert.equal((await client.functionListWithCode())[0]?.library_code, LIBRARY);
      const stats = await client.functionStats();
      assert.equal(stats.running_script, null);
      assert.deepEqual({ ...stats.engines.LUA }, { libraries_count: 1, functions_count: 1 });
      const dump = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).functionDump();
      assert.equal(await client.functionDelete('lib'), 'OK');
      assert.equal(await client.functionRestore(dump, { mode: 'APPEND' }), 'OK');
      assert.equal((await client.functionList()).length, 1);
      assert.equal(await client.functionFlush('SYNC'), 'OK');
      await assert.rejects(client.functionKill(), /NOTBUSY/);
    });

    test('scripts', async () => {
      const script = 'return {KEYS[1], ARGV[1], 3}';
      assert.deepEqual(await client.eval(script, { keys: ['k'], arguments: ['a'] }), ['k', 'a', 3]);
      assert.deepEqual(await client.evalRo(script, { keys: ['k'], arguments: [1] }), ['k', '1', 3]);
      const sha = await client.scriptLoad(script);
      assert.deepEqual(await client.evalSha(sha, { keys: ['k'], arguments: ['a'] }), ['k', 'a', 3]);
      assert.deepEqual(await client.evalShaRo(sha, { keys: ['k'], arguments: ['a'] }), ['k', 'a', 3]);
      assert.deepEqual(await client.scriptExists([sha, '0'.repeat(40)]), [1, 0]);
      assert.equal(await client.scriptDebug('NO'), 'OK');
      assert.equal(await client.scriptFlush('SYNC'), 'OK');
      await assert.rejects(client.evalSha(sha), /NOSCRIPT/);
      await assert.rejects(client.scriptKill(), /NOTBUSY/);
    });

    test('LATENCY', async () => {
      await client.configSet('latency-monitor-threshold', '1');
      await client.sendCommand(['DEBUG', 'SLEEP', '0.01']);
      const latest = await client.latencyLatest();
      const event = latest.find(([name]) => name === 'command');
      assert.ok(event && event[2] >= 10);
      assert.equal((await client.latencyHistory('command'))[0]?.length, 2);
      assert.match(await client.latencyGraph('command'), /command/);
      assert.match(await client.latencyDoctor(), /latency/i);
      await client.set('x', '1');
      const histogram = await client.latencyHistogram('set');
      assert.equal(typeof histogram.set?.calls, 'number');
      assert.ok(Object.keys(histogram.set!.histogram_usec).length > 0);
      assert.equal(typeof (await client.latencyReset('command')), 'number');
      assert.equal(typeof (await client.latencyReset()), 'number');
      await client.configSet('latency-monitor-threshold', '0');
    });

    test('MEMORY', async () => {
      await client.set('x', '1');
      const stats = await client.memoryStats();
      assert.deepEqual([typeof stats['peak.allocated'], typeof stats['dataset.percentage']], ['number', 'number']);
      assert.equal(typeof stats.fragmentation, 'number');
      assert.equal(
        typeof ((stats as Record<string, unknown>)['db.0'] as Record<string, unknown>)['overhead.hashtable.main'],
        'number',
      );
      assert.ok(Number(await client.memoryUsage('x', { SAMPLES: 0 })) > 0);
      assert.equal(await client.memoryUsage('missing'), null);
      assert.equal(typeof (await client.memoryDoctor()), 'string');
      assert.ok((await client['MEMORY_MALLOC-STATS']()).length > 0);
      assert.equal(await client.memoryPurge(), 'OK');
    });

    test('SLOWLOG', async () => {
      await client.configSet('slowlog-log-slower-than', '0');
      await client.set('slow', '1');
      const [entry] = (await client.slowLogGet(-1)).filter(({ arguments: [name] }) => name === 'set' || name === 'SET');
      assert.deepEqual(entry?.arguments, ['SET', 'slow', '1']);
      assert.ok(entry.timestamp > 1e9 && entry.value >= 0 && entry.clientAddress.includes(':'));
      assert.ok((await client.slowLogLen()) > 0);
      assert.equal((await client.slowLogGet(1)).length, 1);
      await client.configSet('slowlog-log-slower-than', '10000');
      assert.equal(await client.slowLogReset(), 'OK');
      assert.deepEqual(await client.slowLogGet(), []);
    });

    test('MODULE', async () => {
      // Valkey and Redis 8 come with some.
      for (const module of await client.moduleList())
        assert.deepEqual([typeof module.name, typeof module.ver], ['string', 'number']);
      await assert.rejects(client.moduleLoad('/nonexistent.so'), /ERR/);
      await assert.rejects(client.moduleUnload('nothing'), /ERR/);
    });

    test('publish', async () => {
      assert.equal(await client.publish('c', 'm'), 0);
      assert.equal(await client.sPublish('c', 'm'), 0);
      assert.deepEqual(await client.pubSubChannels(), []);
      assert.deepEqual(await client.pubSubChannels('c*'), []);
      assert.equal(await client.pubSubNumPat(), 0);
      assert.deepEqual({ ...(await client.pubSubNumSub(['c', '__proto__'])) }, { c: 0, ['__proto__']: 0 });
      assert.deepEqual({ ...(await client.pubSubNumSub()) }, {});
      assert.deepEqual(await client.pubSubShardChannels(), []);
      assert.deepEqual({ ...(await client.pubSubShardNumSub('c')) }, { c: 0 });
    });

    test('the server itself', async () => {
      await client.flushAll();
      await client.set('x', '1');
      assert.equal(await client.dbSize(), 1);
      assert.match(await client.info(), /redis_version|valkey_version/);
      assert.match(await client.info('memory'), /used_memory:/);
      assert.ok((await client.lastSave()) > 1e9);
      assert.ok((await client.lolwut(5, 1, 1, 1)).length > 0);
      const [seconds, micros] = await client.time();
      assert.ok(Number(seconds) > 1e9 && Number(micros) < 1e6);
      const role = await client.role();
      assert.deepEqual(role, { role: 'master', replicationOffest: 0, replicas: [] });
      assert.equal(await client.swapDb(0, 1), 'OK');
      assert.equal(await client.dbSize(), 0);
      assert.equal(await client.swapDb(0, 1), 'OK');
      assert.equal(await client.flushDb('ASYNC'), 'OK');
      assert.equal(await client.flushAll('SYNC'), 'OK');
      assert.equal(await client.save(), 'OK');
      assert.match(await client.bgSave({ SCHEDULE: true }), /Background/);
      assert.match(await client.bgRewriteAof(), /Background/);
      await assert.rejects(client.shutdown({ ABORT: true }), /No shutdown/);
      await assert.rejects(client.failover({ ABORT: true }), /No failover/);
      assert.equal(await client.migrate('127.0.0.1', 1, 'missing', 0, 100), 'NOKEY');
      assert.equal(
        await client.migrate('127.0.0.1', 1, ['missing', 'too'], 0, 100, { COPY: true, REPLACE: true }),
        'NOKEY',
      );
      assert.equal(await client.replicaOf('NO', 'ONE'), 'OK');
      // Valkey 9 accepts them outside clusters.
      for (const answer of await Promise.allSettled([client.readonly(), client.readwrite()]))
        assert.match(
          answer.status === 'fulfilled' ? answer.value : answer.reason.message,
          /OK|cluster support disabled/,
        );
      await assert.rejects(client.asking(), /cluster support disabled/);
    });

    test('a replica says so', async () => {
      await using replica = await startServer({ replicaOf: server });
      await using reader = createClient({ url: `redis://127.0.0.1:${replica.port}`, RESP });
      await reader.connect();
      const role = await reader.role();
      assert.ok(role.role === 'slave');
      assert.deepEqual([role.master.port, role.state], [server.port, 'connected']);
      // The primary lists a replica once it has confirmed that it is in step.
      const primary = await waitFor(async () => {
        const answer = await client.role();
        return answer.role === 'master' && answer.replicas.length > 0 ? answer : undefined;
      });
      assert.deepEqual(
        primary.replicas.map(({ port }) => port),
        [replica.port],
      );
    });
  });
}
