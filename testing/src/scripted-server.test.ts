import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createPki } from './pki.js';
import { rawCommand, rawCommands } from './raw-command.js';
import { RawError } from './resp.js';
import { startScriptedServer } from './scripted-server.js';

describe('ScriptedServer', () => {
  test('answers the handshake, the script, and +OK to the rest', async () => {
    await using server = await startScriptedServer();
    server.reply('GET', '$5\r\nfirst\r\n').reply('get', ([, key]) => `+${key}\r\n`);
    const replies = await rawCommands(server, [
      ['HELLO', '3'],
      ['GET', 'a'],
      ['GET', 'b'],
      ['SET', 'a', '1'],
    ]);
    assert.ok(Array.isArray(replies[0]) && replies[0].includes('proto'));
    assert.deepEqual(replies.slice(1), ['first', 'b', 'OK']);
    assert.deepEqual(server.received.slice(1), [
      ['GET', 'a'],
      ['GET', 'b'],
      ['SET', 'a', '1'],
    ]);
  });

  test('can be a server that does not know HELLO', async () => {
    await using server = await startScriptedServer({ handshake: 'resp2', onCommand: () => ':1\r\n' });
    const [hello, other] = await rawCommands(server, [
      ['HELLO', '3'],
      ['INCR', 'a'],
    ]);
    assert.ok(hello instanceof RawError);
    assert.equal(other, 1);
  });

  test('serves TLS', async () => {
    const pki = await createPki();
    await using server = await startScriptedServer({ tls: pki.server });
    assert.equal(await rawCommand({ port: server.port, tls: { ca: pki.ca } }, ['SET', 'a', '1']), 'OK');
    assert.match(server.url, /^rediss:/);
  });

  test('waits for commands and drops connections', async () => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    const unanswered = assert.rejects(rawCommand(server, ['GET', 'a']), /closed the connection|ECONNRESET/);
    assert.deepEqual(await server.waitForCommand('GET'), ['GET', 'a']);
    assert.equal(server.peers[0]?.isOpen, true);
    server.dropPeers();
    await unanswered;
  });
});
