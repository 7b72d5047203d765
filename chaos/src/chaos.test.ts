/** The short form of `npm run chaos`: what one server and a proxy can show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STANDALONE } from './scenarios/standalone.js';

const LONG = /2\.5 s|half-open, both|half-open, replies|any byte of the commands|\(FIN\)/;

for (const { name, run } of STANDALONE.filter((scenario) => !LONG.test(scenario.name))) {
  test(`no reply is swapped, no write doubled or lost: ${name}`, async () => {
    const seed = Date.now() >>> 0;
    const report = await run({ name, seed, seconds: 0.2, mayLose: false });
    assert.deepEqual(report.violations, [], `seed ${seed}`);
    assert.ok(report.acknowledged > 0 && report.faults > 0 && report.faults === report.recoveries.length);
  });
}
