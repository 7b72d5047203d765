import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { cvssScore } from '../verdict/cvss.js';
import { checks } from './index.js';

it('every check has an id of its own, a valid vector, and stands in the documentation', async () => {
  const text = await readFile(new URL('../../../../../docs/checks.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| ([A-Z]+-\d{3}) \|/gm)].map(([, id]) => id);
  assert.deepEqual(documented.sort(), checks.map(({ id }) => id).sort());
  assert.equal(new Set(documented).size, checks.length);
  for (const check of checks) if (check.cvss !== null) assert.ok(cvssScore(check.cvss) > 0, check.id);
});
