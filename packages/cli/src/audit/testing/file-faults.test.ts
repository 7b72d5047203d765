import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileFaults } from './file-faults.js';
import { auditFiles, placesOf } from './project-folder.js';

// A regression test: these faults were written beside the checks, so they show what stays detected, not what would be
// detected of faults that others think of.
// In `npm test` every third of the longest newer list; `npm run test:mutations` takes all.
const whole = process.env['REDKEEP_MUTATIONS'] === 'all';
const chosen = Object.entries(fileFaults).map(
  ([kind, faults]) =>
    [
      kind,
      whole || kind !== 'containers that are started by hand' ? faults : faults.filter((_, at) => at % 3 === 0),
    ] as const,
);

for (const [kind, faults] of chosen)
  describe(`${faults.length} faults in ${kind}`, () => {
    for (const { name, files, expected, at } of faults)
      test(`${name}: ${expected}`, async () => {
        const result = await auditFiles(files);
        const ids = result.findings.map(({ id }) => id);
        assert.ok(ids.includes(expected), `found ${ids.join(' ')}; ${result.notes.join(' ')}`);
        assert.ok(placesOf(result, expected).includes(at), `at ${placesOf(result, expected).join(', ')}`);
      });
  });
