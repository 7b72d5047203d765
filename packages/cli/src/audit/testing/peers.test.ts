import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckId } from '../checks/check.js';
import { gather } from '../gather/gather.js';
import { openSession } from '../gather/session.js';
import { judge } from '../verdict/judge.js';
import type { AuditResult } from '../verdict/result.js';
import { expectations } from './hardened.js';
import { type PeerScript, startPeer } from './peer.js';

async function audit(script: PeerScript): Promise<AuditResult> {
  await using peer = await startPeer(script);
  const { facts, unreachable } = await gather({
    endpoints: [
      { host: '127.0.0.1', port: peer.port, tls: false, timeoutMs: 2000, username: 'auditor', password: 'test-only-x' },
    ],
    expectations,
    openSession,
    now: new Date(),
    sampleKeys: 0,
  });
  return judge(facts, { target: 'peer', version: 'test', durationMs: 0, unreachable });
}

const statusOf = (result: AuditResult, id: CheckId) => result.checks.find((one) => one.id === id)?.status;

// As Dragonfly 1.31 describes itself; redis_version is there for old clients only.
const dragonflyInfo = {
  redis_version: '7.4.0',
  dragonfly_version: 'df-v1.31.0',
  redis_mode: 'standalone',
  arch_bits: '64',
  role: 'master',
};
const dragonflySettings = {
  bind: '127.0.0.1',
  port: '6379',
  admin_port: '0',
  memcached_port: '0',
  restricted_commands: 'FLUSHALL,CONFIG,DEBUG',
  tls_replication: 'true',
};
const dragonflyUsers = ['user default on #aa ~* &* +@all', 'user auditor on #bb resetchannels -@all +info'];
const dragonfly: PeerScript = { info: dragonflyInfo, settings: dragonflySettings, users: dragonflyUsers };

describe('Dragonfly', () => {
  test('is known by its own version, not by the one it shows to old clients', async () => {
    const { nodes } = await audit(dragonfly);
    assert.deepEqual([nodes[0]?.engine, nodes[0]?.version, nodes[0]?.role], ['dragonfly', '1.31.0', 'primary']);
  });

  test('is not judged by what only Redis and Valkey have', async () => {
    const result = await audit(dragonfly);
    for (const id of ['CFG-001', 'CFG-003', 'NET-003', 'VER-001', 'TLS-018'] as const)
      assert.equal(statusOf(result, id), 'not-applicable', id);
  });

  const faults: readonly [string, CheckId, Partial<PeerScript>][] = [
    ['open on every interface', 'NET-004', { open: true, settings: { ...dragonflySettings, bind: '' } }],
    ['HTTP on the data port', 'NET-010', { http: ['/', '/metrics'] }],
    [
      'an admin port without a password',
      'NET-011',
      { settings: { ...dragonflySettings, admin_port: '9999', admin_nopass: 'true', admin_bind: '0.0.0.0' } },
    ],
    ['Memcached', 'NET-012', { settings: { ...dragonflySettings, memcached_port: '11211' } }],
    ['no restricted commands', 'ACL-017', { settings: { ...dragonflySettings, restricted_commands: '' } }],
    ['two passwords', 'AUTH-018', { users: ['user default on #aa #cc ~* +@all'] }],
    [
      'replication in clear',
      'TLS-019',
      {
        info: { ...dragonflyInfo, connected_slaves: '1', slave0: 'ip=127.0.0.1,port=1,state=online' },
        settings: { ...dragonflySettings, tls_replication: 'false' },
      },
    ],
  ];
  for (const [name, id, change] of faults)
    test(`${name}: ${id}`, async () => {
      const [good, bad] = [await audit(dragonfly), await audit({ ...dragonfly, ...change })];
      assert.notEqual(statusOf(good, id), 'fail');
      assert.equal(statusOf(bad, id), 'fail');
    });

  test('is unknown, not in order, where it does not report a flag', async () => {
    const result = await audit({ ...dragonfly, settings: { bind: '127.0.0.1' } });
    for (const id of ['NET-011', 'NET-012', 'ACL-017'] as const) assert.equal(statusOf(result, id), 'unknown', id);
  });
});

describe('engines of other versions', () => {
  const redis = (version: string, more: Partial<PeerScript> = {}): PeerScript => ({
    info: { redis_version: version, redis_mode: 'standalone', role: 'master' },
    settings: { port: '6379', bind: '10.0.0.1' },
    users: ['user admin on #aa ~* &* +@all'],
    ...more,
  });

  test('Valkey is known by valkey_version', async () => {
    const info = { redis_version: '7.2.4', server_name: 'valkey', valkey_version: '8.1.4', server_mode: 'standalone' };
    const { nodes } = await audit({ info });
    assert.deepEqual([nodes[0]?.engine, nodes[0]?.version], ['valkey', '8.1.4']);
  });

  test('Valkey before 8 has server_name only', async () => {
    const { nodes } = await audit({ info: { redis_version: '7.2.11', server_name: 'valkey' } });
    assert.deepEqual([nodes[0]?.engine, nodes[0]?.version], ['valkey', '7.2.11']);
  });

  test('Redis 6 with several administrators: CFG-004, from the rules, since it has no ACL DRYRUN', async () => {
    const users = ['user admin on #aa ~* &* +@all', 'user ops on #bb ~* &* +@all'];
    assert.equal(statusOf(await audit(redis('6.2.7')), 'CFG-004'), 'pass');
    assert.equal(statusOf(await audit(redis('6.2.7', { users })), 'CFG-004'), 'fail');
    assert.equal(statusOf(await audit(redis('7.4.0', { users })), 'CFG-004'), 'not-applicable');
  });

  test('Redis 8.6 with users from certificates, before the fix: AUTH-016', async () => {
    const settings = { port: '6379', bind: '10.0.0.1', 'tls-auth-clients-user': 'CN' };
    assert.equal(statusOf(await audit(redis('8.6.0', { settings })), 'AUTH-016'), 'fail');
    assert.equal(statusOf(await audit(redis('8.6.6', { settings })), 'AUTH-016'), 'pass');
  });

  test('an unknown module: CFG-005', async () => {
    const known = redis('7.4.0', { modules: [{ name: 'ReJSON', path: '' }] });
    const foreign = redis('7.4.0', { modules: [{ name: 'exp', path: '/tmp/exp.so' }] });
    assert.equal(statusOf(await audit(known), 'CFG-005'), 'pass');
    assert.equal(statusOf(await audit(foreign), 'CFG-005'), 'fail');
  });

  test('clients of other hosts on the plaintext port: NET-006', async () => {
    const client = (address: string) =>
      redis('7.4.0', { clients: [`id=1 addr=${address} laddr=10.0.0.1:6379 user=app`] });
    assert.equal(statusOf(await audit(client('10.0.0.9:5000')), 'NET-006'), 'fail');
    assert.equal(statusOf(await audit(client('127.0.0.1:5000')), 'NET-006'), 'pass');
  });

  test('a public address: NET-001', async () => {
    const on = (bind: string) => redis('7.4.0', { settings: { port: '6379', bind } });
    assert.equal(statusOf(await audit(on('10.0.0.1')), 'NET-001'), 'pass');
    assert.notEqual(statusOf(await audit(on('203.0.113.7')), 'NET-001'), 'not-applicable');
  });
});
