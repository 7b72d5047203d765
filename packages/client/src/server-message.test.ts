import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { findEngines, startServer } from '@redkeep/testing';
import fc from 'fast-check';
import { createClient } from './client/client.js';
import { ErrorReply } from './errors.js';
import { KNOWN_PREFIXES } from './server-message.js';
import { SERVER_TEXTS } from './server-texts.js';

const TEXTS = SERVER_TEXTS.split('\n')
  .filter((line) => line !== '')
  .map((line) => (KNOWN_PREFIXES.has(line.split(' ', 1)[0]!) ? line : `ERR ${line}`));
const CODE_ALONE = / \(the server's text is in serverMessage\)$/;
/** All that a message may be: a known text, its gaps masked or filled with the command's name, in whatever case. */
const SHOWN = new Set(TEXTS.flatMap((text) => masked(text)).map((text) => text.toUpperCase()));
function masked(text: string): string[] {
  return text
    .split(/%[sd]/)
    .reduce<string[]>(
      (starts, part, i) =>
        i === 0 ? [part] : starts.flatMap((start) => [`${start}<argument>${part}`, `${start}GET${part}`]),
      [],
    );
}

test('each text is one that a server has', () => {
  const programs = findEngines().map(({ server }) => program(server));
  const missing = TEXTS.filter((text) => {
    const [longest] = text
      .replace(/^[A-Z]+ /, '')
      .split(/%[sd]/)
      .sort((a, b) => b.length - a.length);
    return !programs.some((bytes) => bytes.includes(longest!.trim()));
  });
  // With one engine on the machine, those of the others are not there.
  assert.ok(missing.length <= (programs.length >= 5 ? 5 : TEXTS.length / 2), missing.join('\n'));
});

/** The server itself: engines that were unpacked have a launcher in front of it. */
function program(path: string): Buffer {
  const unpacked = join(dirname(dirname(path)), 'usr', 'bin', basename(path));
  return readFileSync(existsSync(unpacked) ? unpacked : path);
}

test('whatever arguments are, a message has known words and nothing of them', () => {
  const words = [...new Set(TEXTS.flatMap((text) => text.split(/[ ,.']+/)))].filter((word) => word !== '');
  // Arguments that read like words of servers are the hardest to tell from them.
  const argument = fc.oneof(fc.constantFrom(...words), fc.constant('c4nary'), fc.string(), fc.constant('%s'));
  fc.assert(
    fc.property(fc.constantFrom(...TEXTS), fc.array(argument, { minLength: 1, maxLength: 8 }), (template, args) => {
      let i = 0;
      const text = template.replace(/%[sd]/g, () => args[i++ % args.length]!);
      const { message, serverMessage } = new ErrorReply(text).redact('GET', args);
      assert.equal(serverMessage, text);
      assert.ok(SHOWN.has(message.toUpperCase()) || CODE_ALONE.test(message), message);
      assert.ok(!message.includes('c4nary'), message);
    }),
    { numRuns: 3000 },
  );
});

test('real refusals stay readable', async () => {
  await using server = await startServer();
  await using client = await createClient({ url: server.url, commandPolicy: 'unrestricted' }).connect();
  await client.set('GROUP', 'v');
  const said = (words: string[]) => client.sendCommand(words).then(String, (error: Error) => error.message);
  assert.equal(
    await said(['XREADGROUP', 'GROUP', 'GROUP', 'key', 'STREAMS', 'key', '>']),
    "NOGROUP No such key '<argument>' or consumer group '<argument>' in XREADGROUP with GROUP option",
  );
  assert.equal(
    await said(['LPUSH', 'GROUP', 'x']),
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  );
  assert.equal(await said(['GET']), "ERR wrong number of arguments for 'get' command");
  assert.equal(await said(['INCR', 'GROUP']), 'ERR value is not an integer or out of range');
  assert.equal(await said(['SET', 'k', 'v', 'EX', '0']), "ERR invalid expire time in 'set' command");
  assert.equal(await said(['NOSUCH', 'secret']), "ERR unknown command 'NOSUCH', with args beginning with: <argument>");
});
