/** Whatever is done to a stored trail, `verify` finds it and names the place. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { keyA, keyB, refused, useServer } from '../testing/support.js';
import type { Anchor } from './anchor.js';
import { AuditReader } from './audit-reader.js';
import { AuditTrail } from './audit-trail.js';
import { chainHash } from './chain.js';
import type { ChainProblem } from './verify-chain.js';

const redis = useServer();
const pair = generateKeyPairSync('ed25519');
const LENGTH = 12;
const STREAM = '{audit}:stream';
const HEAD = '{audit}:head';

interface Row {
  id: string;
  body: string;
  hash: string;
}
let original: readonly Row[];
let head: readonly [string, string];
const anchors: Anchor[] = [];

async function record(): Promise<void> {
  if (anchors.length > 0) return;
  const trail = new AuditTrail({
    client: redis.client,
    chainKey: keyA,
    spool: 'none',
    signWith: pair.privateKey,
    onAnchor: (anchor) => void anchors.push(anchor),
    anchorEvery: 5,
  });
  for (let i = 1; i <= LENGTH; i++) await trail.record({ actor: 'ana', action: `step.${i}`, details: { i } });
  await trail.close();
  const rows = (await redis.server.command('XRANGE', STREAM, '-', '+')) as [string, string[]][];
  original = rows.map(([id, [, body, , hash]]) => ({ id, body: body!, hash: hash! }));
  head = [String(LENGTH), original.at(-1)!.hash];
  assert.equal(anchors.at(-1)?.seq, LENGTH, 'closing signs where the trail ended');
}

async function store(rows: readonly Row[], [seq, hash]: readonly [string, string] = head): Promise<void> {
  const { client } = redis;
  const replies = [client.sendCommand(['DEL', STREAM, HEAD])];
  for (const { id, body, hash: h } of rows) replies.push(client.sendCommand(['XADD', STREAM, id, 'e', body, 'h', h]));
  replies.push(client.sendCommand(['HSET', HEAD, 'seq', seq, 'hash', hash]));
  await Promise.all(replies);
}

const reader = () => new AuditReader({ client: redis.client, chainKey: keyA });
const outside = () => ({ anchors, publicKey: pair.publicKey });
const problem = async (withAnchors = true): Promise<ChainProblem | undefined> =>
  (await reader().verify(withAnchors ? outside() : {})).problem;

/** One character of a text replaced by another. */
const mangled = (text: string, at: number): string => {
  const place = at % text.length;
  return text.slice(0, place) + (text[place] === 'x' ? 'y' : 'x') + text.slice(place + 1);
};
const copy = (): Row[] => original.map((row) => ({ ...row }));
const seqs = fc.integer({ min: 1, max: LENGTH });
const check = (property: fc.IAsyncProperty<never> | fc.IAsyncPropertyWithHooks<never>) =>
  fc.assert(property as fc.IAsyncProperty<unknown>, { numRuns: 40 });

