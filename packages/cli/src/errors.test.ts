import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { cliErrors } from './errors.js';

test('docs/cli-errors.md has every code with its exit code, and no other', async () => {
  const text = await readFile(new URL('../../../docs/cli-errors.md', import.meta.url), 'utf8');
  const documented = Object.fromEntries(
    [...text.matchAll(/^\| `(REDKEEP_\w+)` \| (\d+) \|/gm)].map(([, code, exit]) => [code, Number(exit)]),
  );
  assert.deepEqual(documented, { ...cliErrors });
});
