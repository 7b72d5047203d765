import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findEngines, type Server, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from 'redkeep';
import { hasCode } from '../errors.js';
import { keyA, refused } from '../testing/support.js';
import { AuditReader } from './audit-reader.js';
import { AuditTrail, type AuditTrailOptions } from './audit-trail.js';
import { repairAuditTrail } from './repair.js';

type Command = (...words: (string | Buffer)[]) => Promise<unknown>;
interface Damage {
  readonly what: string;
  readonly problem: 'head' | 'truncated';
  readonly make: (command: Command, head: string, hash: string) => Promise<unknown>;
}

const ENTRIES = 5;
const setTo =
  (...fields: (string | Buffer)[]): Damage['make'] =>
  (command, head) =>
    command('HSET', head, ...fields);

/** What somebody who can write to the head may leave there, each contradicting what trails write. */
const DAMAGES: readonly Damage[] = [
  ...['', 'garbage', '999999999999999999', '05', '5.0', '-5', '0', ' 5', '5\n', '1e3', 'nan', 'inf'].map((seq) => ({
    what: `seq ${JSON.stringify(seq)}`,
    problem: 'head' as const,
    make: setTo('seq', seq),
  })),
  { what: 'the head of an empty trail', problem: 'head', make: setTo('seq', '0', 'hash', '') },
  ...['1', '4'].map((seq) => ({ what: `seq ${seq}`, problem: 'head' as const, make: setTo('seq', seq) })),
  ...['7', '999999999999999'].map((seq) => ({
    what: `seq ${seq}`,
    problem: 'truncated' as const,
    make: setTo('seq', seq),
  })),
  ...['', 'garbage', 'A'.repeat(43), Buffer.alloc(43, 0xff)].map((hash) => ({
    what: `hash ${JSON.stringify(hash.toString())}`,
    problem: 'head' as const,
    make: setTo('hash', hash),
  })),
  ...['seq', 'hash'].map((field) => ({
    what: `no ${field}`,
    problem: 'head' as const,
    make: (command: Command, head: string) => command('HDEL', head, field),
  })),
  ...(
    [
      ['a list', 'LPUSH'],
      ['text', 'SET'],
    ] as const
  ).map(([what, verb]) => ({
    what,
    problem: 'head' as const,
    make: async (command: Command, head: string) => {
      await command('DEL', head);
      await command(verb, head, 'evidence');
    },
  })),
];

