/**
 * A server (or somebody on the way) that means harm. Whatever it sends: a typed error, a closed connection, every
 * promise settled, and memory that stays near where it was.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Peer, startScriptedServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client.js';
import { RedkeepError } from '../errors.js';

const MEMORY_BOUND = 64 * 1024 * 1024;

/** Endless data, for as long as the peer is there; bounded, so that a client that takes it all fails the test. */
async function flood(peer: Peer, bytes: string, limit = 256 * 1024 * 1024): Promise<void> {
  const block = Buffer.from(bytes.repeat(Math.ceil(65_536 / bytes.length)));
  for (let sent = 0; peer.isOpen && sent < limit; sent += block.length) {
    peer.write(block);
    if (sent % (16 * block.length) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

const ATTACKS: Readonly<Record<string, (peer: Peer) => unknown>> = {
  'twelve nested aggregates of 33 million': (peer) => peer.write('*33000000\r\n'.repeat(12)),
  'aggregates nested five thousand deep': (peer) => peer.write('*1\r\n'.repeat(5000)),
  'maps nested five thousand deep': (peer) => peer.write('%1\r\n+k\r\n'.repeat(5000)),
  'a bulk string of a terabyte': (peer) => peer.write('$1000000000000\r\n'),
  'an endless line': (peer) => flood(peer, `+${'x'.repeat(1000)}`),
  'an endless number': (peer) => flood(peer, '9'.repeat(1000)),
  'a big number of 300 000 digits': (peer) => peer.write(`(${'9'.repeat(300_000)}\r\n`),
  'an unknown type byte, then the next reply': (peer) => peer.write('?\r\n$1\r\nb\r\n'),
  'a number with letters': (peer) => peer.write(':12a4\r\n'),
  'a negative length': (peer) => peer.write('$-5\r\n'),
  'more replies than commands, for ever': (peer) => flood(peer, '+OK\r\n'),
  'random bytes': (peer) => peer.write(Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 251))),
  HTTP: (peer) => peer.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  'a TLS record': (peer) => peer.write(Buffer.from('15030300020228', 'hex')),
};

describe('a hostile server', () => {
  for (const [name, attack] of Object.entries(ATTACKS)) {
    test(name, async () => {
      await using server = await startScriptedServer({ onCommand: () => undefined });
      const client = createClient({ url: server.url, socket: { reconnectStrategy: false } });
      let reported: unknown;
      client.on('error', (error) => {
        reported = error;
      });
      await client.connect();
      const pending = [client.get('a'), client.get('b'), client.set('c', '1')].map((p) =>
        p.then(
          () => 'answered',
          (error: unknown) => error,
        ),
      );
      await server.waitForCommand('SET');
      const before = process.memoryUsage();
      void attack(server.peers[0]!);
      await waitFor(() => !client.isOpen, { message: 'the client closes' });
      const outcomes = await Promise.all(pending);
      const after = process.memoryUsage();
      assert.ok(reported instanceof RedkeepError, String(reported));
      for (const outcome of outcomes)
        assert.ok(outcome === 'answered' || outcome instanceof RedkeepError, String(outcome));
      const grown = Math.max(
        after.heapUsed - before.heapUsed,
        after.external - before.external,
        after.arrayBuffers - before.arrayBuffers,
      );
      assert.ok(grown < MEMORY_BOUND, `memory grew by ${Math.round(grown / 2 ** 20)} MiB`);
      await waitFor(() => !server.peers[0]!.isOpen, { message: 'the connection closes' });
    });
  }

  test('a field named __proto__ reaches no prototype', async () => {
    await using server = await startScriptedServer();
    server.reply('HGETALL', '%2\r\n$9\r\n__proto__\r\n%1\r\n$7\r\nisAdmin\r\n#t\r\n$1\r\na\r\n$1\r\nb\r\n');
    await using client = createClient({ url: server.url });
    await client.connect();
    const reply = await client.sendCommand<Record<string, unknown>>(['HGETALL', 'h']);
    assert.deepEqual(Object.keys(reply), ['__proto__', 'a']);
    assert.equal(reply.isAdmin, undefined);
    assert.equal(({} as Record<string, unknown>).isAdmin, undefined);
  });

  test('malformed UTF-8 becomes replacement characters, and is intact as bytes', async () => {
    await using server = await startScriptedServer();
    const bytes = Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80]);
    const wire = Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
    server.reply('GET', wire).reply('GET', wire);
    await using client = createClient({ url: server.url });
    await client.connect();
    assert.equal(await client.get('k'), bytes.toString());
    assert.deepEqual(await client.withTypeMapping({ 36: Buffer }).get('k'), bytes);
  });

  test('a pushed notice to move to another address moves nothing', async () => {
    await using elsewhere = await startScriptedServer();
    await using server = await startScriptedServer();
    server.reply('GET', `>4\r\n$6\r\nMOVING\r\n:1\r\n:1\r\n$15\r\n127.0.0.1:${elsewhere.port}\r\n$1\r\nv\r\n`);
    server.reply('PING', `-MOVED 1 127.0.0.1:${elsewhere.port}\r\n`);
    server.reply('PING', '-MOVED 1 :6379\r\n');
    await using client = createClient({ url: server.url, password: 'secret' });
    await client.connect();
    assert.equal(await client.get('k'), 'v');
    await assert.rejects(client.ping(), { prefix: 'MOVED' });
    await assert.rejects(client.ping(), { prefix: 'MOVED' });
    assert.equal(elsewhere.peers.length, 0);
  });
});
