/**
 * Hostile values in every position of every command, through the public client to a peer that records what arrives:
 * exactly one command with exactly these arguments, or nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import { checkCall } from '../commands/check-call.js';
import { type Command, type CommandFunction, Flag } from '../commands/command.js';
import { COMMANDS } from '../commands/index.js';
import { NAMESPACES } from '../commands/namespaces.js';
import { checkArguments, MAX_ARGUMENT_BYTES } from '../protocol/encoder.js';

const HOSTILE: readonly unknown[] = [
  'plain',
  '\r\n',
  '*1\r\n$8\r\nFLUSHALL\r\n',
  'x\r\n$3\r\nGET\r\n',
  'NX',
  '\0',
  '\ud800',
  'é😀',
  Buffer.from('\r\n*1\r\n$8\r\nFLUSHALL\r\n'),
  7,
  Number.NaN,
  undefined,
  null,
  ['a', 'b'],
  { toString: () => 'FLUSHALL' },
  JSON.parse('{"__proto__": {"GET": true}, "condition": "GET", "EX": "1 GET"}'),
];

const wordsOf = ({ spec }: Command) =>
  parseRequest(Buffer.from(`*${spec.words}\r\n${spec.head}`))!.value.map((word) => word.toString());
const text = (arg: unknown) =>
  typeof arg === 'object' ? (arg as Buffer).toString() : Buffer.from(String(arg)).toString();

type Method = (...args: unknown[]) => Promise<unknown>;
/** Every command function with its method, those of modules too. */
function* surface(client: object): Generator<[name: string, build: CommandFunction, method: Method]> {
  const of = (target: object, group: object): [string, CommandFunction, Method][] =>
    Object.entries(group)
      .filter(([, build]) => typeof build === 'function')
      .map(([name, build]) => [name, build, (...args) => (target as Record<string, Method>)[name]!(...args)]);
  yield* of(client, COMMANDS);
  for (const [name, group] of Object.entries(NAMESPACES)) yield* of((client as Record<string, object>)[name]!, group);
}

test('what a caller passes arrives as it is, as one command, or not at all', async (t) => {
  await using server = await startScriptedServer({ onCommand: () => '+OK\r\n' });
  await using client = createClient({
    url: server.url,
    commandPolicy: 'unrestricted',
    maxScripts: 10_000,
    commandOptions: { timeout: 1000 },
  });
  client.on('error', () => {});
  await client.connect();
  const greeting = server.received.length;
  let sent = 0;
  let refused = 0;
  let commands = 0;
  const expected: string[][] = [];
  for (const [name, build, method] of surface(client)) {
    if (name === 'command') continue; // the client's own template tag
    commands++;
    // One position more than the function has parameters: for those that take any number; the others refuse it.
    for (let position = 0; position <= Math.max(2, build.length); position++) {
      for (const hostile of HOSTILE) {
        const args: unknown[] = ['key', 'field', 'value', '1', '2', '3', '4', '5'].slice(
          0,
          Math.max(position + 1, build.length),
        );
        args[position] = hostile;
        let command: Command | undefined;
        try {
          checkCall(build, args);
          command = build(...args);
          checkArguments(command.spec.name, command.args);
        } catch {
          command = undefined;
        }
        // Blocking, subscribing and mode-changing commands have connections and replies of their own.
        if (command !== undefined && (command.spec.flags & (Flag.BLOCKING | Flag.PUBSUB)) !== 0) continue;
        if (
          command !== undefined &&
          /^(MONITOR|HELLO|QUIT|RESET|AUTH|SELECT|CLIENT|SHUTDOWN|SYNC|PSYNC)/.test(command.spec.name)
        )
          continue;
        if (command === undefined) {
          refused++;
          await assert.rejects(async () => method(...args), `${name} position ${position}`);
          continue;
        }
        sent++;
        expected.push([...wordsOf(command), ...command.args.map(text)]);
        // The scripted reply fits few commands: what the reader makes of it does not matter here.
        void method(...args).catch(() => {});
      }
    }
    await client.ping().catch(() => {});
    expected.push(['PING']);
  }
  const received = server.received.slice(greeting).filter(([first]) => first !== 'HELLO' && first !== 'CLIENT');
  assert.ok(commands > 500 && sent > 7_000 && refused > 12_000, `${sent} sent, ${refused} refused`);
  t.diagnostic(`${commands} commands: ${sent} calls sent as they were, ${refused} refused`);
  assert.equal(received.length, expected.length);
  for (const [i, command] of expected.entries()) assert.deepEqual(received[i], command);
});

