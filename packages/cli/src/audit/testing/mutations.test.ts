import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { findEngines } from '@redkeep/testing';
import { serverFaults } from './faults.js';
import { auditServer, serverFindings, startHardened } from './hardened.js';

// Every engine with REDKEEP_MUTATIONS=all (npm run test:mutations); the first Redis and the first Valkey else.
const engines = findEngines();
const chosen =
  process.env['REDKEEP_MUTATIONS'] === 'all'
    ? engines
    : (['redis', 'valkey'] as const).flatMap((kind) => engines.find((engine) => engine.kind === kind) ?? []);

for (const engine of chosen) {
  describe(`audit of ${engine.name}`, { concurrency: 2 }, () => {
    const counts = { faults: 0, detected: 0, falsePositives: 0 };

    it('finds nothing in a hardened server', async () => {
      await using server = await startHardened(engine);
      const result = await auditServer(server);
      assert.deepEqual(serverFindings(result), [], JSON.stringify(result.findings.map((one) => one.occurrences)));
    });

    for (const fault of serverFaults) {
      it(`${fault.name}: ${fault.expect.join(', ')}`, async () => {
        await using server = await startHardened(engine, fault);
        const result = await auditServer(server, fault);
        const found = serverFindings(result);
        counts.faults++;
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
      const { faults, detected, falsePositives } = counts;
      console.error(`${engine.name}: ${detected} of ${faults} faults detected, ${falsePositives} false positives`);
    });
  });
}
