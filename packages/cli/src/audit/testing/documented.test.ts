import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Engine } from '@redkeep/testing';
import { serverFaults } from './faults/index.js';

test('docs/audit.md counts the faults that there are', async () => {
  const text = await readFile(new URL('../../../../../docs/audit.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| (Redis|Valkey) ([\d.]+) \| (\d+) \| (\d+) \| 0 \|$/gm)];
  assert.equal(rows.length, 3);
  for (const [, name, version, faults, detected] of rows) {
    const engine = { kind: name!.toLowerCase(), version } as Engine;
    const applied = serverFaults.filter(({ appliesTo }) => appliesTo?.(engine) ?? true).length;
    assert.deepEqual([Number(faults), Number(detected)], [applied, applied], `${name} ${version}`);
  }
});