test('on a real server too: MONITOR shows one command with these arguments', async () => {
  await using server = await startServer();
  await using client = createClient({ url: server.url });
  await client.connect();
  await using spy = createClient({ url: server.url, allowCommands: ['MONITOR'] });
  await spy.connect();
  const lines: string[] = [];
  await spy.monitor((line) => lines.push(line));
  const texts = HOSTILE.filter((value) => typeof value === 'string' || Buffer.isBuffer(value)) as (string | Buffer)[];
  for (const text of texts) {
    await client.set(text, text);
    await client.hSet('h', String(text), text);
    assert.deepEqual(await client.withTypeMapping({ 36: Buffer }).get(text), Buffer.from(text as string));
  }
  await client.ping();
  await waitFor(() => lines.some((line) => line.includes('"PING"')));
  const seen = lines.map((line) => line.replace(/^\S+ \[[^\]]*\] /, '').match(/"(?:[^"\\]|\\.)*"/g)!);
  assert.deepEqual(
    seen.map((words) => [words[0], words.length]),
    [
      ...texts.flatMap(() => [
        ['"SET"', 3],
        ['"HSET"', 4],
        ['"GET"', 2],
      ]),
      ['"PING"', 1],
    ],
  );
});

test('512 MiB and more are refused by position, before anything is copied', async () => {
  await using server = await startScriptedServer();
  await using client = createClient({ url: server.url });
  await client.connect();
  const before = process.memoryUsage();
  const huge = Buffer.allocUnsafeSlow(MAX_ARGUMENT_BYTES + 1);
  const refusal = { code: 'REDKEEP_INVALID_ARGUMENT', message: /argument 2 is longer than 512 MiB/ };
  await assert.rejects(client.set('key', huge), refusal);
  await assert.rejects(client.set('key', new Uint8Array(huge.buffer) as Buffer), refusal);
  await assert.rejects(client.rPush('key', ['a', huge]), { ...refusal, message: /argument 3/ });
  await assert.rejects(client.multi().set('a', 'b').set('key', huge).exec(), refusal);
  const after = process.memoryUsage();
  assert.ok(after.arrayBuffers - before.arrayBuffers - huge.length < 16 * 2 ** 20, 'copied');
  // Of two bytes a character: longer as bytes than as text.
  await assert.rejects(client.set('key', '\u00e9'.repeat(MAX_ARGUMENT_BYTES / 2 + 1)), refusal);
  await client.ping().catch(() => {});
  assert.deepEqual(
    server.received.filter(([name]) => name === 'SET' || name === 'RPUSH' || name === 'MULTI'),
    [],
  );
});

test('options are not read from an Object.prototype that somebody wrote to', async () => {
  await using server = await startScriptedServer();
  await using client = createClient({ url: server.url });
  await client.connect();
  Object.defineProperty(Object.prototype, 'condition', { value: 'NX', enumerable: true, configurable: true });
  try {
    await assert.rejects(client.set('key', 'value', {}), { code: 'REDKEEP_INVALID_ARGUMENT' });
    await client.set('key', 'value');
  } finally {
    delete (Object.prototype as { condition?: unknown }).condition;
  }
  assert.deepEqual(
    server.received.filter(([name]) => name === 'SET'),
    [['SET', 'key', 'value']],
  );
});
