import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { findEngine, findEngines } from '@redkeep/testing';
import { serverFaults } from './faults/index.js';
import { auditServer, type Fault, serverFindings, startHardened } from './hardened.js';

// `npm run test:mutations`: all faults on every engine there is, or on the one that REDKEEP_ENGINE names.
// In `npm test`: on one engine, one fault for each check.
const whole = process.env['REDKEEP_MUTATIONS'] === 'all';
const chosen = whole && !process.env['REDKEEP_ENGINE'] ? findEngines() : [findEngine()];

function oneForEachCheck(): readonly Fault[] {
  const seen = new Set<string>();
  return serverFaults.filter(({ expect }) => {
    const isNew = expect.some((id) => !seen.has(id));
    for (const id of expect) seen.add(id);
    return isNew;
  });
}

const faults = whole ? serverFaults : oneForEachCheck();

for (const engine of chosen) {
  describe(`audit of ${engine.name}`, { concurrency: 2 }, () => {
    const counts = { faults: 0, detected: 0, falsePositives: 0 };

    test('finds nothing in a hardened server', async () => {
      await using server = await startHardened(engine);
      const result = await auditServer(server);
      assert.deepEqual(serverFindings(result), [], JSON.stringify(result.findings.map((one) => one.occurrences)));
    });

    for (const fault of faults.filter(({ appliesTo }) => appliesTo?.(engine) ?? true)) {
      test(`${fault.name}: ${fault.expect.join(', ')}`, async () => {
        counts.faults++;
        await using server = await startHardened(engine, fault);
        const result = await auditServer(server, fault);
        const found = serverFindings(result);
        if (fault.expect.every((id) => found.includes(id))) counts.detected++;
        counts.falsePositives += found.filter((id) => !fault.expect.includes(id)).length;
        assert.deepEqual(
          found,
          [...fault.expect].sort(),
          JSON.stringify(result.findings.map((one) => one.occurrences)),
        );
      });
    }

    after(() => {
      const { faults: applied, detected, falsePositives } = counts;
      console.error(`${engine.name}: ${detected} of ${applied} faults detected, ${falsePositives} false positives`);
    });
  });
}
