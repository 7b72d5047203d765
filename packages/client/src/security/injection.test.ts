/**
 * Hostile values in every position of every command, through the public client to a peer that records what arrives:
 * exactly one command with exactly these arguments, or nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest, startScriptedServer } from '@redkeep/testing';
import { createClient } from '../client.js';
import { type Command, type CommandFunction, Flag } from '../commands/command.js';
import { COMMANDS } from '../commands/index.js';
import { checkArguments } from '../protocol/encoder.js';

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

test('what a caller passes arrives as it is, as one command, or not at all', async () => {
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
  const methods = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  let sent = 0;
  let refused = 0;
  const expected: string[][] = [];
  for (const [name, build] of Object.entries(COMMANDS as Record<string, CommandFunction>)) {
    if (name === 'command') continue; // the client's own template tag
    for (let position = 0; position < 3; position++) {
      for (const hostile of HOSTILE) {
        const args: unknown[] = ['key', 'field', 'value', '1'].slice(0, Math.max(position + 1, build.length));
        args[position] = hostile;
        let command: Command | undefined;
        try {
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
          await assert.rejects(async () => methods[name]!(...args), `${name} position ${position}`);
          continue;
        }
        sent++;
        expected.push([...wordsOf(command), ...command.args.map(text)]);
        // The scripted reply fits few commands: what the reader makes of it does not matter here.
        void methods[name]!(...args).catch(() => {});
      }
    }
    await client.ping().catch(() => {});
    expected.push(['PING']);
  }
  const received = server.received.slice(greeting).filter(([first]) => first !== 'HELLO' && first !== 'CLIENT');
  assert.ok(sent > 2000 && refused > 1000, `${sent} sent, ${refused} refused`);
  assert.equal(received.length, expected.length);
  for (const [i, command] of expected.entries()) assert.deepEqual(received[i], command);
});
