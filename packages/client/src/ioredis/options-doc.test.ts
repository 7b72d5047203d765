import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLUSTER_OPTIONS } from './cluster-options.js';
import { Redis, type RedisOptions } from './index.js';
import { OPTIONS } from './options.js';

const PAGE = join(import.meta.dirname, '../../../../docs/migrating-from-ioredis.md');

test('the page lists every option with what becomes of it', () => {
  const [, standalone = '', cluster = ''] =
    /^## Options$([\s\S]*?)^Of a cluster:$([\s\S]*?)^The options that/m.exec(readFileSync(PAGE, 'utf8')) ?? [];
  for (const [text, table] of [
    [standalone, OPTIONS],
    [cluster, CLUSTER_OPTIONS],
  ] as const) {
    const listed = [...text.matchAll(/^\| (\w+) \| (`.*`) \|$/gm)].flatMap(([, effect, names]) =>
      names!.split(', ').map((name) => [name.slice(1, -1), effect]),
    );
    assert.deepEqual(Object.fromEntries(listed), table);
    assert.equal(listed.length, Object.keys(table).length);
  }
});

test('options that are refused throw; those that change nothing warn once', async () => {
  for (const [name, effect] of Object.entries(OPTIONS))
    if (effect === 'refused')
      assert.throws(() => new Redis({ lazyConnect: true, [name]: {} } as RedisOptions), {
        code: 'REDKEEP_INVALID_OPTION',
      });
  const warnings: string[] = [];
  const onWarning = (warning: Error & { code?: string }) => {
    if (warning.code === 'REDKEEP_IOREDIS_OPTION') warnings.push(warning.message.split(':')[0]!);
  };
  process.on('warning', onWarning);
  const given = { lazyConnect: true, disconnectTimeout: 10, noSuchOption: 1 } as RedisOptions;
  new Redis(given);
  new Redis(given);
  await new Promise(setImmediate);
  process.off('warning', onWarning);
  assert.deepEqual(warnings.sort(), ['disconnectTimeout', 'noSuchOption']);
});
