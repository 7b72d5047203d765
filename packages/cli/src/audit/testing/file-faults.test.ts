import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileFaults } from './file-faults.js';
import { auditFiles, placesOf } from './project-folder.js';

// A regression test: these faults were written beside the checks, so they show what stays detected, not what would be
// detected of faults that others think of.
for (const [kind, faults] of Object.entries(fileFaults))
  describe(`${faults.length} faults in ${kind}`, () => {
    for (const { name, files, expected, at } of faults)
      test(`${name}: ${expected}`, async () => {
        const result = await auditFiles(files);
        const ids = result.findings.map(({ id }) => id);
        assert.ok(ids.includes(expected), `found ${ids.join(' ')}; ${result.notes.join(' ')}`);
        assert.ok(placesOf(result, expected).includes(at), `at ${placesOf(result, expected).join(', ')}`);
      });
  });
