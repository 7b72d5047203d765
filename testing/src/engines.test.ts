import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngine, findEngines } from './engines.js';
import { startServer } from './server.js';

describe('engines', () => {
  test('are found with their programs and versions', () => {
    const engines = findEngines();
    assert.ok(engines.length > 0);
    for (const engine of engines) assert.match(engine.version, /^\d+\.\d+\.\d+$/);
    assert.equal(new Set(engines.map((engine) => engine.server)).size, engines.length);
  });

  for (const engine of findEngines()) {
    test(`${engine.name} starts and is what it says`, async () => {
      await using server = await startServer({ engine, tls: true });
      const info = await server.info('server');
      assert.equal(info[`${engine.kind}_version`], engine.version);
    });
  }

  test('an unknown one is named together with what there is', () => {
    assert.throws(() => findEngine('redis-1.2'), /No engine named redis-1\.2 \(found: .+\)/);
  });
});
