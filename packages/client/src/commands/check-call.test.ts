import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '@redkeep/testing';
import { createClient } from '../client/client.js';

/** Calls as code without types makes them; what they mean with another client, or a slip. */
// biome-ignore lint/suspicious/noExplicitAny: calls that the types refuse
const CALLS: Readonly<Record<string, readonly [call: (client: any) => Promise<unknown>, advice: RegExp]>> = {
  "set(k, v, 'EX', 10)": [(c) => c.set('k', 'v', 'EX', 10), /\{ EX: … \}/],
  "set(k, v, 'PX', 10, 'NX')": [(c) => c.set('k', 'v', 'PX', 10, 'NX'), /\{ PX: … \}/],
  "set(k, v, 'NX')": [(c) => c.set('k', 'v', 'NX'), /\{ NX: … \}/],
  'set(k, v, { ex: 10 })': [(c) => c.set('k', 'v', { ex: 10 }), /write EX/],
  'set(k, v, { ttl: 10 })': [(c) => c.set('k', 'v', { ttl: 10 }), /does not have/],
  "lPush(l, 'a', 'b')": [(c) => c.lPush('l', 'a', 'b'), /into an array/],
  "sAdd(s, 'a', 'b')": [(c) => c.sAdd('s', 'a', 'b'), /into an array/],
  "del('a', 'b')": [(c) => c.del('a', 'b'), /into an array/],
  "mGet('a', 'b')": [(c) => c.mGet('a', 'b'), /into an array/],
  'expire(k, 10, NX, x)': [(c) => c.expire('k', 10, 'NX', 'x'), /one too many/],
  'scan(0, { match })': [(c) => c.scan('0', { match: 'x*' }), /write MATCH/],
  'zAdd(z, member, { nx })': [(c) => c.zAdd('z', { score: 1, value: 'a' }, { nx: true }), /does not have|write/],
  'multi().set(k, v, { px })': [(c) => c.multi().set('k', 'v', { px: 1 }).exec(), /write PX/],
};

test('what a call would drop in silence is refused with the right spelling', async () => {
  await using server = await startServer();
  await using client = await createClient({ url: server.url }).connect();
  for (const [name, [call, advice]] of Object.entries(CALLS)) {
    await assert.rejects(
      async () => call(client),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'REDKEEP_INVALID_ARGUMENT', name);
        assert.match(error.message, advice, name);
        return true;
      },
      name,
    );
  }
  assert.equal(await client.dbSize(), 0);
});

test('what means something goes through', async () => {
  await using server = await startServer();
  await using client = await createClient({ url: server.url }).connect();
  await client.set('k', 'v', { EX: 10, PX: undefined });
  await client.set('k', 'v', { expiration: { type: 'EX', value: 10 }, condition: 'XX' });
  await client.hSet('h', { any: 'name', EX: '1' });
  await client.zAdd('z', { score: 1, value: 'a', note: 'of a row' } as { score: number; value: string });
  await client.xAdd('x', '*', { ex: '1' }, { TRIM: { strategy: 'MAXLEN', threshold: 10 } });
  assert.equal(await client.zCard('z'), 1);
  assert.ok((await client.ttl('k')) > 0);
});
