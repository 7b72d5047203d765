/** What a caller sees, at compile time: each line fails to build when a declared reply changes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Server, startServer } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import { RESP_TYPES } from '../protocol/types.js';
import type { CommandMethods } from './bind.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Reply<C, K extends keyof C> = C[K] extends (...args: never[]) => Promise<infer R> ? R : never;
type All<T extends readonly true[]> = T;

type Plain = CommandMethods;
type Buffers = CommandMethods<{ 36: BufferConstructor }>;
type Maps = CommandMethods<{ 37: MapConstructor; 126: SetConstructor }>;
type Texts = CommandMethods<{ 44: StringConstructor; 58: BigIntConstructor }>;

export type Checked = All<
  [
    Equal<Reply<Plain, 'hGet'>, string | null>,
    Equal<Reply<Plain, 'hGetAll'>, Record<string, string>>,
    Equal<Reply<Plain, 'HGETALL'>, Record<string, string>>,
    Equal<Reply<Plain, 'sMembers'>, string[]>,
    Equal<Reply<Plain, 'zScore'>, number | null>,
    Equal<Reply<Plain, 'zRangeWithScores'>, { value: string; score: number }[]>,
    Equal<Reply<Plain, 'blPop'>, { key: string; element: string } | null>,
    Equal<Reply<Plain, 'lmPop'>, [key: string, elements: string[]] | null>,
    Equal<Reply<Plain, 'geoDist'>, number | null>,
    Equal<Reply<Plain, 'vAdd'>, boolean>,
    Equal<Reply<Plain, 'hScan'>, { cursor: string; entries: { field: string; value: string }[] }>,
    Equal<Reply<Buffers, 'hGet'>, Buffer | null>,
    Equal<Reply<Buffers, 'hmGet'>, (Buffer | null)[]>,
    Equal<Reply<Buffers, 'hGetAll'>, Record<string, Buffer>>,
    Equal<Reply<Buffers, 'zRangeWithScores'>, { value: Buffer; score: number }[]>,
    Equal<Reply<Buffers, 'zCard'>, number>,
    Equal<Reply<Maps, 'hGetAll'>, Map<string, string>>,
    Equal<Reply<Maps, 'sMembers'>, Set<string>>,
    Equal<Reply<Texts, 'zScore'>, string | null>,
    Equal<Reply<Texts, 'lLen'>, bigint>,
  ]
>;

let server: Server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const RESP of [2, 3] as const) {
  const connected = async (): Promise<RedisClient> => createClient({ url: server.url, RESP }).connect();

  test(`Buffers come back byte for byte, RESP ${RESP}`, async () => {
    await using client = await connected();
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await client.hSet(`h${RESP}`, 'f', bytes);
    await client.zAdd(`z${RESP}`, { score: 1, value: bytes });
    await client.sAdd(`s${RESP}`, bytes);
    await client.xAdd(`x${RESP}`, '1-0', { f: bytes });
    assert.deepEqual(await buffers.hGet(`h${RESP}`, 'f'), bytes);
    assert.deepEqual((await buffers.hGetAll(`h${RESP}`))['f'], bytes);
    assert.deepEqual(await buffers.zRangeWithScores(`z${RESP}`, 0, -1), [{ value: bytes, score: 1 }]);
    assert.deepEqual(await buffers.sMembers(`s${RESP}`), [bytes]);
    const [entry] = await buffers.xRange(`x${RESP}`, '-', '+');
    assert.deepEqual(entry!.message['f'], bytes);
    const info = await buffers.xInfoStream(`x${RESP}`);
    assert.deepEqual(info['last-entry']?.message['f'], bytes);
    const [stream] = (await buffers.xRead({ key: `x${RESP}`, id: '0' }))!;
    assert.equal(String(stream!.name), `x${RESP}`);
  });

  test(`maps, sets, doubles and integers take the asked-for types, RESP ${RESP}`, async () => {
    await using client = await connected();
    const [h, z, s, x] = [`mh${RESP}`, `mz${RESP}`, `ms${RESP}`, `mx${RESP}`];
    await client.hSet(h, { a: '1' });
    await client.zAdd(z, { score: 1.5, value: 'm' });
    await client.sAdd(s, 'm');
    await client.xAdd(x, '1-0', { f: 'v' });
    const mapped = client.withTypeMapping({
      [RESP_TYPES.MAP]: Map,
      [RESP_TYPES.SET]: Set,
      [RESP_TYPES.DOUBLE]: String,
      [RESP_TYPES.NUMBER]: BigInt,
    });
    assert.deepEqual(await mapped.hGetAll(h), new Map([['a', '1']]));
    assert.deepEqual(await mapped.sMembers(s), new Set(['m']));
    assert.equal(await mapped.zScore(z, 'm'), '1.5');
    assert.deepEqual(await mapped.zRangeWithScores(z, 0, 0), [{ value: 'm', score: '1.5' }]);
    assert.equal(await mapped.hLen(h), 1n);
    assert.deepEqual(await mapped.xRange(x, '-', '+'), [{ id: '1-0', message: new Map([['f', 'v']]) }]);
    assert.deepEqual(await mapped.xRead({ key: x, id: '0' }), [
      { name: x, messages: [{ id: '1-0', message: new Map([['f', 'v']]) }] },
    ]);
    assert.equal((await mapped.xInfoStream(x)).get('length'), 1n);
    const flat = client.withTypeMapping({ [RESP_TYPES.MAP]: Array });
    assert.deepEqual(await flat.hGetAll(h), ['a', '1']);
    assert.equal((await flat.xInfoStream(x))[0], 'length');
    assert.deepEqual((await flat.xRead({ key: x, id: '0' }))![0]!.messages, [{ id: '1-0', message: ['f', 'v'] }]);
  });
}
