/** The short form of `npm run chaos:bullmq`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScenario, SCENARIOS } from './testing/bullmq-faults.js';

test('BullMQ whose connections are killed loses no job, and none is added twice', async () => {
  const { acknowledged, lost, addedTwice } = await runScenario(SCENARIOS[0]!, 'redkeep', 0.5);
  assert.ok(acknowledged > 0);
  assert.deepEqual({ lost, addedTwice }, { lost: 0, addedTwice: 0 });
});
