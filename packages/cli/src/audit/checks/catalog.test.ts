import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cvssScore } from '../verdict/cvss.js';
import { checks } from './index.js';

test('every check has an id of its own, a valid vector, and is in the documentation', async () => {
  const text = await readFile(new URL('../../../../../docs/checks.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| \[([A-Z]+-\d{3})\]\(checks\/[a-z]+-\d{3}\.md\) \|/gm)].map(([, id]) => id);
  assert.deepEqual(documented.sort(), checks.map(({ id }) => id).sort());
  assert.equal(new Set(documented).size, checks.length);
  for (const check of checks) if (check.cvss !== null) assert.ok(cvssScore(check.cvss) > 0, check.id);
});

// Listed for completeness, or only ever "unknown": an audit cannot see what they ask.
const neverFail = ['ACL-018', 'CLI-009', 'LOG-002', 'NET-016', 'TLS-021'];

test('every check that can fail is broken by a test', async () => {
  const folder = fileURLToPath(new URL('../../../src/audit/', import.meta.url));
  const names = (await readdir(folder, { recursive: true })).filter(
    (name) => name.startsWith('testing') || (name.startsWith('gather') && name.endsWith('.test.ts')),
  );
  const texts = await Promise.all(
    names.filter((name) => name.endsWith('.ts')).map((name) => readFile(join(folder, name), 'utf8')),
  );
  const broken = new Set(texts.flatMap((text) => [...text.matchAll(/'([A-Z]+-\d{3})'/g)].map(([, id]) => id)));
  assert.deepEqual(
    checks
      .map(({ id }) => id)
      .filter((id) => !broken.has(id))
      .sort(),
    neverFail,
  );
});
