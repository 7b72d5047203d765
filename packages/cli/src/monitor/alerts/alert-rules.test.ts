import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { alertRules } from './alert-rules.js';

test('docs/monitoring.md has every alert as the table does, and no other', async () => {
  const text = await readFile(new URL('../../../../../docs/monitoring.md', import.meta.url), 'utf8');
  const documented = [...text.matchAll(/^\| `(Redkeep\w+)` \| (\w+) \| (.*) \| (.*) \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  const rules = alertRules.map(({ alert, severity, summary, nextStep }) => [alert, severity, summary, nextStep]);
  assert.deepEqual(
    documented.filter(([alert]) => alert !== 'RedkeepMonitorMissing'),
    rules,
  );
});
