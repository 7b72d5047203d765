/** The short form of `npm run interleave`: every order of every pair, without crashes; and that faults are found. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DirectClient } from '../../redis/redis.js';
import { useServer } from '../support.js';
import { explore, type Scenario } from './explore.js';
import { scenarios } from './scenarios.js';

const redis = useServer();
const options = () => ({ client: redis.client, empty: () => redis.server.command('FLUSHALL') });

/** Two callers that each count up, with or without one step. */
function counting(countUp: (client: DirectClient) => Promise<unknown>): Scenario {
  return {
    name: 'counting',
    prepare: async (client) => ({
      operations: { a: countUp, b: countUp },
      async check(outcomes) {
        const done = Object.values(outcomes).filter(({ status }) => status === 'done').length;
        const counted = Number(await client.sendCommand(['GET', 'n']));
        return counted >= done ? undefined : `${done} counted, ${counted} are there`;
      },
    }),
  };
}

describe('the explorer', () => {
  test('finds an update that is lost between a read and a write', async () => {
    const lossy = counting(async (client) => {
      const n = Number(await client.sendCommand(['GET', 'n']));
      await client.sendCommand(['SET', 'n', String(n + 1)]);
    });
    const found = await explore(lossy, { ...options(), crashes: false });
    assert.equal(found.schedules, 6, 'two and two commands have six orders');
    assert.equal(found.exhaustive, true);
    assert.equal(found.violations.length, 4);
    assert.match(found.violations[0]!.problem, /2 counted, 1 are there/);
  });

  test('finds nothing where there is nothing, in every order and with every crash', async () => {
    const found = await explore(
      counting((client) => client.sendCommand(['INCR', 'n'])),
      options(),
    );
    // Both orders, and a crash of either before or between.
    assert.deepEqual([found.schedules, found.violations], [6, []]);
  });
});

describe('every order of the commands of pairs', () => {
  for (const [component, make] of Object.entries(scenarios)) {
    test(component, async () => {
      let schedules = 0;
      for (const scenario of make(false)) {
        const found = await explore(scenario, { ...options(), crashes: false, most: 300 });
        schedules += found.schedules;
        assert.deepEqual(found.violations, [], scenario.name);
      }
      assert.ok(schedules > 6);
    });
  }
});