for (const engine of findEngines().filter(({ name }) => /^(redis-7|redis-8|valkey-9)/.test(name)))
  describe(`a damaged head, on ${engine.name}`, () => {
    let server: Server;
    let client: RedisClient;
    let folder: string;
    let trails = 0;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'damaged-head-'));
      server = await startServer({ engine });
      client = await createClient({ url: server.url, commandPolicy: 'unrestricted' }).connect();
    });
    after(async () => {
      client?.destroy();
      await server?.[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    const trailOf = async () => {
      const name = `damaged-${trails++}`;
      const writer = (more: Partial<AuditTrailOptions> = {}) =>
        new AuditTrail({ client, name, chainKey: keyA, spool: 'none', onError: () => undefined, ...more });
      await record(writer(), ENTRIES);
      const head = `{${name}}:head`;
      const command: Command = (...words) => client.sendCommand(words);
      const calls = async () =>
        Number(/total_commands_processed:(\d+)/.exec(String(await command('INFO', 'stats')))![1]);
      return {
        name,
        head,
        stream: `{${name}}:stream`,
        writer,
        command,
        calls,
        reader: new AuditReader({ client, name, chainKey: keyA }),
        repair: () => repairAuditTrail({ client, name, chainKey: keyA }),
        hash: String(await client.hGet(head, 'hash')),
      };
    };

    for (const { what, problem, make } of DAMAGES)
      test(`${what}: reported to the writer, used by no anchor, found by verify, repaired`, {
        timeout: 20_000,
      }, async () => {
        const t = await trailOf();
        await make(t.command, t.head, t.hash);
        const stored = await t.command('DUMP', t.head);
        const from = await t.calls();
        await refused(() => record(t.writer(), 1), 'REDKEEP_AUDIT_REPAIR');
        assert.ok((await t.calls()) - from < 10, 'asked Redis over and over');
        assert.deepEqual(await t.command('DUMP', t.head), stored);
        assert.equal(await client.xLen(t.stream), ENTRIES);
        assert.equal((await t.reader.verify()).problem?.kind, problem);
        assert.deepEqual(await t.repair(), {
          head: { seq: ENTRIES, hash: t.hash },
          quarantined: 0,
          headRestored: true,
        });
        assert.equal((await t.repair()).headRestored, false);
        await record(t.writer(), 2);
        const report = await t.reader.verify();
        assert.deepEqual([report.ok, report.checked], [true, ENTRIES + 2]);
      });

    test('events wait in the spool, and are written after the repair', { timeout: 20_000 }, async () => {
      const t = await trailOf();
      await client.hSet(t.head, 'seq', 'garbage');
      const errors: unknown[] = [];
      const path = join(folder, t.name);
      const writer = t.writer({ spool: { path }, retryMs: 20, onError: (error) => errors.push(error) });
      await record(writer, 3);
      assert.equal(writer.state, 'spooling');
      assert.ok(errors.every((error) => hasCode(error, 'REDKEEP_AUDIT_REPAIR')) && errors.length > 0);
      await t.repair();
      await waitFor(() => writer.state === 'live');
      await writer.close();
      const report = await t.reader.verify();
      assert.deepEqual([report.ok, report.checked], [true, ENTRIES + 3]);
    });

    test('also met by a writer that knows the chain, and no anchor is signed of it', { timeout: 20_000 }, async () => {
      const t = await trailOf();
      const anchored: number[] = [];
      const writer = t.writer({
        signWith: generateKeyPairSync('ed25519').privateKey,
        onAnchor: ({ seq }) => void anchored.push(seq),
      });
      await record(writer, 1);
      await client.hSet(t.head, 'hash', 'A'.repeat(43));
      await refused(() => writer.anchor(), 'REDKEEP_AUDIT_REPAIR');
      await refused(() => record(writer, 1), 'REDKEEP_AUDIT_REPAIR');
      await client.hSet(t.head, 'seq', 'garbage');
      await refused(() => writer.anchor(), 'REDKEEP_AUDIT_REPAIR');
      assert.deepEqual(anchored, []);
      await t.repair();
      await record(writer, 1);
      assert.equal((await t.reader.verify()).checked, ENTRIES + 2);
      await writer.close();
    });

    test('of another type is kept as evidence', async () => {
      const t = await trailOf();
      await client.del(t.head);
      await client.set(t.head, 'evidence');
      await t.repair();
      assert.equal(await client.get(`{${t.name}}:quarantine:head`), 'evidence');
    });

    test('does not hide a cut end: what the head alone still says stays', async () => {
      const t = await trailOf();
      await client.xDel(t.stream, `${ENTRIES}-0`);
      assert.equal((await t.repair()).head.seq, ENTRIES);
      // A foreign entry that repeats the hash disproves nothing.
      await t.command('XADD', t.stream, '9-0', 'e', 'x', 'h', t.hash);
      await refused(() => record(t.writer(), 1), 'REDKEEP_AUDIT_REPAIR');
      assert.equal((await t.repair()).head.seq, ENTRIES);
      await record(t.writer(), 1);
      assert.deepEqual((await t.reader.verify()).problem, { kind: 'missing', seq: ENTRIES });
    });

    test('an entry between the last and the next is not written over', async () => {
      const t = await trailOf();
      await t.command('XADD', t.stream, `${ENTRIES}-1`, 'e', 'x', 'h', t.hash);
      await refused(() => record(t.writer(), 1), 'REDKEEP_AUDIT_REPAIR');
      assert.equal((await t.repair()).quarantined, 1);
      await record(t.writer(), 1);
      assert.equal((await t.reader.verify()).ok, true);
    });
  });

async function record(writer: AuditTrail, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await writer.record({ actor: 'ana', action: `step.${i}` });
}
