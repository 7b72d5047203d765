import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { parseRequest } from '@redkeep/testing';
import fc from 'fast-check';
import { Command, spec } from '../commands/command.js';
import { BatchWriter } from './batch-writer.js';
import { newGroup, Pending } from './pending.js';
import { PendingRing } from './pending-ring.js';

const SET = spec('SET');

/** What the server would read of all that was written. */
function requests(bytes: Buffer): Buffer[][] {
  const found: Buffer[][] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const parsed = parseRequest(rest);
    assert.ok(parsed !== undefined, 'the last request is cut');
    found.push(parsed.value.map((word) => Buffer.from(word)));
    rest = rest.subarray(parsed.end);
  }
  return found;
}

/** A socket that takes everything, and the bytes it took. */
function sink() {
  const chunks: Buffer[] = [];
  const socket = new Writable({
    decodeStrings: true,
    highWaterMark: 2 ** 30,
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { socket: socket as unknown as Socket, bytes: () => Buffer.concat(chunks) };
}

const pendingSet = (args: readonly unknown[]) => new Pending(new Command(SET, args), {}, undefined, undefined, 0, 0);

const argument = fc.oneof(
  { weight: 6, arbitrary: fc.string() },
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'é',
    '\r\n*1\r\n$8\r\nFLUSHALL\r\n',
    'x'.repeat(20_000),
    '€'.repeat(9_000),
    Buffer.alloc(20_000, 200),
  ),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
  fc.integer(),
);

describe('BatchWriter', () => {
  test('whatever is mixed in a batch, each command arrives once, in order, with its arguments', async () => {
    const batches = fc.array(fc.array(fc.array(argument, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(batches, async (turns) => {
        const { socket, bytes } = sink();
        const writer = new BatchWriter(socket, () => assert.fail('nothing was cancelled'));
        const ring = new PendingRing();
        for (const turn of turns) {
          for (const args of turn) ring.push(pendingSet(args));
          writer.write(ring);
        }
        await new Promise<void>((done) => socket.end(done));
        const sent = turns
          .flat()
          .map((args) => [
            Buffer.from('SET'),
            ...args.map((arg) => (Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg)))),
          ]);
        assert.deepEqual(requests(bytes()), sent);
        assert.equal(ring.sent, ring.tail);
      }),
      { numRuns: 200 },
    );
  });

  test('what was given up before is not sent, and a transaction that was given up is not begun', async () => {
    const { socket, bytes } = sink();
    const cancelled: Pending[] = [];
    const writer = new BatchWriter(socket, (pending) => {
      cancelled.push(pending);
      ring.retire(pending);
    });
    const ring = new PendingRing();
    const [first, gone, member, last] = ['1', '2', 'é3', 'é4'].map((value) => pendingSet(['key', value]));
    for (const pending of [first!, gone!, member!, last!]) ring.push(pending);
    ring.retire(gone!);
    member!.group = newGroup(false);
    member!.group.cancelled = new Error('given up');
    writer.write(ring);
    await new Promise<void>((done) => socket.end(done));
    assert.deepEqual(
      requests(bytes()).map((words) => String(words[2])),
      ['1', 'é4'],
    );
    assert.deepEqual(cancelled, [member]);
  });
});
