import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ERRORS } from '../errors.js';

const page = new URL('../../../../docs/security.md', import.meta.url);

test('every row of the table names a test that exists, and every link leads somewhere', async () => {
  const text = await readFile(page, 'utf8');
  const table = text.slice(text.indexOf('| attack or accident |'));
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
  assert.ok(rows.length >= 30);
  for (const row of rows) {
    const cells = row.split(' | ');
    assert.equal(cells.length, 5, row);
    assert.match(cells[4]!, /\.test\.ts\)/, row);
  }
  for (const [, link] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
    const content = await readFile(new URL(link!, page), 'utf8');
    if (link!.endsWith('.test.ts')) assert.match(content, /\btest\(/, link);
  }
  assert.ok(text.includes(`all ${Object.keys(ERRORS).length} error codes`));
});