describe('a stored trail', () => {
  before(record);

  test('that nobody touched verifies, with and without anchors', async () => {
    await store(original);
    const report = await reader().verify(outside());
    assert.deepEqual(
      [report.ok, report.checked, report.firstSeq, report.lastSeq, report.anchoredTo],
      [true, LENGTH, 1, LENGTH, LENGTH],
    );
    assert.equal((await reader().verify()).ok, true);
  });

  test('any character of any entry or hash that is changed', async () => {
    await check(
      fc.asyncProperty(seqs, fc.nat(), fc.boolean(), async (seq, at, inBody) => {
        const rows = copy();
        const row = rows[seq - 1]!;
        if (inBody) row.body = mangled(row.body, at);
        else row.hash = mangled(row.hash, at);
        await store(rows);
        assert.deepEqual(await problem(false), { kind: 'modified', seq });
      }) as never,
    );
  });

  test('any run of entries that is deleted', async () => {
    await check(
      fc.asyncProperty(seqs, seqs, async (one, two) => {
        const [from, to] = [Math.min(one, two), Math.max(one, two)];
        await store(original.filter((_, at) => at + 1 < from || at + 1 > to));
        const kind = to === LENGTH ? 'truncated' : 'missing';
        assert.deepEqual(await problem(false), { kind, seq: from });
      }) as never,
    );
  });

  test('any end that is cut off together with the head, by the anchor outside', async () => {
    await check(
      fc.asyncProperty(fc.integer({ min: 0, max: LENGTH - 1 }), async (kept) => {
        const last = original[kept - 1];
        await store(original.slice(0, kept), [String(kept), last?.hash ?? '']);
        assert.deepEqual(await problem(), { kind: 'truncated', seq: kept + 1 });
        assert.equal(await problem(false), undefined, 'which nothing inside Redis can show');
      }) as never,
    );
  });

  test('any entry that is put in, at any place, copied from another or made up', async () => {
    await check(
      fc.asyncProperty(seqs, seqs, fc.boolean(), async (after, source, copied) => {
        const rows = copy();
        const made = { body: '{"actor":"nobody"}', hash: chainHash(Buffer.from(keyB, 'hex'), after, '', 'x') };
        const { body, hash } = copied ? original[source - 1]! : made;
        if (after === LENGTH) rows.push({ id: `${LENGTH + 1}-0`, body, hash });
        else rows.splice(after, 0, { id: `${after}-5`, body, hash });
        await store(rows);
        const kind = after === LENGTH ? 'modified' : 'inserted';
        assert.deepEqual(await problem(false), { kind, seq: after + 1 });
      }) as never,
    );
  });

  test('any two entries that change places', async () => {
    await check(
      fc.asyncProperty(seqs, seqs, async (one, two) => {
        fc.pre(one !== two);
        const rows = copy();
        const [a, b] = [rows[one - 1]!, rows[two - 1]!];
        [a.body, b.body, a.hash, b.hash] = [b.body, a.body, b.hash, a.hash];
        await store(rows);
        assert.deepEqual(await problem(false), { kind: 'modified', seq: Math.min(one, two) });
      }) as never,
    );
  });

  test('a beginning that is deleted up to an anchor: only a signed retention may take it', async () => {
    const [first] = anchors;
    assert.ok(first !== undefined && first.seq < LENGTH && first.kind === 'head');
    await store(original.slice(first.seq));
    assert.deepEqual(await problem(), { kind: 'missing', seq: 1 });
    await store([]);
    assert.deepEqual(await problem(), { kind: 'truncated', seq: 1 });
    const forged = { ...first, kind: 'retention' } as const;
    await store(original.slice(first.seq));
    const report = await reader().verify({ ...outside(), anchors: [...anchors, forged] });
    assert.deepEqual(report.problem, { kind: 'forged-anchor', seq: first.seq });
  });

  test('a head that is set back, or changed', async () => {
    await store(original, ['3', original[2]!.hash]);
    assert.deepEqual(await problem(), { kind: 'head', seq: LENGTH });
    await store(original, [String(LENGTH), original[2]!.hash]);
    assert.deepEqual(await problem(), { kind: 'head', seq: LENGTH });
  });

  test('a malformed anchor, or one of somebody else, is forged', async () => {
    await store(original);
    const other = generateKeyPairSync('ed25519');
    const [anchor] = anchors as [Anchor];
    for (const bad of [{ ...anchor, signature: '' }, { ...anchor, trail: 'other' }, { seq: 5 } as Anchor])
      assert.equal((await reader().verify({ ...outside(), anchors: [bad] })).problem?.kind, 'forged-anchor');
    assert.equal((await reader().verify({ anchors, publicKey: other.publicKey })).problem?.kind, 'forged-anchor');
    assert.equal((await reader().verify({ anchors })).problem?.kind, 'forged-anchor');
  });
});

test('a writer notices an end that was cut off under it, and does not sign it', async () => {
  const errors: unknown[] = [];
  const signed: Anchor[] = [];
  const trail = new AuditTrail({
    client: redis.client,
    name: 'cut',
    chainKey: keyA,
    spool: 'none',
    signWith: pair.privateKey,
    onAnchor: (anchor) => void signed.push(anchor),
    onError: (error) => errors.push(error),
  });
  const cutTo = async (seq: number) => {
    const [[, [, , , hash]]] = (await redis.server.command('XRANGE', '{cut}:stream', `${seq}-0`, `${seq}-0`)) as [
      [string, string[]],
    ];
    await redis.server.command('XTRIM', '{cut}:stream', 'MAXLEN', '0');
    await redis.server.command('HSET', '{cut}:head', 'seq', String(seq), 'hash', hash!);
  };
  for (let i = 0; i < 3; i++) await trail.record({ actor: 'ana', action: 'x' });
  await cutTo(2);
  await refused(() => trail.anchor(), 'REDKEEP_AUDIT_CHAIN');
  assert.equal(signed.length, 0);
  assert.equal((await trail.anchor()).seq, 2, 'said once; from then on the chain is what it is');
  await trail.close();
});

describe('an export', () => {
  before(record);

  const lines = async () => {
    await store(original);
    const all: string[] = [];
    for await (const line of reader().jsonLines()) all.push(line);
    return all;
  };

  test('verifies without Redis, and shows what was changed in it', async () => {
    const all = await lines();
    assert.equal((await reader().verifyExport(all, outside())).checked, LENGTH);
    const verify = async (changed: string[]) => (await reader().verifyExport(changed, outside())).problem;
    assert.deepEqual(await verify(all.slice(0, 7)), { kind: 'truncated', seq: 8 });
    assert.deepEqual(await verify(all.filter((_, at) => at !== 4)), { kind: 'missing', seq: 5 });
    assert.deepEqual(await verify(all.map((line, at) => (at === 4 ? line.replace('ana', 'bob') : line))), {
      kind: 'modified',
      seq: 5,
    });
    assert.deepEqual(await verify([...all.slice(0, 3), 'no JSON', ...all.slice(3)]), { kind: 'inserted', seq: 4 });
    const stranger = new AuditReader({ client: redis.client, chainKey: keyB });
    assert.deepEqual((await stranger.verifyExport(all)).problem, { kind: 'modified', seq: 1 });
  });
});
