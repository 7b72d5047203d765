/** Everything that node-redis 6 offers by name is there by the same name, or is listed below with the reason. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as redis from 'redis';
import * as redkeep from 'redkeep';
import * as nodeRedis from 'redkeep/node-redis';

/** Not offered, and why; see docs/migrating-from-node-redis.md. */
const EXPORTS: Readonly<Record<string, string>> = {
  OpenTelemetryError: 'a wrong option of OpenTelemetry.init is an InvalidOptionError, as everywhere',
  RedisSentinelClient: 'what is borrowed from a Sentinel client is a RedisClient; the type is RedisSentinelClientType',
};
const MEMBERS: Readonly<Record<string, string>> = {
  Multi: 'the class behind multi(), not meant for users',
  cleanupTimeout: 'a timer of the pool',
  identity: 'a name in the metrics registry',
  resetIfDirty: 'called by the pool',
  resubscribeAllPubSubListeners: 'called when topology changes',
  setTracer: 'for debugging node-redis itself',
};
/** What Node puts on the exports of a CommonJS module. */
const INTEROP = new Set(['default', '__esModule', 'module.exports']);
const INHERITED = new Set(['constructor']);

function namesOf(value: object): string[] {
  const names = new Set<string>();
  for (let at: object | null = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at))
      if (!name.startsWith('_') && !INHERITED.has(name)) names.add(name);
  return [...names];
}
function missing(theirs: object, ours: object, but: Readonly<Record<string, string>> = {}): string[] {
  return namesOf(theirs).filter((name) => !(name in ours) && but[name] === undefined);
}

const sentinels = { name: 'primary', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] };
const CLIENTS: Readonly<Record<string, readonly [theirs: object, ours: object]>> = {
  client: [redis.createClient(), redkeep.createClient()],
  pool: [redis.createClientPool(), redkeep.createClientPool()],
  cluster: [
    redis.createCluster({ rootNodes: [{ socket: { host: 'localhost' } }] }),
    redkeep.createCluster({ rootNodes: [{ socket: { host: 'localhost' } }] }),
  ],
  sentinel: [redis.createSentinel(sentinels), redkeep.createSentinel(sentinels)],
};

describe('names of node-redis 6', () => {
  test('exports', () => {
    const lacking = Object.keys(redis).filter((name) => !(name in redkeep) && !INTEROP.has(name));
    assert.deepEqual(lacking.sort(), Object.keys(EXPORTS).sort());
  });

  test("the sub-path has node-redis's names, and the root has the same objects", () => {
    const lacking = Object.keys(redis).filter((name) => !(name in nodeRedis) && !INTEROP.has(name));
    assert.deepEqual(lacking.sort(), Object.keys(EXPORTS).sort());
    for (const [name, value] of Object.entries(nodeRedis))
      if (name in redkeep) assert.equal((redkeep as Record<string, unknown>)[name], value, name);
  });

  test('the root has no table that node-redis does not export by that name', () => {
    const tables = Object.keys(redkeep).filter((name) => /^[A-Z]+(_[A-Z]+)+$/.test(name) && !(name in redis));
    assert.deepEqual(tables.sort(), ['DANGEROUS_COMMANDS', 'DEFAULT_CIPHERS', 'POOL_DEFAULTS']);
  });

  test('constants have the same values', () => {
    let compared = 0;
    for (const [name, theirs] of Object.entries(redis)) {
      const ours = (redkeep as Record<string, unknown>)[name];
      if (typeof theirs !== 'object' || typeof ours !== 'object' || INTEROP.has(name)) continue;
      assert.deepEqual(ours, theirs, name);
      compared++;
    }
    assert.ok(compared > 10);
  });

  for (const [kind, [theirs, ours]] of Object.entries(CLIENTS)) {
    test(`${kind}: commands and methods`, () => {
      assert.ok(namesOf(theirs).length > 500);
      assert.deepEqual(missing(theirs, ours, MEMBERS), []);
      assert.ok(Symbol.asyncDispose in ours);
    });

    test(`${kind}: commands below a name, and in transactions`, () => {
      for (const space of ['json', 'ft', 'ts', 'bf', 'cf', 'cms', 'topK', 'tDigest'] as const) {
        const at = (client: object) => (client as Record<string, object>)[space]!;
        assert.deepEqual(missing(at(theirs), at(ours)), [], space);
      }
      const multi = (client: object) => (client as { multi(): object }).multi();
      assert.deepEqual(missing(multi(theirs), multi(ours)), []);
    });
  }

  test('statics', () => {
    assert.deepEqual(missing(redis.RedisClient, redkeep.RedisClient), []);
  });
});
