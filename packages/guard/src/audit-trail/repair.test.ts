import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { keyA, refused, useServer } from '../testing/support.js';
import { type Anchor, anchorFile } from './anchor.js';
import { AuditReader } from './audit-reader.js';
import { AuditTrail } from './audit-trail.js';
import { repairAuditTrail } from './repair.js';

const redis = useServer();
const pair = generateKeyPairSync('ed25519');
let trails = 0;

function open() {
  const name = `repair-${trails++}`;
  const anchors: Anchor[] = [];
  const make = () =>
    new AuditTrail({
      client: redis.client,
      name,
      chainKey: keyA,
      spool: 'none',
      signWith: pair.privateKey,
      onAnchor: (anchor) => void anchors.push(anchor),
    });
  const reader = new AuditReader({ client: redis.client, name, chainKey: keyA });
  const outside = () => ({ anchors, publicKey: pair.publicKey });
  const repair = () => repairAuditTrail({ client: redis.client, name, chainKey: keyA, anchors });
  return { name, anchors, make, reader, outside, repair, stream: `{${name}}:stream`, head: `{${name}}:head` };
}

async function record(writer: AuditTrail, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await writer.record({ actor: 'ana', action: `step.${i}` });
}

describe('a trail that takes no entries', () => {
  test('because its head was lost goes on from its last entry after a repair', async () => {
    const t = open();
    await record(t.make(), 3);
    await redis.server.command('DEL', t.head);
    await refused(() => record(t.make(), 1), 'REDKEEP_AUDIT_REPAIR');
    const { head, quarantined, headRestored } = await t.repair();
    assert.deepEqual([head.seq, quarantined, headRestored], [3, 0, true]);
    await record(t.make(), 1);
    const report = await t.reader.verify();
    assert.deepEqual([report.ok, report.checked], [true, 4]);
  });

  test('because foreign entries were added goes on, and what was added is kept as evidence', async () => {
    for (const id of ['18446744073709551615-18446744073709551615', '999-0', '4-1']) {
      const t = open();
      await record(t.make(), 3);
      await redis.server.command('XADD', t.stream, id, 'e', 'garbage', 'h', 'x');
      await refused(() => record(t.make(), 1), 'REDKEEP_AUDIT_REPAIR');
      assert.equal((await t.reader.verify()).ok, false);
      assert.equal((await t.repair()).quarantined, 1, id);
      await record(t.make(), 2);
      const report = await t.reader.verify();
      assert.deepEqual([report.ok, report.checked], [true, 5], id);
      const kept = JSON.stringify(await redis.server.command('XRANGE', `{${t.name}}:quarantine`, '-', '+'));
      assert.ok(kept.includes('garbage') && kept.includes(id));
    }
  });

  test('keeps the one entry that a trimmed trail has left, by its head or by an anchor', async () => {
    for (const isHeadLost of [false, true]) {
      const t = open();
      const writer = t.make();
      await record(writer, 3);
      await writer.anchor();
      await redis.server.command('XTRIM', t.stream, 'MAXLEN', '1');
      if (isHeadLost) await redis.server.command('DEL', t.head);
      const { head, quarantined, headRestored } = await t.repair();
      assert.deepEqual([head.seq, quarantined, headRestored], [3, 0, isHeadLost]);
      assert.equal(await redis.server.command('XLEN', t.stream), 1);
    }
  });

  test('is not made to look whole: what was changed, removed or cut off still shows', async () => {
    const modified = open();
    await record(modified.make(), 5);
    const [, fields] = (
      (await redis.server.command('XRANGE', modified.stream, '3-0', '3-0')) as [string, string[]][]
    )[0]!;
    await redis.server.command('XDEL', modified.stream, '3-0');
    await redis.server.command('DEL', modified.head);
    assert.deepEqual((await modified.repair()).head.seq, 5);
    assert.equal((await modified.reader.verify()).problem?.kind, 'missing');
    assert.ok(fields.length > 0);

    const cut = open();
    const writer = cut.make();
    await record(writer, 5);
    await writer.anchor();
    await redis.server.command('XTRIM', cut.stream, 'MAXLEN', '0');
    await redis.server.command('DEL', cut.head);
    assert.equal((await cut.repair()).head.seq, 5);
    assert.equal((await cut.reader.verify(cut.outside())).problem?.kind, 'truncated');

    const gone = open();
    await record(gone.make(), 2);
    await redis.server.command('DEL', gone.head);
    for (const seq of [1, 2]) await redis.server.command('XDEL', gone.stream, `${seq}-0`);
    await redis.server.command('XADD', gone.stream, '7-0', 'e', 'x', 'h', 'y');
    await refused(gone.repair, 'REDKEEP_AUDIT_REPAIR');
  });

  test('is untouched by a repair that it does not need, also while it is written', async () => {
    const t = open();
    const writer = t.make();
    await record(writer, 2);
    const writing = record(writer, 30);
    for (let i = 0; i < 5; i++) assert.equal((await t.repair()).quarantined, 0);
    await writing;
    assert.deepEqual([(await t.reader.verify()).ok, (await t.reader.verify()).checked], [true, 32]);
  });
});

test('one entry that cannot be read stops no export', async () => {
  const t = open();
  await record(t.make(), 1);
  for (const body of ['not json', 'null', '{"at":"x"}'])
    await redis.server.command('XADD', t.stream, '*', 'e', body, 'h', 'x');
  const entries = [];
  for await (const entry of t.reader.entries()) entries.push(entry.unreadable === true);
  assert.deepEqual(entries, [false, true, true, true]);
  let rows = 0;
  for await (const _ of t.reader.csv()) rows++;
  for await (const line of t.reader.jsonLines()) JSON.parse(line);
  assert.equal(rows, 5);
});

test('what a crash left of a line of anchors hides none, also after the next one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'anchors-'));
  try {
    const path = join(folder, 'anchors');
    const file = anchorFile(path);
    const t = open();
    const writer = t.make();
    await record(writer, 1);
    const anchor = await writer.anchor();
    await file.write(anchor);
    await appendFile(path, JSON.stringify(anchor).slice(0, 40));
    assert.deepEqual([await file.read(), await file.unreadable()], [[anchor], 1]);
    await file.write(anchor);
    assert.deepEqual([await file.read(), await file.unreadable()], [[anchor, anchor], 1]);
    for (const junk of ['null', '1', '[]', '{}']) await writeFile(path, `${await readFile(path, 'utf8')}${junk}\n`);
    assert.equal((await file.read()).length, 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});
