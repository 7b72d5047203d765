import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Entry, EntryBody } from '../format/entry.js';
import { planRestore } from '../restore/plan-restore.js';
import { planExpiry } from './plan-expiry.js';

const hour = 3600;
const day = 24 * hour;
const hash = '0'.repeat(64);
const replid = 'a'.repeat(40);

/** An archive with a base every so many hours and a segment every hour, from second 0 on. */
function archiveOf(hours: number, baseEvery: number, brokenAt: readonly number[]): Entry[] {
  const bodies: EntryBody[] = [];
  let history = 0;
  let offset = 0;
  for (let index = 0; index < hours; index++) {
    const isBroken = index === 0 || brokenAt.includes(index);
    if (isBroken) history += 1;
    const place = { shard: 's1', history, replid };
    const second = index * hour;
    const object = (name: string) => ({ name: `data/x/${name}-${index}`, bytes: 10, sha256: hash });
    if (isBroken || index % baseEvery === 0) {
      bodies.push({
        ...{ kind: 'base', ...place, object: object('base'), offset, second, rdbVersion: 10, engine: 'redis' },
        ...{ plainBytes: 1, recipients: ['age1x'] },
      });
    }
    const times = { firstSecond: second, lastSecond: second + hour - 1 };
    const counts = { commands: 1, leftOut: 0, database: 0, plainBytes: 1 };
    bodies.push({
      kind: 'segment',
      ...place,
      object: object('segment'),
      from: offset,
      to: offset + 100,
      ...times,
      ...counts,
    });
    offset += 100;
  }
  return bodies.map((body, index) => ({
    ...{ format: 1, source: 'x', writer: 'w', seq: index + 1, previous: null, at: '2026-01-01T00:00:00Z', body },
  }));
}

test('expiry leaves every second of its window and every kept base restorable', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 24 * 40 }),
      fc.integer({ min: 1, max: 72 }),
      fc.array(fc.integer({ min: 1, max: 24 * 40 }), { maxLength: 3 }),
      fc.record({
        secondsDays: fc.integer({ min: 0, max: 10 }),
        ...{ daily: fc.integer({ min: 0, max: 9 }), weekly: fc.integer({ min: 0, max: 5 }), monthly: fc.constant(2) },
      }),
      (hours, baseEvery, brokenAt, retention) => {
        const entries = archiveOf(hours, baseEvery, brokenAt);
        const now = hours * hour - 1;
        const plan = planExpiry(entries, 'x', retention, now);
        const gone = new Set(plan.removed);
        const restore = (second: number) => planRestore(entries, 'x', { kind: 'second', second }, { gone });
        const from = Math.max(0, now - retention.secondsDays * day);
        if (retention.secondsDays > 0) for (let second = from; second < now; second += hour / 2) restore(second);
        for (const { second } of plan.keptBases) {
          assert.ok(restore(second).shards[0]!.segments.every(({ body }) => !gone.has(body.object.name)));
        }
        planRestore(entries, 'x', { kind: 'latest' }, { gone });
        // Nothing that is kept would be removed by the next run, and it removes nothing twice.
        assert.deepEqual(planExpiry(entries, 'x', retention, now, gone).removed, []);
      },
    ),
    { numRuns: 150 },
  );
});

test('expiry removes what is older, and keeps days, weeks and months', () => {
  const entries = archiveOf(24 * 30, 24, []);
  const now = 24 * 30 * hour - 1;
  const plan = planExpiry(entries, 'x', { secondsDays: 2, daily: 5, weekly: 0, monthly: 0 }, now);
  const days = plan.keptBases.map(({ second }) => second / day);
  assert.deepEqual(days, [29, 28, 27, 26, 25]);
  assert.ok(plan.removed.length > 24 * 25);
});
