import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

test('the kinds of replies are those of the types in the sources', async () => {
  // The generator reads the sources, which a compiled test cannot import.
  const generator = new URL('../../../../scripts/generate-reply-kinds.mjs', import.meta.url);
  const { render } = (await import(generator.href)) as { render(): string };
  const written = await readFile(new URL('../../src/commands/reply-kinds.ts', import.meta.url), 'utf8');
  assert.equal(written.replace(/\s+/g, ' '), render().replace(/\s+/g, ' '));
});
