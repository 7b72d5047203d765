/** What bundlers make of the package: ES modules, of which they leave out what is not used. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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

test('webpack bundles it without a warning', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-webpack-'));
  const context = fileURLToPath(new URL('.', import.meta.url));
  const { default: webpack } = await import('webpack');
  const compiler = webpack({
    ...{ mode: 'production', target: 'node20', context, entry: 'redkeep', devtool: false },
    optimization: { minimize: false },
    output: { path: folder, filename: 'bundle.cjs', library: { type: 'commonjs2' } },
  });
  try {
    const stats = await promisify(compiler.run.bind(compiler))();
    assert.deepEqual(stats!.toJson({ all: false, warnings: true, errors: true }).warnings, []);
    assert.deepEqual(stats!.compilation.errors, []);
    const { digest, createClient } = createRequire(import.meta.url)(join(folder, 'bundle.cjs'));
    assert.equal(typeof createClient, 'function');
    // What bundlers must not look for is still found at run time, beside the bundle.
    await assert.rejects(digest('x'), { code: 'REDKEEP_DIGEST_UNAVAILABLE' });
  } finally {
    await promisify(compiler.close.bind(compiler))();
    await rm(folder, { recursive: true });
  }
});
