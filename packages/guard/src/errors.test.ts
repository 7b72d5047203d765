import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { guardErrors } from './errors.js';

test('docs/guard-errors.md lists exactly the codes, with what happened and what to do', async () => {
  const page = await readFile(new URL('../../../docs/guard-errors.md', import.meta.url), 'utf8');
  const rows = Object.entries(guardErrors).map(([code, { what, next }]) => `| \`${code}\` | ${what} | ${next} |`);
  assert.deepEqual(page.match(/^\| `.*$/gm), rows);
});
