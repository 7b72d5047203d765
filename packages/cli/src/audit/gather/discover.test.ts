import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngine, startCluster, startSentinel, startServer } from '@redkeep/testing';
import { ExitCode } from '../../exit-codes.js';
import { auditSandbox } from '../testing/audit-cli.js';
import { hardenedUsers, passwords } from '../testing/hardened.js';
import type { AuditResult } from '../verdict/result.js';
import { mayFollow, parseClusterNodes } from './discover.js';

const admin = { username: 'admin', password: passwords.admin };

function read(out: string): AuditResult {
  return JSON.parse(out) as AuditResult;
}

describe('an audit of one address', () => {
  test('looks at every node of the cluster it belongs to, and compares them', async () => {
    await using cluster = await startCluster({
      engine: findEngine(),
      masters: 3,
      replicas: 1,
      tls: { clientAuth: 'optional' },
      users: hardenedUsers,
      admin,
    });
    const [seed, other] = cluster.masters;
    await other!.command('ACL', 'SETUSER', 'app', '+keys');
    await other!.command('CONFIG', 'SET', 'timeout', '77');
    await using cli = await auditSandbox(seed!);
    const result = read((await cli.audit('--json', '--fail-on', 'never')).out);
    assert.deepEqual(
      result.nodes.map(({ address, reachable }) => [address, reachable]).sort(),
      cluster.nodes.map((node) => [`127.0.0.1:${node.tlsPort}`, true]).sort(),
    );
    const drift = result.findings.filter(({ id }) => id === 'AUTH-014' || id === 'CFG-022');
    assert.deepEqual(drift.map(({ id }) => id).sort(), ['AUTH-014', 'CFG-022']);
    for (const { occurrences } of drift)
      assert.ok(
        occurrences.every(({ evidence }) => evidence.includes(`:${other!.tlsPort}`)),
        JSON.stringify(occurrences),
      );

    const alone = read((await cli.audit('--no-follow', '--json', '--fail-on', 'never')).out);
    assert.deepEqual(
      alone.nodes.map(({ address }) => address),
      [`127.0.0.1:${seed!.tlsPort}`],
    );
  });

  test('looks at the whole Sentinel set, and reports that the Sentinels answer strangers', async () => {
    await using setup = await startSentinel({ engine: findEngine(), replicas: 1, sentinels: 3 });
    await using cli = await auditSandbox(setup.sentinels[0]!);
    const result = read(
      (await cli.sandbox.run(['audit', setup.sentinels[0]!.url, '--json', '--fail-on', 'never'])).out,
    );
    const roles = result.nodes.map(({ address, role }) => `${address} ${role}`).sort();
    assert.deepEqual(
      roles,
      [
        ...setup.sentinels.map((one) => `127.0.0.1:${one.port} sentinel`),
        `127.0.0.1:${setup.primary.port} primary`,
        `127.0.0.1:${setup.replicas[0]!.port} replica`,
      ].sort(),
    );
    const open = result.findings.find(({ id }) => id === 'NET-009');
    assert.equal(open?.occurrences.length, 3);
    assert.equal(result.checks.find(({ id }) => id === 'BKP-010')?.status, 'pass');
    assert.equal(result.checks.find(({ id }) => id === 'CFG-012')?.remarks.length, 3);
  });

  test('finds too few Sentinels', async () => {
    await using setup = await startSentinel({ engine: findEngine(), replicas: 0, sentinels: 1, quorum: 2 });
    await using cli = await auditSandbox(setup.sentinels[0]!);
    const result = read(
      (await cli.sandbox.run(['audit', setup.sentinels[0]!.url, '--json', '--fail-on', 'never'])).out,
    );
    assert.equal(result.findings.find(({ id }) => id === 'BKP-010')?.occurrences.length, 1);
  });

  test('does not carry its password to an address that nobody vouches for', () => {
    const seed = { host: 'cache.example', port: 6379, tls: false, timeoutMs: 1000, password: 'x' };
    const other = { host: 'other.example', port: 1 };
    assert.equal(mayFollow(seed, { host: '127.0.0.1', port: 1 }), false);
    assert.equal(mayFollow(seed, other), false);
    assert.equal(mayFollow(seed, { host: 'cache.example', port: 1 }), true);
    assert.equal(mayFollow({ ...seed, tls: true }, other), false);
    assert.equal(mayFollow({ ...seed, tls: true, ca: 'PEM' }, other), true);
    const here = { ...seed, host: '127.0.0.1' };
    for (const host of ['127.0.0.2', '::1', 'localhost', '::ffff:127.0.0.1'])
      assert.equal(mayFollow(here, { host, port: 1 }), true, host);
    for (const host of ['127.evil.example', '127.1', '127.999.0.1', 'localhost.', '0.0.0.0', 'localhost.evil.example'])
      assert.equal(mayFollow(here, { host, port: 1 }), false, host);
  });

  test('says which nodes it did not follow to, and is incomplete then', async () => {
    await using server = await startServer();
    await server.command('REPLICAOF', 'primary.invalid', '6379');
    await using cli = await auditSandbox(server);
    const { code, out } = await cli.sandbox.run(['audit', server.url, '--json', '--fail-on', 'never']);
    assert.equal(code, ExitCode.Incomplete);
    const missing = read(out).nodes.filter(({ reachable }) => !reachable);
    assert.deepEqual(
      missing.map(({ address }) => address),
      ['primary.invalid:6379'],
    );
    assert.match(missing[0]?.note ?? '', /name it in the audit/);
    // A name that only begins like a loopback address belongs to the owner of the domain.
    await server.command('REPLICAOF', '127.evil.example', '6379');
    const again = read((await cli.sandbox.run(['audit', server.url, '--json', '--fail-on', 'never'])).out);
    assert.deepEqual(
      again.nodes.filter(({ note }) => note?.includes('name it in the audit')).map(({ address }) => address),
      ['127.evil.example:6379'],
    );
  });
});

describe('CLUSTER NODES', () => {
  test('prefers names, and leaves out who has failed or never answered', () => {
    const text = [
      'a1 10.0.0.1:6379@16379,cache-1.internal,tls-port=0 myself,master - 0 0 1 connected 0-5460',
      'a2 10.0.0.2:6379@16379, master - 0 0 2 connected 5461-10922',
      'a3 [fd00::3]:6379@16379 slave a1 0 0 2 connected',
      'a4 10.0.0.4:6379@16379 master,fail - 0 0 2 connected',
      'a5 :0@0 slave,noaddr a1 0 0 2 disconnected',
      'a6 10.0.0.6:6379@16379 master,fail? - 0 0 2 connected',
    ].join('\n');
    assert.deepEqual(
      parseClusterNodes(text).map(({ host }) => host),
      ['cache-1.internal', '10.0.0.2', 'fd00::3', '10.0.0.6'],
    );
  });
});
