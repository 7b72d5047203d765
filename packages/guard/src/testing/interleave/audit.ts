import { AuditReader } from '../../audit-trail/audit-reader.js';
import { AuditTrail } from '../../audit-trail/audit-trail.js';
import { repairAuditTrail } from '../../audit-trail/repair.js';
import type { DirectClient } from '../../redis/redis.js';
import { keyA } from '../support.js';
import type { Scenario } from './explore.js';

/** Writers, readers and repairs of one trail. `loses head` is what an eviction or a failover can do. */
export function auditScenarios(triples: boolean): Scenario[] {
  const meetings = [
    ['append', 'append'],
    ['append', 'verify'],
    ['append', 'repair'],
    ['append', 'loses head'],
    ['repair', 'loses head'],
    ['repair', 'repair'],
  ];
  if (triples)
    meetings.push(
      ['append', 'append', 'append'],
      ['append', 'repair', 'loses head'],
      ['append', 'append', 'verify'],
      ['append', 'foreign entry', 'repair'],
    );
  return meetings.map(scenarioOf);
}

function scenarioOf(names: readonly string[]): Scenario {
  return {
    name: `audit: ${names.join(' + ')}`,
    async prepare(client) {
      const writer = (on: DirectClient) => new AuditTrail({ client: on, chainKey: keyA, spool: 'none' });
      const reader = (on: DirectClient) => new AuditReader({ client: on, chainKey: keyA });
      const repair = (on: DirectClient) => repairAuditTrail({ client: on, chainKey: keyA });
      await writer(client).record({ actor: 'first', action: 'x' });
      const acknowledged: string[] = ['first'];
      const run: Readonly<Record<string, (on: DirectClient, label: string) => Promise<unknown>>> = {
        append: async (on, label) => {
          const recorded = writer(on).record({ actor: label, action: 'x' });
          recorded.catch(() => undefined);
          await recorded;
          acknowledged.push(label);
        },
        verify: (on) => reader(on).verify(),
        repair,
        'loses head': (on) => on.sendCommand(['DEL', '{audit}:head']),
        'foreign entry': (on) => on.sendCommand(['XADD', '{audit}:stream', '999-0', 'e', 'x', 'h', 'y']),
      };
      return {
        operations: Object.fromEntries(
          names.map((name, at) => {
            const label = `${at + 1}:${name}`;
            return [label, (on: DirectClient) => run[name]!(on, label)] as const;
          }),
        ),
        async check(outcomes) {
          for (const [name, outcome] of Object.entries(outcomes)) {
            const { code } = (outcome.status === 'failed' ? outcome.error : {}) as { code?: string };
            if (outcome.status === 'failed' && code !== 'REDKEEP_AUDIT_REPAIR')
              return `${name} failed: ${outcome.error}`;
            if (name.endsWith(':verify') && outcome.status === 'done') {
              const report = outcome.value as { ok: boolean; problem?: { kind: string } };
              if (!report.ok) return `verify saw ${report.problem?.kind} in a trail that is whole`;
            }
          }
          await repair(client);
          const report = await reader(client).verify();
          if (!report.ok) return `${report.problem?.kind} at ${report.problem?.seq}`;
          const stored: string[] = [];
          for await (const { actor } of reader(client).entries()) stored.push(actor);
          const lost = acknowledged.find((label) => !stored.includes(label));
          if (lost !== undefined) return `${lost} was acknowledged and is not there`;
          return new Set(stored).size === stored.length ? undefined : 'an entry is there twice';
        },
      };
    },
  };
}
