import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngines } from '@redkeep/testing';
import { cutShards, damageStore, killArchiver, killServer, restoreSeconds } from './testing/trials.js';

// The short form of `npm run chaos:backup`, which does this fifty or a thousand times on every engine.
const engine = findEngines()[0]!;

describe('an archive under faults', () => {
  test('loses at most two seconds when the server is killed', async () => {
    const { lostMs } = await killServer(engine);
    assert.ok(lostMs <= 2000, `${lostMs} ms lost`);
  });

  test('has no gap when the archiver is killed, and equals the server in the end', async () => {
    const { gaps, fullSyncs, digestEqual } = await killArchiver(engine, 4);
    assert.deepEqual({ gaps, fullSyncs, digestEqual }, { gaps: 0, fullSyncs: 1, digestEqual: true });
  });

  test('restores random seconds exactly', async () => {
    const { seconds, exact } = await restoreSeconds(engine, 6000, 5);
    assert.equal(exact, seconds);
  });

  test('cuts three shards at one moment', async () => {
    const { cuts, oneMoment, widestSkew, effectsWithoutCause } = await cutShards(engine, 5);
    assert.deepEqual({ cuts, oneMoment, effectsWithoutCause }, { cuts: 5, oneMoment: 5, effectsWithoutCause: 0 });
    assert.ok(widestSkew <= 1, `${widestSkew} writes apart`);
  });

  test('finds every flipped bit, cut, missing and swapped object', async () => {
    const { tried, found, missed } = await damageStore(engine, 100);
    assert.deepEqual({ found, missed }, { found: tried, missed: [] });
  });
});
