/** Ways to a server that are not host and port, and what shows without credentials. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findEngine, type Server, startSentinel, startServer, waitFor } from '@redkeep/testing';
import { auditSandbox } from '../testing/audit-cli.js';
import { expectations, hardenedUsers, requestFor, startHardened } from '../testing/hardened.js';
import { judge } from '../verdict/judge.js';
import type { AuditResult } from '../verdict/result.js';
import { gather } from './gather.js';
import { openSession } from './session.js';

const failed = (result: AuditResult, id: string) => result.findings.find((one) => one.id === id);

async function judged(server: Server, change: Parameters<typeof gather>[0]): Promise<AuditResult> {
  const { facts, unreachable } = await gather(change);
  return judge(facts, { target: server.url, version: 'test', durationMs: 0, unreachable });
}

describe('a Unix socket', () => {
  test('is a target like any other, by URL and by path', async () => {
    await using server = await startHardened(findEngine(), {
      config: { unixsocket: 'server.sock', unixsocketperm: '700' },
    });
    await using cli = await auditSandbox(server);
    const file = join(server.dir, 'server.sock');
    for (const target of [`unix://${file}`, file]) {
      const { out, err } = await cli.sandbox.run(['audit', target, ...cli.access, '--json', '--fail-on', 'never']);
      assert.ok(out.startsWith('{'), err);
      const result = JSON.parse(out) as AuditResult;
      assert.equal(result.nodes[0]?.address, `unix:${file}`);
      assert.notEqual(result.nodes[0]?.version, 'unknown');
      // Nothing on it can be read on the way.
      for (const id of ['NET-005', 'NET-006', 'TLS-001', 'NET-007']) assert.equal(failed(result, id), undefined, id);
    }
  });

  test('that anybody may use, of a server without a password, is an open server', async () => {
    await using server = await startServer({
      engine: findEngine(),
      config: { unixsocket: 'server.sock', unixsocketperm: '777' },
    });
    const path = join(server.dir, 'server.sock');
    const result = await judged(server, {
      ...requestFor(server),
      endpoints: [{ host: 'localhost', port: 0, path, tls: false, timeoutMs: 3000 }],
    });
    for (const id of ['AUTH-001', 'AUTH-002', 'NET-007']) assert.ok(failed(result, id), id);
    assert.equal(result.grade, 'F');
    const [step] = failed(result, 'AUTH-002')!.occurrences[0]!.fix.filter(({ command }) => !command.startsWith('#'));
    assert.ok(step?.command.startsWith(`redis-cli -s ${path} `), step?.command);
  });
});

describe('an audit without credentials', () => {
  const anonymous = (server: Server) => ({
    ...requestFor(server),
    endpoints: requestFor(server).endpoints.map(({ username: _, password: __, ...one }) => one),
  });

  test('finds users that log in with any password', async () => {
    await using server = await startHardened(findEngine(), {
      users: () => [...hardenedUsers, 'user guest on nopass ~app:* -@all +get', 'user sessions on nopass -@all +ping'],
    });
    const found = failed(await judged(server, anonymous(server)), 'AUTH-002');
    assert.deepEqual(found?.occurrences.map(({ evidence }) => evidence).sort(), [
      'guest logs in with any password',
      'sessions logs in with any password',
    ]);
  });

  test('finds none in a hardened server', async () => {
    await using server = await startHardened(findEngine());
    assert.equal(failed(await judged(server, anonymous(server)), 'AUTH-002'), undefined);
  });
});

describe('a dead replica', () => {
  test('is a finding of the Sentinel that sees it down', async () => {
    await using setup = await startSentinel({ engine: findEngine(), replicas: 1, sentinels: 1, quorum: 1 });
    const [sentinel] = setup.sentinels;
    await setup.replicas[0]![Symbol.asyncDispose]();
    await waitFor(
      async () => /s_down/.test(JSON.stringify(await sentinel!.command('SENTINEL', 'REPLICAS', setup.name))),
      {
        message: 's_down',
      },
    );
    const { facts } = await gather({
      endpoints: [{ host: '127.0.0.1', port: sentinel!.port, tls: false, timeoutMs: 3000 }],
      expectations,
      openSession,
      now: new Date(),
      sampleKeys: 0,
      follow: false,
    });
    const result = judge(facts, { target: 'sentinel', version: 'test', durationMs: 0 });
    assert.ok(failed(result, 'BKP-010')?.occurrences.some(({ evidence }) => /has been down/.test(evidence)));
  });

  test('is a finding of a primary that refuses writes without it', async () => {
    await using server = await startHardened(findEngine(), { config: { 'min-replicas-to-write': '1' } });
    const found = failed(await judged(server, requestFor(server)), 'BKP-009');
    assert.match(found?.occurrences[0]?.evidence ?? '', /writes are refused/);
  });
});
