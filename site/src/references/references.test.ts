import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from '../repository.js';
import { generatedPages } from './index.js';

test('every generated page is what `npm run docs:references` writes', async () => {
  const pages = await generatedPages();
  const stale: string[] = [];
  for (const { path, text } of pages)
    if ((await readFile(join(repository, path), 'utf8').catch(() => '')) !== text) stale.push(path);
  assert.deepEqual(stale, [], 'run: npm run docs:references');
  const ofChecks = (await readdir(join(repository, 'docs/checks'))).map((name) => `docs/checks/${name}`);
  assert.deepEqual(
    ofChecks.filter((path) => !pages.some((page) => page.path === path)),
    [],
  );
});
