import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { waitFor } from '@redkeep/testing';
import { redisKeyStore } from '../encryption/key-store.js';
import { PersonKeys } from '../encryption/person-keys.js';
import { keysFromValue } from '../encryption/providers/local.js';
import { localWrapper } from '../encryption/providers/wrappers.js';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { type Anchor, anchorFile } from './anchor.js';
import { AuditReader } from './audit-reader.js';
import { AuditTrail, type AuditTrailOptions } from './audit-trail.js';

const redis = useServer();
const pair = generateKeyPairSync('ed25519');
const made: string[] = [];
after(async () => {
  for (const dir of made) await rm(dir, { recursive: true, force: true });
});

let trails = 0;
function trail(options: Partial<AuditTrailOptions> = {}) {
  const name = options.name ?? `t${trails++}`;
  const anchors: Anchor[] = [];
  const writer = new AuditTrail({ client: redis.client, name, chainKey: keyA, spool: 'none', ...options });
  const reader = new AuditReader({
    client: redis.client,
    name,
    chainKey: keyA,
    ...(options.persons && { persons: options.persons }),
  });
  return { name, writer, reader, anchors, stream: `{${name}}:stream` };
}

const signing = (anchors: Anchor[]) => ({
  signWith: pair.privateKey,
  onAnchor: (anchor: Anchor) => void anchors.push(anchor),
});

async function filled(count: number) {
  const anchors: Anchor[] = [];
  const t = trail(signing(anchors));
  await Promise.all(
    Array.from({ length: count }, (_, i) => t.writer.record({ actor: 'ana', action: `step.${i + 1}` })),
  );
  return { ...t, anchors };
}

async function spoolPath(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'guard-audit-'));
  made.push(dir);
  return join(dir, 'spool');
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

