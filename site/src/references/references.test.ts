import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stalePages } from './index.js';

test('every generated page is what `npm run docs:references` writes', async () => {
  assert.deepEqual(await stalePages(), []);
});
