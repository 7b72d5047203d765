import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ErrorReply, ProtocolError } from '../errors.js';
import { Decoder } from './decoder.js';
import { DEFAULT_REPLY_LIMITS, type ReplyLimits } from './limits.js';
import { RESP_TYPES, type TypeMapping, VerbatimString } from './types.js';

interface Decoded {
  replies: unknown[];
  pushes: unknown[][];
}

function decode(chunks: readonly Buffer[], mapping?: TypeMapping, limits: Partial<ReplyLimits> = {}): Decoded {
  const out: Decoded = { replies: [], pushes: [] };
  const decoder = new Decoder(
    {
      mapping: () => mapping,
      pushMapping: () => undefined,
      reply: (value) => out.replies.push(value),
      push: (values) => out.pushes.push(values),
    },
    { ...DEFAULT_REPLY_LIMITS, ...limits },
  );
  // One buffer for all chunks, overwritten each time, as the transport does.
  const shared = Buffer.alloc(Math.max(1, ...chunks.map((chunk) => chunk.length)));
  for (const chunk of chunks) {
    shared.fill(0x21);
    chunk.copy(shared);
    decoder.write(shared, chunk.length);
  }
  return out;
}

const one = (text: string, mapping?: TypeMapping) => decode([Buffer.from(text)], mapping).replies[0];

/** A RESP3 value as bytes, and what it decodes to. */
type Sample = [wire: string, value: unknown];
const line = fc.string({ unit: fc.constantFrom(...'abcXYZ019 _-éß€😀') });
const scalar: fc.Arbitrary<Sample> = fc.oneof(
  line.map((s): Sample => [`+${s}\r\n`, s]),
  fc.string({ unit: 'binary' }).map((s): Sample => {
    const bytes = Buffer.from(s);
    return [`$${bytes.length}\r\n${bytes}\r\n`, bytes.toString()];
  }),
  fc.maxSafeInteger().map((n): Sample => [`:${n}\r\n`, n === 0 ? 0 : n]),
  fc.boolean().map((b): Sample => [`#${b ? 't' : 'f'}\r\n`, b]),
  fc.bigInt().map((n): Sample => [`(${n}\r\n`, n]),
  fc.constant<Sample>(['_\r\n', null]),
  fc.constant<Sample>(['$-1\r\n', null]),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n): Sample => [`,${n}\r\n`, Number(String(n))]),
);
const sample: fc.Arbitrary<Sample> = fc.letrec<{ value: Sample }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc
      .array(tie('value'), { maxLength: 5 })
      .map((items): Sample => [`*${items.length}\r\n${items.map(([w]) => w).join('')}`, items.map(([, v]) => v)]),
    fc
      .array(tie('value'), { maxLength: 5 })
      .map((items): Sample => [`~${items.length}\r\n${items.map(([w]) => w).join('')}`, items.map(([, v]) => v)]),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), tie('value')).map((entries): Sample => {
      const object = Object.create(null) as Record<string, unknown>;
      let wire = '';
      for (const key of Object.keys(entries)) {
        object[key] = entries[key]![1];
        wire += `$${key.length}\r\n${key}\r\n${entries[key]![0]}`;
      }
      return [`%${Object.keys(entries).length}\r\n${wire}`, object];
    }),
  ),
})).value;

