/**
 * A server (or somebody on the way) that means harm. Whatever it sends: a typed error, a closed connection, every
 * promise settled, and memory that stays near where it was.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { type Peer, sharedPki, startScriptedServer, waitFor } from '@redkeep/testing';
import { type Command, type CommandFunction, Flag } from '../commands/command.js';
import { COMMANDS } from '../commands/index.js';
import { type ClientOptions, createClient, createCluster, createSentinel, RedkeepError } from '../index.js';
import { checkArguments } from '../protocol/encoder.js';

const MEMORY_BOUND = 64 * 1024 * 1024;
/** Milliseconds that each attack took to end. */
const took: number[] = [];
let worstGrowth = 0;
after(() =>
  console.error(
    `# attacks: ${took.length}, slowest ${Math.round(Math.max(...took))} ms, largest growth ${Math.round(worstGrowth / 2 ** 20)} MiB`,
  ),
);

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
  'a push where no command is answered, for ever': (peer) => flood(peer, '>2\r\n+noise\r\n+x\r\n'),
  'messages nobody subscribed to, for ever': (peer) => flood(peer, '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n'),
  'an attribute without end': (peer) => flood(peer, '|1\r\n+a\r\n:1\r\n'),
  'a set and a map that never end': (peer) => flood(peer, '~2\r\n%1\r\n+k\r\n'),
  'an error line without end': (peer) => flood(peer, `-${'E'.repeat(1000)}`),
  'a verbatim string without a format': (peer) => peer.write('=3\r\nabc\r\n'),
  'a malformed double': (peer) => peer.write(',1e\r\n'),
  'a malformed boolean': (peer) => peer.write('#x\r\n'),
  'a map whose key is a map': (peer) => peer.write('%1\r\n%1\r\n+a\r\n+b\r\n+c\r\n'),
  'a line feed alone': (peer) => peer.write('+OK\n+OK\n'),
  'half a reply, then the end': (peer) => {
    peer.write('$10\r\nhal');
    peer.end();
  },
  HTTP: (peer) => peer.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
  'a TLS record': (peer) => peer.write(Buffer.from('15030300020228', 'hex')),
};

