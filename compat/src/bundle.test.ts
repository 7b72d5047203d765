/** What bundlers make of the package: ES modules, of which they leave out what is not used. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, type Format } from 'esbuild';

async function bundle(contents: string, format: Format): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    format,
    platform: 'node',
    write: false,
  });
  return outputFiles[0]!.text;
}

test('a constant brings nothing else along', async () => {
  const code = await bundle("export { RESP_TYPES } from 'redkeep';", 'esm');
  assert.match(code, /BLOB_STRING/);
  assert.doesNotMatch(code, /node:net|class RedisClient/);
});

test('a client brings no cluster along', async () => {
  const code = await bundle("import { createClient } from 'redkeep'; createClient();", 'esm');
  assert.match(code, /class RedisClient\b|RedisClient = class/);
  assert.doesNotMatch(code, /class ClusterCore|ClusterCore = class|class SentinelCore|SentinelCore = class/);
});

test('what requires and what imports share one copy', async () => {
  const code = await bundle(
    "import { createClient } from 'redkeep'; export const same = require('redkeep').createClient === createClient;",
    'cjs',
  );
  assert.equal(code.match(/function createClient\(/g)?.length, 1);
});