describe('an untouched trail', () => {
  test('of many processes is one chain without forks or gaps, each in its own order', async () => {
    const { name, reader } = trail();
    const writers = ['a', 'b', 'c'].map((actor) => ({ actor, writer: trail({ name }).writer }));
    for (let i = 0; i < 50; i++)
      for (const { actor, writer } of writers) void writer.record({ actor, action: 'x', details: { i } });
    await Promise.all(writers.map(({ writer }) => writer.close()));
    const report = await reader.verify();
    assert.deepEqual([report.ok, report.checked], [true, 150]);
    const entries = await collect(reader.entries());
    for (const { actor } of writers) {
      const order = entries.filter((entry) => entry.actor === actor).map((entry) => entry.details?.['i']);
      assert.deepEqual(
        order,
        Array.from({ length: 50 }, (_, i) => i),
      );
    }
  });

  test('is exported as JSON lines and as CSV in which no cell runs as a formula', async () => {
    const { writer, reader } = trail();
    await writer.record({ actor: '=cmd()', action: 'a,"b"', from: '::1', outcome: 'denied' });
    const [line] = await collect(reader.jsonLines());
    assert.equal(JSON.parse((JSON.parse(line!) as { entry: string }).entry).from, '::1');
    const csv = (await collect(reader.csv())).join('');
    assert.match(csv, /^seq,at,id,actor,action,outcome,subject,resource,from,details\r\n"1","\d{4}-/);
    assert.ok(csv.includes(`,"'=cmd()","a,""b""","denied",`));
  });

  test('is exported as CSV in which no part of a cell is a formula, whatever a spreadsheet takes for a separator', async () => {
    const { writer, reader } = trail();
    const starts = [...'=+-@%＝＋－＠％'];
    const before = ['', ' ', '\t', '\n', '\r\n', 'x;', 'x,', 'x|', 'x\t', 'x\n', 'x; ', 'x;"', 'x;\u200b', 'x;\u00a0;'];
    const actors = starts.flatMap((start) => before.map((text) => `${text}${start}1+1`));
    await Promise.all(actors.map((actor) => writer.record({ actor, action: 'x', details: { [actor]: actor } })));
    const rows = (await collect(reader.csv())).slice(1);
    assert.equal(rows.length, actors.length);
    for (const row of rows) {
      assert.match(row, /^"(?:[^"]|"")*"(?:,"(?:[^"]|"")*"){9}\r\n$/);
      // Every way to part the row: what is left of a cell without its quotes and blanks begins no formula.
      for (const separator of [';', ',', '|', '\t', '\n', /[;,|\t\r\n]/])
        for (const part of row.split(separator))
          assert.doesNotMatch(part.replace(/^["\s\u200b]+/, ''), /^[=+\-@%＝＋－＠％]/, JSON.stringify(row));
    }
  });

  test('is exported as CSV without a mark where there is no formula, also after very many separators', async () => {
    const { writer, reader } = trail();
    for (const actor of ['a-b', 'a =1', '2+2', 'ana@example.org', `${';'.repeat(60_000)}x`])
      await writer.record({ actor, action: 'x' });
    const csv = (await collect(reader.csv())).join('');
    assert.ok(!csv.includes("'"));
  });

  test('refuses what JSON would lose', async () => {
    const { writer, reader } = trail();
    const refusal = { actor: 'ana', action: 'x', details: { a: Number.NaN } };
    await refused(() => writer.record(refusal), 'REDKEEP_GUARD_ARGUMENT');
    await writer.record({ ...refusal, details: { a: 1 } });
    assert.equal((await collect(reader.entries())).length, 1);
  });
});

describe('verify finds and places', () => {
  test('a changed entry', async () => {
    const { stream, reader } = await filled(5);
    const [[, fields]] = (await redis.server.command('XRANGE', stream, '3-0', '3-0')) as [[string, string[]]];
    await redis.server.command('DEL', `${stream}:copy`);
    const rows = (await redis.server.command('XRANGE', stream, '-', '+')) as [string, string[]][];
    for (const [id, row] of rows) {
      const changed =
        id === '3-0' ? [...fields.slice(0, 1), fields[1]!.replace('ana', 'bob'), ...fields.slice(2)] : row;
      await redis.server.command('XADD', `${stream}:copy`, id, ...changed);
    }
    await redis.server.command('RENAME', `${stream}:copy`, stream);
    assert.deepEqual((await reader.verify()).problem, { kind: 'modified', seq: 3 });
  });

  test('a deleted entry, first, middle and last', async () => {
    for (const [id, kind] of [
      ['1', 'missing'],
      ['3', 'missing'],
      ['5', 'truncated'],
    ] as const) {
      const { stream, reader } = await filled(5);
      await redis.server.command('XDEL', stream, `${id}-0`);
      assert.deepEqual((await reader.verify()).problem, { kind, seq: Number(id) });
    }
  });

  test('an inserted entry, between and after', async () => {
    const between = await filled(2);
    await redis.server.command('XADD', between.stream, '2-7', 'e', '{}', 'h', 'x');
    assert.deepEqual((await between.reader.verify()).problem, { kind: 'inserted', seq: 3 });
    const behind = await filled(2);
    await redis.server.command('XADD', behind.stream, '3-0', 'e', '{}', 'h', 'x');
    assert.deepEqual((await behind.reader.verify()).problem, { kind: 'modified', seq: 3 });
  });

  test('a cut end whose head was set back, by the anchor outside', async () => {
    const { stream, writer, name, reader, anchors } = await filled(3);
    await writer.anchor();
    const [hash] = (await redis.server.command('HMGET', `{${name}}:head`, 'hash')) as string[];
    assert.equal(anchors[0]?.hash, hash);
    const rows = (await redis.server.command('XRANGE', stream, '2-0', '2-0')) as [string, string[]][];
    await redis.server.command('XDEL', stream, '3-0');
    await redis.server.command('HSET', `{${name}}:head`, 'seq', '2', 'hash', rows[0]![1][3]!);
    assert.equal((await reader.verify()).ok, true, 'without an anchor this cannot be seen');
    const report = await reader.verify({ anchors, publicKey: pair.publicKey });
    assert.deepEqual(report.problem, { kind: 'truncated', seq: 3 });
  });

  test('a chain rewritten by a holder of the chain key, and a forged anchor', async () => {
    const { name, anchors, reader, writer } = await filled(3);
    await writer.anchor();
    await redis.server.command('DEL', `{${name}}:stream`, `{${name}}:head`);
    const forger = trail({ name });
    for (let i = 0; i < 3; i++) await forger.writer.record({ actor: 'nobody', action: 'nothing' });
    assert.equal((await reader.verify()).ok, true);
    const outside = { anchors, publicKey: pair.publicKey };
    assert.deepEqual((await reader.verify(outside)).problem, { kind: 'rewritten', seq: 3 });
    const forged = [{ ...anchors[0]!, seq: 2 }];
    assert.equal((await reader.verify({ ...outside, anchors: forged })).problem?.kind, 'forged-anchor');
  });
});

describe('anchors and retention', () => {
  test('anchors are written as the chain grows, and a trimmed chain verifies from its anchor', async () => {
    const path = await spoolPath();
    const file = anchorFile(path);
    const { writer, reader, stream } = trail({ signWith: pair.privateKey, onAnchor: file.write, anchorEvery: 5 });
    for (let i = 0; i < 7; i++) await writer.record({ actor: 'a', action: 'b' });
    const anchors = await waitFor(async () => {
      const found = await file.read();
      return found.length > 0 ? found : undefined;
    });
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const removed = await writer.trim(anchors[0]!);
    assert.equal(removed, anchors[0]!.seq);
    const outside = { anchors: await file.read(), publicKey: pair.publicKey };
    const report = await reader.verify(outside);
    assert.deepEqual([report.ok, report.firstSeq, report.lastSeq], [true, anchors[0]!.seq + 1, 7]);
    assert.deepEqual((await reader.verify()).problem, { kind: 'missing', seq: 1 });
    await refused(() => writer.trim({ ...anchors[0]!, seq: 7 }), 'REDKEEP_AUDIT_RETENTION');
    assert.equal(await redis.server.command('XLEN', stream), 7 - removed);
  });
});

describe('personal data', () => {
  test('is sealed for its subject, reported to them, and erased without breaking the chain', async () => {
    const persons = new PersonKeys({
      encryption: testEncryption(),
      wrapper: localWrapper(keysFromValue([keyA]), 'test'),
      store: redisKeyStore(redis.client, 'audit-people:'),
      data: redis.client,
      dangerouslyKeepKeysWithData: true,
      pseudonymKey: keyB,
      cacheMs: 0,
    });
    const { writer, reader, stream } = trail({ persons });
    await writer.record({
      actor: 'doctor',
      action: 'record.read',
      subject: 'leo',
      from: '192.0.2.7',
      details: { n: 1 },
    });
    await writer.record({ actor: 'doctor', action: 'record.read', subject: 'eva' });
    const raw = JSON.stringify(await redis.server.command('XRANGE', stream, '-', '+'));
    for (const secret of ['leo', '192.0.2.7']) assert.ok(!raw.includes(secret));
    const [entry, ...others] = await collect(reader.aboutPerson('leo'));
    assert.deepEqual([entry?.from, entry?.subject, entry?.details, others.length], ['192.0.2.7', 'leo', { n: 1 }, 0]);
    await persons.erase('leo');
    await writer.record({ actor: 'doctor', action: 'record.read', subject: 'leo', from: '192.0.2.7' });
    const later = await collect(reader.aboutPerson('leo'));
    assert.deepEqual(
      later.map(({ erased, from }) => [erased, from]),
      [
        [true, undefined],
        [true, undefined],
      ],
    );
    assert.equal((await reader.verify()).ok, true);
  });
});

test('of an actor who was erased, neither name nor address can be read any more, and the chain is whole', async () => {
  const persons = new PersonKeys({
    encryption: testEncryption(),
    wrapper: localWrapper(keysFromValue([keyA]), 'test'),
    store: redisKeyStore(redis.client, 'actors:'),
    data: redis.client,
    dangerouslyKeepKeysWithData: true,
    pseudonymKey: keyB,
    cacheMs: 0,
  });
  const { writer, reader, stream } = trail({ persons });
  await writer.record({ actor: 'carla', action: 'login', from: '192.0.2.9' });
  await writer.record({ actor: 'carla', action: 'record.read', subject: 'leo', from: '192.0.2.9' });
  await writer.record({ actor: 'nightly', actorKind: 'service', action: 'report' });
  await writer.record({ actor: 'claimed', actorKind: 'unauthenticated', action: 'login', from: '192.0.2.66' });
  const raw = JSON.stringify(await redis.server.command('XRANGE', stream, '-', '+'));
  for (const secret of ['carla', 'leo', '192.0.2.9', 'claimed']) assert.ok(!raw.includes(secret), secret);
  for (const clear of ['nightly', '192.0.2.66']) assert.ok(raw.includes(clear), clear);
  const before = await collect(reader.aboutPerson('carla'));
  assert.deepEqual(
    before.map(({ actor, from, subject }) => [actor, from, subject]),
    [
      ['carla', '192.0.2.9', undefined],
      ['carla', '192.0.2.9', 'leo'],
    ],
  );
  await persons.erase('carla');
  for (const entry of await collect(reader.aboutPerson('carla')))
    assert.deepEqual([entry.erased, entry.from, entry.actor], [true, undefined, persons.pseudonym('carla')]);
  assert.equal((await reader.verify()).ok, true);
  // A name that was only claimed has no key, or every failed login would leave one.
  assert.equal(await redis.client.exists(`actors:person:${persons.pseudonym('claimed')}`), 0);
});

describe('while Redis is away', () => {
  test('entries wait on disk, sealed and in order, and none is lost or doubled', async () => {
    const path = await spoolPath();
    const { writer, reader } = trail({
      spool: { path },
      spoolEncryption: testEncryption(),
      timeoutMs: 100,
      retryMs: 20,
    });
    await writer.record({ actor: 'ana', action: 'before', details: { i: 0 } });
    redis.server.pause();
    for (let i = 1; i <= 3; i++) await writer.record({ actor: 'ana', action: 'during', details: { i } });
    assert.equal(writer.state, 'spooling');
    assert.ok(!(await readFile(path, 'utf8')).includes('during'));
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    redis.server.resume();
    await waitFor(() => writer.state === 'live');
    await writer.record({ actor: 'ana', action: 'after', details: { i: 4 } });
    const order = (await collect(reader.entries())).map(({ details }) => details?.['i']);
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
    assert.equal((await reader.verify()).ok, true);
    await writer.close();
    await assert.rejects(stat(path));
  });

  test('what a process left in its spool is sent by the next one, first', async () => {
    const path = await spoolPath();
    const { name, writer, reader } = trail({ spool: { path }, timeoutMs: 100, retryMs: 60_000 });
    redis.server.pause();
    await writer.record({ actor: 'ana', action: 'left' });
    await writer.close();
    redis.server.resume();
    const next = trail({ name, spool: { path } }).writer;
    await next.record({ actor: 'ana', action: 'next' });
    assert.deepEqual(
      (await collect(reader.entries())).map(({ action }) => action),
      ['left', 'next'],
    );
    await next.close();
  });

  test('a full spool refuses, and without a spool the call rejects', async () => {
    const path = await spoolPath();
    const bounded = trail({ spool: { path, maxBytes: 300 }, timeoutMs: 50, retryMs: 60_000 }).writer;
    const none = trail({ timeoutMs: 50 }).writer;
    redis.server.pause();
    try {
      await bounded.record({ actor: 'a', action: 'fits' });
      const large = { actor: 'a', action: 'x'.repeat(300) };
      await refused(() => bounded.record(large), 'REDKEEP_AUDIT_SPOOL_FULL');
      await refused(() => none.record({ actor: 'a', action: 'b' }), 'REDKEEP_STORE_UNAVAILABLE');
    } finally {
      redis.server.resume();
    }
    await bounded.close();
  });
});
