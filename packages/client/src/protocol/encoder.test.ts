import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRequest } from '@redkeep/testing';
import fc from 'fast-check';
import { InvalidArgumentError, RedkeepError } from '../errors.js';
import { appendText, checkArguments, encodeCommand, encodeWords, type Head, soundBatch, type Wire } from './encoder.js';

function encode(words: readonly string[], args: readonly unknown[]): Buffer {
  const out: Buffer[] = [];
  const wire: Wire = {
    text: '',
    flush: (text, large) => out.push(Buffer.from(text, 'latin1'), Buffer.from(large)),
  };
  checkArguments('TEST', args);
  encodeCommand(wire, words.length, encodeWords(words), args);
  return Buffer.concat([...out, Buffer.from(wire.text, 'latin1')]);
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\r\n',
    '*1\r\n$8\r\nFLUSHALL\r\n',
    '$-1\r\n',
    '\0',
    '\ud800',
    'é',
    '😀',
    'x'.repeat(20_000),
    'é'.repeat(20_000),
    '',
  ),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.alloc(40_000, 0x80)),
);

describe('encoder', () => {
  test('whatever the arguments are, exactly one command with exactly these arguments arrives', () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 8 }), (args) => {
        const bytes = encode(['SET'], args);
        const parsed = parseRequest(bytes);
        assert.ok(parsed !== undefined);
        assert.equal(parsed.end, bytes.length);
        assert.deepEqual(
          parsed.value.map((arg) => Buffer.from(arg)),
          [Buffer.from('SET'), ...args.map((arg) => Buffer.from(arg as string))],
        );
      }),
      { numRuns: 300 },
    );
  });

  test('a batch of text is the same commands, or known not to be sound', () => {
    const heads: Head[] = [['GET'], ['CLIENT', 'KILL'], ['HSET']].map((words) => ({
      words: words.length,
      head: encodeWords(words),
      openings: [],
    }));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.integer(),
      fc.constantFrom('\r\n', 'é', '\ud800'),
    );
    const command = fc.tuple(fc.constantFrom(...heads), fc.array(text, { maxLength: 20 }));
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 6 }), (commands) => {
        let batch = '';
        const wire: Wire = { text: '', flush: () => assert.fail('nothing here is large') };
        for (const [head, args] of commands) {
          batch = appendText(batch, head, args)!;
          encodeCommand(wire, head.words, head.head, args);
        }
        const ascii = commands.every(([, args]) => args.every((arg) => /^[\0-\x7f]*$/.test(String(arg))));
        assert.equal(soundBatch(batch), ascii ? wire.text : undefined);
      }),
      { numRuns: 500 },
    );
  });

  test('bytes and large values are left to the careful way', () => {
    const head: Head = { words: 1, head: encodeWords(['SET']), openings: [] };
    assert.equal(appendText('', head, ['key', Buffer.from('x')]), undefined);
    assert.equal(appendText('', head, ['key', 'x'.repeat(20_000)]), undefined);
  });

  test('numbers and bigints travel as text', () => {
    assert.equal(
      encode(['A'], [1, -2.5, 2n ** 64n, 1e21]).toString(),
      '*5\r\n$1\r\nA\r\n$1\r\n1\r\n$4\r\n-2.5\r\n$20\r\n18446744073709551616\r\n$5\r\n1e+21\r\n',
    );
  });

  for (const [name, value] of [
    ['undefined', undefined],
    ['null', null],
    ['NaN', Number.NaN],
    ['an array', ['a']],
    ['an object', { toString: () => 'x' }],
    ['a function', () => 'x'],
    ['a symbol', Symbol('x')],
    ['a boolean', true],
    ['a Date', new Date(0)],
  ] as const) {
    test(`refuses ${name}, naming command and position and nothing else`, () => {
      assert.throws(
        () => checkArguments('HSET', ['key', 'secret-field', value]),
        (error) =>
          error instanceof InvalidArgumentError &&
          error instanceof RedkeepError &&
          error.position === 2 &&
          /^HSET: argument 3 /.test(error.message) &&
          !error.message.includes('secret'),
      );
    });
  }

  test('a plain Uint8Array is sent as its bytes', () => {
    const args = [new Uint8Array([1, 255, 13, 10])];
    assert.equal(encode(['A'], args).toString('latin1'), '*2\r\n$1\r\nA\r\n$4\r\n\x01\xff\r\n\r\n');
  });
});
