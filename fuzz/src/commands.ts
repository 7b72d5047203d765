/**
 * Fuzzing of the command surface: every command function with hostile values in every position. Either nothing is
 * built (a typed refusal), or the bytes are exactly one command: its own words first, every argument whole.
 */
import assert from 'node:assert/strict';
import type { Random } from '@redkeep/testing';
import { parseRequest } from '@redkeep/testing';
import type { Command, CommandFunction } from '../../packages/client/dist/commands/command.js';
import { COMMANDS } from '../../packages/client/dist/commands/index.js';
import { NAMESPACES } from '../../packages/client/dist/commands/namespaces.js';
import {
  appendText,
  checkArguments,
  encodeCommand,
  soundBatch,
  type Wire,
} from '../../packages/client/dist/protocol/encoder.js';

const polluted = JSON.parse(
  '{"__proto__": {"GET": true, "NX": true}, "condition": "NX\\r\\nGET", "EX": "1 GET"}',
) as object;

/** What applications hand over when they mean a string: request bodies, query strings, files. */
const HOSTILE: readonly ((random: Random) => unknown)[] = [
  () => 'plain',
  () => '',
  () => '\r\n',
  () => '*1\r\n$8\r\nFLUSHALL\r\n',
  () => 'x\r\n$3\r\nGET\r\n',
  () => '$-1\r\n',
  () => 'GET',
  () => 'STORE',
  () => 'LIMIT 0 1',
  () => '\0',
  () => '\ud800',
  () => 'é😀',
  () => 'x'.repeat(20_000),
  (random) => Buffer.from(Array.from({ length: random(64) }, () => random(256))),
  () => new Uint8Array([13, 10]),
  (random) => random(2 ** 31) - 2 ** 30,
  () => -0,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 2n ** 80n,
  () => undefined,
  () => null,
  () => true,
  () => ({}),
  () => [],
  () => ['a', ['b']],
  () => ['a', 'b'],
  () => [{ score: 1, value: 'm' }],
  () => ({ a: 'b' }),
  () => ({ toString: () => 'FLUSHALL' }),
  () => ({ type: 'EX', value: '1\r\nGET' }),
  () => ({ type: 'GET', value: 1 }),
  () => ({ LIMIT: { offset: '0 GET', count: {} } }),
  () => polluted,
  () => Object.create({ NX: true, GET: true }),
  () => Symbol('x'),
  () => () => 'x',
  () => new Date(0),
  () => new Map([['a', 'b']]),
];

export interface SurfaceReport {
  readonly calls: number;
  readonly refused: number;
  readonly commands: number;
}

/** Calls until `until` says so, going round all commands. */
export function fuzzCommands(options: { random: Random; until: (calls: number) => boolean }): SurfaceReport {
  const { random, until } = options;
  const all = [COMMANDS, ...Object.values(NAMESPACES)]
    .flatMap((group) => Object.entries(group))
    .filter(([, build]) => typeof build === 'function') as [string, CommandFunction][];
  let calls = 0;
  let refused = 0;
  for (; !until(calls); calls++) {
    const [name, build] = all[calls % all.length]!;
    const args = Array.from({ length: random(6) }, () => HOSTILE[random(HOSTILE.length)]!(random));
    if (!callOnce(name, build, args)) refused++;
  }
  return { calls, refused, commands: all.length };
}

/** True when a command was built and holds; false when it was refused. */
export function callOnce(name: string, build: CommandFunction, args: readonly unknown[]): boolean {
  let command: Command;
  try {
    command = build(...args);
    checkArguments(command.spec.name, command.args);
  } catch (error) {
    assert.ok(error instanceof Error, `${name} threw ${String(error)}`);
    return false;
  }
  const bytes = encode(command);
  const parsed = parseRequest(bytes);
  assert.ok(parsed !== undefined, `${name} is not one whole command`);
  assert.equal(parsed.end, bytes.length, `${name} is more than one command`);
  assert.equal(parsed.value.length, command.spec.words + command.args.length, `${name} has other arguments`);
  const words = parsed.value
    .slice(0, command.spec.words)
    .map((word) => word.toString())
    .join(' ');
  assert.ok(words.startsWith(command.spec.name) || command.spec.name.startsWith(words), `${name} became ${words}`);
  for (const [i, arg] of command.args.entries()) {
    const expected = typeof arg === 'object' ? Buffer.from(arg as Buffer) : Buffer.from(String(arg));
    assert.ok(parsed.value[command.spec.words + i]!.equals(expected), `${name} changed argument ${i + 1}`);
  }
  assert.equal(({} as { NX?: boolean }).NX, undefined, `${name} polluted Object.prototype`);
  return true;
}

/** By the careful way; the quick one makes the same bytes or knows that it must not be taken. */
function encode({ spec, args }: Command): Buffer {
  const out: Buffer[] = [];
  const wire: Wire = { text: '', flush: (text, large) => void out.push(Buffer.from(text, 'latin1'), large) };
  encodeCommand(wire, spec.words, spec.head, args);
  const bytes = Buffer.concat([...out, Buffer.from(wire.text, 'latin1')]);
  const batch = appendText('', spec, args);
  const sound = batch === undefined ? undefined : soundBatch(batch);
  if (sound !== undefined) assert.ok(Buffer.from(sound, 'latin1').equals(bytes), `${spec.name} is written otherwise`);
  return bytes;
}
