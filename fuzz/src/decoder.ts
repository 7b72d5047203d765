/**
 * Coverage-guided fuzzing of the decoder. An input that reaches code no input reached before joins the corpus; inputs
 * are made from the corpus by mutation. What must hold for every input:
 *  - the decoder gives values or throws a ProtocolError, nothing else;
 *  - the outcome does not depend on how the input is cut into chunks.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import type { Random } from '@redkeep/testing';
import { ErrorReply, ProtocolError } from '../../packages/client/dist/errors.js';
import { Decoder } from '../../packages/client/dist/protocol/decoder.js';
import { DEFAULT_REPLY_LIMITS } from '../../packages/client/dist/protocol/limits.js';

const LIMITS = { ...DEFAULT_REPLY_LIMITS, maxBulkBytes: 1 << 16, maxElements: 1 << 12, maxReplyBytes: 1 << 20 };
const SEEDS = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-42\r\n',
  '$5\r\nhello\r\n',
  '$-1\r\n',
  '*3\r\n:1\r\n$1\r\na\r\n*0\r\n',
  '%2\r\n+a\r\n:1\r\n$1\r\nb\r\n_\r\n',
  '~2\r\n#t\r\n#f\r\n',
  ',-1.5e3\r\n,inf\r\n',
  '(123456789012345678901234567890\r\n',
  '=7\r\ntxt:abc\r\n',
  '!7\r\nERR bad\r\n',
  '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n',
  '|1\r\n+ttl\r\n:1\r\n+x\r\n',
];
const TOKENS = [
  '\r\n',
  '$',
  '*',
  '%',
  '~',
  '>',
  '|',
  ':',
  ',',
  '(',
  '=',
  '!',
  '#',
  '_',
  '-1',
  '0',
  '1',
  '65537',
  '99999999999999999999',
  '__proto__',
  '\r',
  '\n',
  '\0',
  '\xff',
];

export interface FuzzReport {
  readonly inputs: number;
  readonly corpus: number;
  readonly refused: number;
}

/** Runs until `until` says so; new corpus entries are written to `corpusFolder` if given. */
export async function fuzzDecoder(options: {
  random: Random;
  until: (inputs: number) => boolean;
  corpusFolder?: string;
}): Promise<FuzzReport> {
  const { random, until, corpusFolder } = options;
  const corpus: Buffer[] = SEEDS.map((seed) => Buffer.from(seed, 'latin1'));
  if (corpusFolder !== undefined) {
    mkdirSync(corpusFolder, { recursive: true });
    for (const file of readdirSync(corpusFolder)) corpus.push(readFileSync(join(corpusFolder, file)));
  }
  const coverage = await Coverage.start();
  let inputs = 0;
  let refused = 0;
  try {
    for (; !until(inputs); inputs++) {
      const input = inputs < corpus.length ? corpus[inputs]! : mutate(corpus, random);
      if (check(input, random) === 'refused') refused++;
      // Asking for coverage costs more than an input: ask for every input at first, then now and then.
      if (inputs % (inputs < 300 ? 1 : 64) === 0 && (await coverage.grew()) && input.length < 4096) {
        corpus.push(input);
        if (corpusFolder !== undefined)
          writeFileSync(join(corpusFolder, createHash('sha256').update(input).digest('hex').slice(0, 16)), input);
      }
    }
  } finally {
    await coverage.stop();
  }
  return { inputs, corpus: corpus.length, refused };
}

/** @throws AssertionError with the input when something does not hold */
export function check(input: Buffer, random: Random): 'decoded' | 'refused' {
  const whole = decode([input]);
  const cuts = [0, ...Array.from({ length: random(4) }, () => random(input.length + 1)), input.length].sort(
    (a, b) => a - b,
  );
  const pieces = cuts.slice(1).map((end, i) => input.subarray(cuts[i], end));
  for (const chunks of [pieces, [...input].map((byte) => Buffer.from([byte]))]) {
    assert.deepEqual(decode(chunks), whole, `cut differently: ${JSON.stringify(input.toString('latin1'))}`);
  }
  return whole.at(-1) === 'refused' ? 'refused' : 'decoded';
}

function decode(chunks: readonly Buffer[]): unknown[] {
  const out: unknown[] = [];
  const decoder = new Decoder(
    {
      mapping: () => undefined,
      pushMapping: () => undefined,
      reply: (value) => out.push(plain(value)),
      push: (values) => out.push({ push: plain(values) }),
    },
    LIMITS,
  );
  try {
    for (const chunk of chunks) if (chunk.length > 0) decoder.write(chunk);
  } catch (error) {
    assert.ok(error instanceof ProtocolError, `threw ${String(error)}`);
    out.push('refused');
  }
  return out;
}

/** Errors by their text: their stacks depend on how the input was cut. */
function plain(value: unknown): unknown {
  if (value instanceof ErrorReply) return { error: value.serverMessage };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null) {
    return Object.entries(value).map(([key, item]) => [key, plain(item)]);
  }
  return value;
}

function mutate(corpus: readonly Buffer[], random: Random): Buffer {
  let input: Buffer = Buffer.from(corpus[random(corpus.length)]!);
  for (let n = 1 + random(4); n > 0; n--) {
    const at = random(input.length + 1);
    switch (random(6)) {
      case 0:
        input = Buffer.concat([input.subarray(0, at), input.subarray(Math.min(input.length, at + 1 + random(4)))]);
        break;
      case 1:
        input = Buffer.concat([
          input.subarray(0, at),
          Buffer.from(TOKENS[random(TOKENS.length)]!, 'latin1'),
          input.subarray(at),
        ]);
        break;
      case 2:
        if (at < input.length) input[at] = random(256);
        break;
      case 3:
        input = Buffer.concat([input.subarray(0, at), corpus[random(corpus.length)]!, input.subarray(at)]);
        break;
      case 4:
        input = Buffer.concat([input, corpus[random(corpus.length)]!]);
        break;
      default:
        input = Buffer.concat([Buffer.from(`*${random(6)}\r\n`), input]);
    }
    if (input.length > 8192) input = input.subarray(0, 8192);
  }
  return input;
}

/** Which blocks of the decoder have run, by V8's precise coverage. */
class Coverage {
  readonly #session: Session;
  readonly #seen = new Set<string>();
  constructor(session: Session) {
    this.#session = session;
  }
  static async start(): Promise<Coverage> {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return new Coverage(session);
  }
  /** Since the last call, a block ran that never ran before. */
  async grew(): Promise<boolean> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    let grew = false;
    for (const script of result) {
      if (!script.url.endsWith('/protocol/decoder.js')) continue;
      for (const fn of script.functions) {
        for (const { startOffset, endOffset, count } of fn.ranges) {
          const key = `${startOffset}-${endOffset}`;
          if (count === 0 || this.#seen.has(key)) continue;
          this.#seen.add(key);
          grew = true;
        }
      }
    }
    return grew;
  }
  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}
