import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngine } from '@redkeep/testing';
import { gather } from '../gather/gather.js';
import { openSession } from '../gather/session.js';
import { auditServer, passwords, requestFor, serverFindings, startHardened } from '../testing/hardened.js';
import { applyChange, persist } from './apply.js';
import { inverse, planChanges } from './plan.js';

describe('audit --fix', () => {
  test('fixes what was broken, keeps file modes, and takes it back', async () => {
    await using server = await startHardened(findEngine(), {
      config: { timeout: '0', 'acllog-max-len': '128' },
      users: (lines) => lines.map((line) => (line.startsWith('user app') ? `${line} +flushall` : line)),
    });
    const broken = serverFindings(await auditServer(server));
    assert.deepEqual(broken, ['ACL-001', 'CFG-012', 'LOG-004']);

    const { facts } = await gather(requestFor(server));
    const plan = planChanges(facts).filter(({ check }) => broken.includes(check as (typeof broken)[number]));
    const [endpoint] = requestFor(server).endpoints;
    const session = await openSession({ ...endpoint!, username: 'admin', password: passwords.admin });
    const kinds = new Set(plan.map(({ change }) => change.kind));
    for (const { change } of plan) await applyChange(session.ask, change);
    await persist(session.ask, kinds);
    assert.deepEqual(serverFindings(await auditServer(server)), []);

    for (const { change } of [...plan].reverse()) await applyChange(session.ask, inverse(change));
    await persist(session.ask, kinds);
    assert.deepEqual(serverFindings(await auditServer(server)), broken);
    await session.close();
  });

  test('leaves alone what could lock people out', async () => {
    await using server = await startHardened(findEngine(), { config: { bind: '*' }, plaintext: true });
    const { facts } = await gather(requestFor(server));
    const changes = planChanges(facts).map(({ change }) => (change.kind === 'config' ? change.name : change.kind));
    assert.ok(!changes.includes('bind') && !changes.includes('port'), changes.join());
  });
});
