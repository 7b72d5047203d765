/** Commands of clusters against a cluster node; those that need more than one node, sentinels and HOTKEYS at wire level. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEngines, startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import { keysOf, plain, wireOf } from '../testing/protocols.js';
import * as bless from './bless.js';
import * as cluster from './cluster.js';
import * as clusterSlots from './cluster-slots.js';
import { type Command, Flag } from './command.js';
import * as commandLog from './command-log.js';
import * as connection from './connection.js';
import * as hotkeys from './hotkeys.js';
import * as moduleGroup from './module.js';
import * as pubsub from './pubsub.js';
import * as scripting from './scripting.js';
import * as sentinel from './sentinel.js';
import * as server from './server.js';

const read = (command: Command, resp: 2 | 3, reply: unknown) =>
  plain(command.spec.read[resp]?.(reply, undefined, undefined) ?? reply);

for (const RESP of [2, 3] as const)
  test(`cluster, RESP${RESP}`, async () => {
    await using node = await startServer({ config: { 'cluster-enabled': 'yes' } });
    await using client = createClient({ url: node.url, RESP, commandPolicy: 'unrestricted' });
    await client.connect();
    assert.match(await client.clusterInfo(), /cluster_state:fail/);
    const id = await client.clusterMyId();
    assert.match(id, /^[0-9a-f]{40}$/);
    assert.match(await client.clusterNodes(), new RegExp(id));
    assert.deepEqual(await client.clusterSlots(), []);
    assert.equal(await client.clusterAddSlots([0, 1]), 'OK');
    assert.equal(await client.clusterAddSlotsRange({ start: 2, end: 16383 }), 'OK');
    const [range] = await client.clusterSlots();
    assert.deepEqual([range?.from, range?.to, range?.master.id, range?.replicas], [0, 16383, id, []]);
    assert.equal(await client.clusterKeySlot('foo'), 12182);
    assert.equal(await client.clusterCountKeysInSlot(12182), 0);
    assert.deepEqual(await client.clusterGetKeysInSlot(12182, 10), []);
    assert.equal(await client['CLUSTER_COUNT-FAILURE-REPORTS'](id), 0);
    assert.deepEqual(await client.clusterReplicas(id), []);
    assert.deepEqual(await client.clusterLinks(), []);
    const [shard] = await client.clusterShards();
    assert.deepEqual([shard?.slots, shard?.nodes[0]?.id], [[0, 16383], id]);
    assert.equal(await client.clusterDelSlots(0), 'OK');
    assert.equal(await client.clusterDelSlotsRange([{ start: 1, end: 2 }]), 'OK');
    assert.equal(await client.clusterSetSlot(3, 'STABLE'), 'OK');
    assert.match(await client.clusterBumpEpoch(), /BUMPED|STILL/);
    assert.equal(await client.clusterSaveConfig(), 'OK');
    assert.equal(await client.clusterFlushSlots(), 'OK');
    assert.equal(await client.readonly(), 'OK');
    assert.equal(await client.readwrite(), 'OK');
    assert.equal(await client.asking(), 'OK');
    assert.equal(await client.clusterReset({ mode: 'HARD' }), 'OK');
    await assert.rejects(client.clusterForget(id), /Unknown node/);
    await assert.rejects(client.clusterReplicate(id), /Unknown node/);
    await assert.rejects(client.clusterFailover({ mode: 'FORCE' }), /replica|slave/);
  });

for (const engine of findEngines().filter(({ name }) => name.startsWith('valkey-9')))
  for (const RESP of [2, 3] as const)
    test(`commands of Valkey only, ${engine.name}, RESP${RESP}`, async () => {
      await using node = await startServer({ engine, config: { 'cluster-enabled': 'yes' } });
      await using client = createClient({ url: node.url, RESP, commandPolicy: 'unrestricted' });
      await client.connect();
      await client.clusterAddSlotsRange({ start: 0, end: 16383 });
      await waitFor(async () => /cluster_state:ok/.test(await client.clusterInfo()));
      await client.set('k', 'v');
      const slot = await client.clusterKeySlot('k');
      assert.deepEqual(plain(await client.clusterSlotStats({ SLOTSRANGE: { start: slot, end: slot } })), [
        [slot, { 'key-count': 1 }],
      ]);
      assert.deepEqual((await client.clusterSlotStats({ ORDERBY: 'key-count', LIMIT: 1 }))[0]?.[0], slot);
      assert.deepEqual(await client.clusterGetSlotMigrations(), []);
      await assert.rejects(client.clusterCancelSlotMigrations(), /No migrations/);
      await assert.rejects(client.clusterMigrateSlots({ ranges: { start: 0, end: 1 }, node: 'x' }), /ERR/);
      const found: string[] = [];
      let cursor = '0';
      do {
        const page = await client.clusterScan(cursor, { COUNT: 1000 });
        found.push(...page.keys);
        ({ cursor } = page);
      } while (cursor !== '0');
      assert.deepEqual(found, ['k']);
      assert.equal(await client.clusterFlushSlot(slot, 'SYNC'), 'OK');
      assert.equal(await client.exists('k'), 0);
      assert.deepEqual(await client.commandLogGet(-1, 'LARGE-REPLY'), []);
      assert.equal(await client.commandLogLen('LARGE-REQUEST'), 0);
      assert.equal(await client.commandLogReset('SLOW'), 'OK');
      assert.equal(await client.clientCapa('redirect'), 'OK');
      assert.equal(await client.clientImportSource(false), 'OK');
      assert.equal(await client.clientSetInfo('LIB-NAME', 'x'), 'OK');
      assert.equal(await client.scriptShow(await client.scriptLoad('return 1')), 'return 1');
    });

test('wire level: what is written', () => {
  const rows: [Command, string][] = [
    [cluster.clusterMeet('h', 1), 'CLUSTER MEET h 1'],
    [cluster.clusterMyShardId(), 'CLUSTER MYSHARDID'],
    [cluster.clusterSetConfigEpoch(3), 'CLUSTER SET-CONFIG-EPOCH 3'],
    [cluster.clusterSetSlot(1, 'NODE', 'id'), 'CLUSTER SETSLOT 1 NODE id'],
    [connection.clientNoTouch(true), 'CLIENT NO-TOUCH ON'],
    [connection.hello(3, { AUTH: { username: 'u', password: 'p' }, SETNAME: 'n' }), 'HELLO 3 AUTH u p SETNAME n'],
    [
      connection.clientTracking(true, { REDIRECT: 1, BCAST: true, PREFIX: ['a', 'b'], NOLOOP: true }),
      'CLIENT TRACKING ON REDIRECT 1 BCAST PREFIX a PREFIX b NOLOOP',
    ],
    [
      connection.clientKill([
        { filter: 'ADDR', address: 'h:1' },
        { filter: 'LADDR', localAddress: 'h:2' },
        { filter: 'USER', username: 'u' },
        { filter: 'MAXAGE', maxAge: 5 },
      ]),
      'CLIENT KILL ADDR h:1 LADDR h:2 USER u MAXAGE 5',
    ],
    [server.failover({ TO: { host: 'h', port: 1, FORCE: true }, TIMEOUT: 5 }), 'FAILOVER TO h 1 FORCE TIMEOUT 5'],
    [server.shutdown({ mode: 'NOSAVE', NOW: true, FORCE: true }), 'SHUTDOWN NOSAVE NOW FORCE'],
    [server.restoreAsking('k', '0', 'v'), 'RESTORE-ASKING k 0 v'],
    [sentinel.sentinelMaster('m'), 'SENTINEL MASTER m'],
    [sentinel.sentinelMonitor('m', 'h', 1, 2), 'SENTINEL MONITOR m h 1 2'],
    [sentinel.sentinelReplicas('m'), 'SENTINEL REPLICAS m'],
    [sentinel.sentinelSentinels('m'), 'SENTINEL SENTINELS m'],
    [sentinel.sentinelSet('m', [{ option: 'quorum', value: '2' }]), 'SENTINEL SET m quorum 2'],
    [connection.clientKill(['SKIPME', { filter: 'TYPE', type: 'pubsub' }]), 'CLIENT KILL SKIPME yes TYPE pubsub'],
    [connection.clientSetInfo('LIB-NAME', 'x'), 'CLIENT SETINFO LIB-NAME x'],
    [connection.clientCapa(['redirect']), 'CLIENT CAPA redirect'],
    [connection.clientImportSource(true), 'CLIENT IMPORT-SOURCE ON'],
    [scripting.scriptShow('sha'), 'SCRIPT SHOW sha'],
    [moduleGroup.moduleLoadEx('/m.so', { CONFIG: { a: '1' }, ARGS: ['x'] }), 'MODULE LOADEX /m.so CONFIG a 1 ARGS x'],
    [clusterSlots.clusterSlotStats({ SLOTSRANGE: { start: 0, end: 5 } }), 'CLUSTER SLOT-STATS SLOTSRANGE 0 5'],
    [
      clusterSlots.clusterSlotStats({ ORDERBY: 'key-count', LIMIT: 3, ORDER: 'DESC' }),
      'CLUSTER SLOT-STATS ORDERBY KEY-COUNT LIMIT 3 DESC',
    ],
    [clusterSlots.clusterFlushSlot(7, 'ASYNC'), 'CLUSTER FLUSHSLOT 7 ASYNC'],
    [
      clusterSlots.clusterMigrateSlots([{ ranges: { start: 0, end: 5 }, node: 'n' }]),
      'CLUSTER MIGRATESLOTS SLOTSRANGE 0 5 NODE n',
    ],
    [clusterSlots.clusterGetSlotMigrations(), 'CLUSTER GETSLOTMIGRATIONS'],
    [clusterSlots.clusterCancelSlotMigrations(), 'CLUSTER CANCELSLOTMIGRATIONS'],
    [clusterSlots.clusterScan('0', { MATCH: 'a*', COUNT: 5, SLOT: 1 }), 'CLUSTERSCAN 0 MATCH a* COUNT 5 SLOT 1'],
    [commandLog.commandLogGet(-1, 'LARGE-REPLY'), 'COMMANDLOG GET -1 LARGE-REPLY'],
    [commandLog.commandLogLen('SLOW'), 'COMMANDLOG LEN SLOW'],
    [commandLog.commandLogReset('SLOW'), 'COMMANDLOG RESET SLOW'],
    [bless.blessGet('k'), 'BLESS GET k'],
    [bless.blessSet('k', 'NO-EVICT'), 'BLESS SET k NO-EVICT'],
    [bless.blessClear('k', 'NO-EVICT'), 'BLESS CLEAR k NO-EVICT'],
    [bless.blessScan('0', 'NO-EVICT', { COUNT: 10 }), 'BLESS SCAN 0 NO-EVICT COUNT 10'],
    [hotkeys.hotkeysGet(), 'HOTKEYS GET'],
    [hotkeys.hotkeysReset(), 'HOTKEYS RESET'],
    [hotkeys.hotkeysStop(), 'HOTKEYS STOP'],
    [
      hotkeys.hotkeysStart({
        METRICS: { count: 2, CPU: true, NET: true },
        COUNT: 10,
        DURATION: 5,
        SAMPLE: 3,
        SLOTS: { count: 2, slots: [1, 2] },
      }),
      'HOTKEYS START METRICS 2 CPU NET COUNT 10 DURATION 5 SAMPLE 3 SLOTS 2 1 2',
    ],
  ];
  for (const [command, words] of rows) assert.equal(wireOf(command), words);
  assert.throws(() => cluster.clusterSetSlot(1, 'NODE x' as 'NODE'), /must be one of/);
});

test('wire level: a shard channel routes, and takes no key prefix', () => {
  const command = pubsub.sPublish('c', 'm');
  assert.deepEqual(keysOf(command), ['c']);
  assert.notEqual(command.spec.flags & Flag.CHANNELS, 0);
  assert.deepEqual(keysOf(server.restoreAsking('k', '0', 'v')), ['k']);
});

test('wire level: what sentinels and HOTKEYS answer', () => {
  assert.deepEqual(read(sentinel.sentinelMaster('m'), 2, ['name', 'm', 'port', '1']), { name: 'm', port: '1' });
  assert.deepEqual(read(sentinel.sentinelReplicas('m'), 2, [['name', 'r']]), [{ name: 'r' }]);
  assert.deepEqual(read(server.role(), 2, ['sentinel', ['m']]), { role: 'sentinel', masterNames: ['m'] });
  const expected = {
    trackingActive: 1,
    selectedSlots: [
      { start: 0, end: 5 },
      { start: 7, end: 7 },
    ],
    byCpuTimeUs: [{ key: 'k', value: 9 }],
  };
  const slots = [[0, 5], [7]];
  assert.deepEqual(
    read(hotkeys.hotkeysGet(), 2, ['tracking-active', 1, 'selected-slots', slots, 'by-cpu-time-us', ['k', 9]]),
    expected,
  );
  assert.deepEqual(
    read(hotkeys.hotkeysGet(), 3, { 'tracking-active': 1, 'selected-slots': slots, 'by-cpu-time-us': { k: 9 } }),
    expected,
  );
  assert.equal(read(hotkeys.hotkeysGet(), 2, null), null);
  assert.deepEqual(
    read(clusterSlots.clusterSlotStats({ SLOTSRANGE: { start: 0, end: 0 } }), 2, [[0, ['key-count', 1]]]),
    [[0, { 'key-count': 1 }]],
  );
  assert.deepEqual(read(clusterSlots.clusterScan('0'), 3, ['0', ['k']]), { cursor: '0', keys: ['k'] });
  assert.deepEqual(read(bless.blessScan('0', 'NO-EVICT'), 3, ['7', ['k']]), { cursor: '7', keys: ['k'] });
  assert.deepEqual(keysOf(bless.blessSet('k', 'NO-EVICT')), ['k']);
});