describe('Decoder', () => {
  test('decodes any sequence of values, cut into any chunks', () => {
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (samples, cuts) => {
          const wire = Buffer.from(samples.map(([w]) => w).join(''));
          const points = [...new Set([0, ...cuts.map((cut) => cut % (wire.length + 1)), wire.length])].sort(
            (a, b) => a - b,
          );
          const chunks = points.slice(1).map((end, i) => wire.subarray(points[i], end));
          assert.deepEqual(
            decode(chunks).replies,
            samples.map(([, v]) => v),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('decodes one reply of every type the same at every split point and byte by byte', () => {
    const wire = Buffer.from(
      '*12\r\n+OK\r\n:-42\r\n$5\r\nh\u00e9y!\r\n$0\r\n\r\n#t\r\n,3.25\r\n(12345678901234567890\r\n_\r\n=7\r\ntxt:abc\r\n%1\r\n+k\r\n*1\r\n$1\r\nv\r\n~2\r\n:1\r\n:2\r\n$-1\r\n' +
        '>2\r\n+note\r\n:1\r\n|1\r\n+ttl\r\n:9\r\n+after\r\n',
    );
    const whole = decode([wire]);
    assert.equal(whole.replies.length, 2);
    assert.deepEqual(whole.pushes, [['note', 1]]);
    for (let i = 1; i < wire.length; i++)
      assert.deepEqual(decode([wire.subarray(0, i), wire.subarray(i)]), whole, `split at ${i}`);
    assert.deepEqual(decode([...wire].map((byte) => Buffer.from([byte]))), whole);
  });

  test('a field named __proto__ is data', () => {
    const reply = one('%1\r\n+__proto__\r\n%1\r\n+isAdmin\r\n#t\r\n') as Record<string, unknown>;
    assert.equal(Object.getPrototypeOf(reply), null);
    assert.deepEqual(Object.keys(reply), ['__proto__']);
    assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined);
    assert.equal(reply.isAdmin, undefined);
  });

  test('type mapping', () => {
    const buffers: TypeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer };
    assert.deepEqual(one('$2\r\nhi\r\n', buffers), Buffer.from('hi'));
    assert.deepEqual(one('+OK\r\n', buffers), Buffer.from('OK'));
    assert.deepEqual(one('*2\r\n$1\r\na\r\n$1\r\nb\r\n', buffers), [Buffer.from('a'), Buffer.from('b')]);
    assert.deepEqual(
      one('%1\r\n$1\r\nk\r\n$1\r\nv\r\n', buffers),
      Object.assign(Object.create(null), { k: Buffer.from('v') }),
    );
    assert.deepEqual(one('%1\r\n+k\r\n:1\r\n', { [RESP_TYPES.MAP]: Map }), new Map([['k', 1]]));
    assert.deepEqual(one('%1\r\n+k\r\n:1\r\n', { [RESP_TYPES.MAP]: Array }), ['k', 1]);
    assert.deepEqual(one('~2\r\n:1\r\n:1\r\n', { [RESP_TYPES.SET]: Set }), new Set([1]));
    assert.equal(one(':9223372036854775807\r\n', { [RESP_TYPES.NUMBER]: BigInt }), 9223372036854775807n);
    assert.equal(one(':12\r\n', { [RESP_TYPES.NUMBER]: String }), '12');
    assert.equal(one(',inf\r\n', { [RESP_TYPES.DOUBLE]: String }), 'inf');
    assert.deepEqual(
      one('=5\r\nmkd:x\r\n', { [RESP_TYPES.VERBATIM_STRING]: VerbatimString }),
      new VerbatimString('mkd', 'x'),
    );
  });

  test('a small Buffer owns its memory', () => {
    const value = one('$3\r\nabc\r\n', { [RESP_TYPES.BLOB_STRING]: Buffer }) as Buffer;
    assert.ok(value.buffer.byteLength <= 8192, `pins ${value.buffer.byteLength} bytes`);
    assert.equal(value.toString(), 'abc');
  });

  test('errors inside aggregates are values', () => {
    const reply = one('*2\r\n-ERR no\r\n!5\r\nERR x\r\n') as unknown[];
    assert.ok(reply.every((item) => item instanceof ErrorReply));
    assert.equal((reply[0] as ErrorReply).serverMessage, 'ERR no');
  });

  for (const [name, wire] of Object.entries({
    'letters in a number': ':12a4\r\n',
    'a negative length': '$-5\r\n',
    'a length with letters': '$1x\r\n',
    'an unknown type': '@huh\r\n',
    'a bulk string without CRLF': '$3\r\nabcde',
    'a line without CR': '+ab\n',
    'a boolean that is neither': '#x\r\n',
    'a double that is not': ',1.2.3\r\n',
    'a streamed string': '$?\r\n',
    'a push inside a reply': '*1\r\n>1\r\n+x\r\n',
    'a 20-digit integer': ':12345678901234567890\r\n',
    'a null map': '%-1\r\n',
    'a verbatim string without format': '=2\r\nab\r\n',
    'an empty push': '>0\r\n',
  })) {
    test(`refuses ${name}, however it is cut`, () => {
      for (let i = 0; i < wire.length; i++) {
        const chunks = [Buffer.from(wire.slice(0, i)), Buffer.from(wire.slice(i))].filter((chunk) => chunk.length > 0);
        assert.throws(() => decode(chunks), ProtocolError, `cut at ${i}`);
      }
    });
  }

  for (const [limit, wire, limits] of [
    ['maxBulkBytes', '$1000000000000\r\n', {}],
    ['maxElements', '*33000000\r\n', {}],
    ['maxElements', '*9000000\r\n*9000000\r\n', {}],
    ['maxElements', '%9000000\r\n', {}],
    ['maxDepth', '*1\r\n'.repeat(5000), {}],
    ['maxLineBytes', `+${'x'.repeat(70_000)}`, {}],
    ['maxBigNumberDigits', `(${'9'.repeat(5000)}\r\n`, {}],
    ['maxReplyBytes', `*9\r\n${'$4\r\nabcd\r\n'.repeat(8)}`, { maxReplyBytes: 50 }],
  ] as const) {
    test(`${limit} is enforced`, () => {
      const bytes = Buffer.from(wire);
      const chunks = Array.from({ length: Math.ceil(bytes.length / 32) }, (_, i) =>
        bytes.subarray(i * 32, i * 32 + 32),
      );
      assert.throws(() => decode(chunks, undefined, limits), {
        code: 'REDKEEP_REPLY_LIMIT',
        message: new RegExp(limit),
      });
    });
  }

  test('takes the memory of a large bulk string once', () => {
    const size = 1_000_000;
    const payload = Buffer.alloc(size, 0xff);
    const wire = Buffer.concat([Buffer.from(`$${size}\r\n`), payload, Buffer.from('\r\n')]);
    const chunks = Array.from({ length: Math.ceil(wire.length / 65_536) }, (_, i) =>
      wire.subarray(i * 65_536, (i + 1) * 65_536),
    );
    const value = decode(chunks, { [RESP_TYPES.BLOB_STRING]: Buffer }).replies[0] as Buffer;
    assert.equal(value.length, size);
    assert.ok(value.equals(payload));
    assert.equal(value.buffer.byteLength, size + 2);
  });
});