describe('a hostile server', () => {
  for (const [name, attack] of Object.entries(ATTACKS)) {
    test(name, async () => {
      await using server = await startScriptedServer({ onCommand: () => undefined });
      const client = createClient({
        url: server.url,
        commandOptions: { timeout: 250 },
        socket: { reconnectStrategy: false, socketTimeout: 250 },
      });
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
      const started = performance.now();
      void attack(server.peers[0]!);
      await waitFor(() => !client.isOpen, { message: 'the client closes' });
      const outcomes = await Promise.all(pending);
      took.push(performance.now() - started);
      const now = process.memoryUsage();
      assert.ok(reported instanceof RedkeepError, String(reported));
      for (const outcome of outcomes)
        assert.ok(outcome === 'answered' || outcome instanceof RedkeepError, String(outcome));
      const grown = Math.max(
        now.heapUsed - before.heapUsed,
        now.external - before.external,
        now.arrayBuffers - before.arrayBuffers,
      );
      worstGrowth = Math.max(worstGrowth, grown);
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

describe('a hostile server of TLS', () => {
  const attempt = async (tls: object, options: ClientOptions['tls'] = {}) => {
    const pki = await sharedPki();
    const listener = createServer({ ...pki.server, ...tls });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    listener.on('tlsClientError', () => {});
    const sockets: TLSSocket[] = [];
    listener.on('secureConnection', (socket) => sockets.push(socket.on('error', () => {})));
    const { port } = listener.address() as AddressInfo;
    const client = createClient({
      url: `rediss://localhost:${port}`,
      password: 'secret',
      tls: { ca: pki.ca, ...(options as object) },
      socket: { connectTimeout: 5000, reconnectStrategy: false },
    });
    client.on('error', () => {});
    return { client, sockets, end: () => listener.close() };
  };

  for (const [name, tls] of Object.entries({
    'that only speaks TLS 1.1': { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    'that only has suites without authenticated encryption': {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-SHA256',
    },
  }))
    test(`${name} gets no connection and no password`, async () => {
      const { client, sockets, end } = await attempt(tls);
      await assert.rejects(client.connect(), { code: 'REDKEEP_TLS_FAILED' });
      assert.equal(client.isOpen, false);
      assert.equal(sockets.length, 0);
      end();
    });

  test('whose certificate is for another name gets no password', async () => {
    const { wrongName } = await sharedPki();
    const { client, sockets, end } = await attempt(wrongName);
    const received: Buffer[] = [];
    await assert.rejects(client.connect(), { code: 'REDKEEP_CERTIFICATE_NAME' });
    for (const socket of sockets) socket.on('data', (bytes: Buffer) => received.push(bytes));
    assert.equal(client.isOpen, false);
    assert.deepEqual(received, []);
    end();
  });

  test('that renegotiates again and again is refused', async () => {
    const { client, sockets, end } = await attempt({ maxVersion: 'TLSv1.2' });
    const refused = assert.rejects(client.connect(), { code: 'REDKEEP_TLS_FAILED' });
    await waitFor(() => sockets.length === 1);
    const [socket] = sockets;
    let renegotiated = 0;
    while (client.isOpen && !socket!.destroyed) {
      socket!.renegotiate({}, (error) => {
        if (error === null) renegotiated++;
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await refused;
    assert.equal(renegotiated, 0);
    end();
  });
});

describe('a hostile node', () => {
  const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
  for (const [name, slots] of Object.entries({
    'a range of two billion slots': '*1\r\n*3\r\n:0\r\n:2000000000\r\n*2\r\n+127.0.0.1\r\n:6379\r\n',
    'a range that begins below zero': '*1\r\n*3\r\n:-5\r\n:10\r\n*2\r\n+127.0.0.1\r\n:6379\r\n',
    'a range that is text': `*1\r\n*3\r\n${bulk('zero')}:10\r\n*2\r\n+127.0.0.1\r\n:6379\r\n`,
    'twenty thousand ranges': `*20000\r\n${'*3\r\n:0\r\n:1\r\n*2\r\n+127.0.0.1\r\n:6379\r\n'.repeat(20_000)}`,
    'a thousand replicas': `*1\r\n*1002\r\n:0\r\n:1\r\n${'*2\r\n+127.0.0.1\r\n:6379\r\n'.repeat(1000)}`,
    'a node that is null': '*1\r\n*3\r\n:0\r\n:1\r\n_\r\n',
    'no answer of that form': '+OK\r\n',
  }))
    test(`of a cluster: ${name}`, async () => {
      await using server = await startScriptedServer({ onCommand: () => slots });
      const cluster = createCluster({ rootNodes: [{ url: server.url }] });
      const before = process.memoryUsage().heapUsed;
      await assert.rejects(cluster.connect(), { code: 'REDKEEP_NO_NODE' });
      assert.ok(process.memoryUsage().heapUsed - before < MEMORY_BOUND);
      assert.equal(cluster.isOpen, false);
    });

  const master = `%2\r\n+ip\r\n+127.0.0.1\r\n+port\r\n+1\r\n`;
  const others = (count: number) =>
    `*${count}\r\n${Array.from({ length: count }, (_, i) => `%2\r\n+ip\r\n+127.0.0.1\r\n+port\r\n+${(i % 60_000) + 1}\r\n`).join('')}`;
  for (const [name, answers] of Object.entries({
    'a master without a host': { MASTER: '%2\r\n+ip\r\n+\r\n+port\r\n+6379\r\n' },
    'a master with a malformed port': { MASTER: '%2\r\n+ip\r\n+127.0.0.1\r\n+port\r\n+6379;x\r\n' },
    'a master elsewhere': { MASTER: '%2\r\n+ip\r\n+192.0.2.1\r\n+port\r\n+6379\r\n' },
    'replicas that are no list': { MASTER: master, REPLICAS: '+OK\r\n' },
    'a hundred thousand sentinels': { MASTER: master, SENTINELS: others(100_000) },
    'null everywhere': { MASTER: '_\r\n', REPLICAS: '_\r\n', SENTINELS: '_\r\n' },
  }))
    test(`Sentinel: ${name}`, async () => {
      await using server = await startScriptedServer({
        onCommand: ([, what]) => (answers as Record<string, string>)[what!] ?? '*0\r\n',
      });
      const sentinel = createSentinel({
        name: 'm',
        sentinelRootNodes: [{ host: server.host, port: server.port }],
        nodeClientOptions: { tls: false, password: 'secret', socket: { reconnectStrategy: false } },
      });
      sentinel.on('error', () => {});
      await assert.rejects(sentinel.connect(), (error) => {
        assert.match(String((error as { code?: string }).code), /^(REDKEEP_NO_NODE|REDKEEP_REDIRECT_REFUSED)$/);
        return true;
      });
      // Nobody was connected to because a sentinel said so.
      assert.equal(server.peers.length, 1);
    });

  test('that greets with nonsense', async () => {
    for (const greeting of ['_\r\n', '+OK\r\n', '*0\r\n', ':1\r\n', '%0\r\n', '>1\r\n+hello\r\n+OK\r\n']) {
      await using server = await startScriptedServer({
        handshake: 'none',
        onCommand: ([name]) => (name === 'HELLO' ? greeting : '+OK\r\n'),
      });
      const client = createClient({ url: server.url, socket: { reconnectStrategy: false } });
      const outcome = await client.connect().then(
        () => 'connected',
        (error: unknown) => error,
      );
      assert.ok(outcome === 'connected' || outcome instanceof RedkeepError, String(outcome));
      if (client.isOpen) client.destroy();
    }
  });

  test('that answers every command with what is not its reply: each promise is settled, with a typed error if any', async () => {
    const replies = ['+OK\r\n', '_\r\n', ':-7\r\n', '*2\r\n_\r\n*1\r\n_\r\n', '%1\r\n+__proto__\r\n:1\r\n'];
    let next = 0;
    await using server = await startScriptedServer({ onCommand: () => replies[next++ % replies.length] });
    await using client = createClient({ url: server.url, commandPolicy: 'unrestricted', maxScripts: 1e6 });
    client.on('error', () => {});
    await client.connect();
    const methods = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    let settled = 0;
    for (const [name, build] of Object.entries(COMMANDS as Record<string, CommandFunction>)) {
      if (name === 'command') continue;
      let command: Command;
      const args = ['a', 'b', '1', '1'].slice(0, build.length);
      try {
        command = build(...args);
        checkArguments(command.spec.name, command.args);
      } catch {
        continue;
      }
      if (
        (command.spec.flags & (Flag.BLOCKING | Flag.PUBSUB | Flag.CONNECTION)) !== 0 ||
        /^(HELLO|QUIT|CLIENT)/.test(command.spec.name)
      )
        continue;
      const outcomes = await Promise.allSettled(replies.map(() => methods[name]!(...args)));
      for (const outcome of outcomes) {
        settled++;
        if (outcome.status === 'rejected')
          assert.ok(outcome.reason instanceof RedkeepError, `${name}: ${String(outcome.reason)}`);
      }
    }
    assert.ok(settled > 1500, String(settled));
    assert.equal(({} as Record<string, unknown>).isAdmin, undefined);
    assert.equal(client.socketEpoch, 1);
  });
});
