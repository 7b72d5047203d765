import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { rawCommand } from './raw-command.js';
import { encodeRequest } from './resp.js';
import { type Server, startServer } from './server.js';
import { waitFor } from './wait-for.js';

describe('FaultProxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let client: Socket;
  let arrived: Buffer[];

  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    proxy = await startFaultProxy(server.port);
    client = connect(proxy.port, proxy.host);
    arrived = [];
    client.on('data', (bytes: Buffer) => arrived.push(bytes));
    client.on('error', () => {});
    await once(client, 'connect');
    await proxy.waitForLinks(1);
  });
  afterEach(async () => {
    client.destroy();
    await proxy[Symbol.asyncDispose]();
  });
  const text = () => Buffer.concat(arrived).toString();
  const ping = () => client.write(encodeRequest(['PING']));

  test('forwards both ways and records what passed', async () => {
    assert.equal(await rawCommand(proxy, ['ECHO', 'hello']), 'hello');
    await proxy.waitForBytes('toClient', '$5\r\nhello\r\n');
    assert.ok(proxy.received('toServer').includes('ECHO'));
    assert.equal(proxy.links.length, 2);
  });

  test('splits into pieces of so many bytes', async () => {
    proxy.faults.toClient.chunk = 1;
    ping();
    await waitFor(() => text() === '+PONG\r\n');
    assert.ok(arrived.length > 1);
  });

  test('keeps everything back while stalled, and lets it go on in order', async () => {
    proxy.stall('toClient');
    ping();
    client.write(encodeRequest(['ECHO', 'second']));
    await proxy.waitForBytes('toClient', 'second');
    assert.equal(text(), '');
    assert.equal(proxy.openLinks.length, 1);
    proxy.unstall();
    await waitFor(() => text() === '+PONG\r\n$6\r\nsecond\r\n');
  });

  test('delays without changing the order', async () => {
    proxy.faults.toClient.delay = 30;
    ping();
    await proxy.waitForBytes('toClient', 'PONG');
    assert.equal(text(), '');
    proxy.faults.toClient.delay = 0;
    client.write(encodeRequest(['ECHO', 'second']));
    await waitFor(() => text() === '+PONG\r\n$6\r\nsecond\r\n');
  });

  test('garbles and injects bytes', async () => {
    proxy.faults.toClient.transform = (bytes) => Buffer.from(bytes.toString().replace('PONG', 'GNOP'));
    ping();
    await waitFor(() => text() === '+GNOP\r\n');
    proxy.links[0]?.inject('toClient', ':42\r\n');
    await waitFor(() => text() === '+GNOP\r\n:42\r\n');
  });

  test('ends the connection after so many bytes', async () => {
    proxy.faults.toClient.cutAfter = 3;
    ping();
    await once(client, 'close');
    assert.equal(text(), '+PO');
  });

  for (const how of ['rst', 'fin'] as const) {
    test(`cuts with ${how}`, async () => {
      const errors: NodeJS.ErrnoException[] = [];
      client.on('error', (error) => errors.push(error));
      const closed = new Promise((resolve) => client.once('close', resolve));
      proxy.cut(how);
      await closed;
      assert.deepEqual(
        errors.map((error) => error.code),
        how === 'rst' ? ['ECONNRESET'] : [],
      );
      await waitFor(() => proxy.openLinks.length === 0);
    });
  }

  test('refuses new connections until `accept()`', async () => {
    proxy.refuse();
    await assert.rejects(rawCommand(proxy, ['PING']));
    proxy.accept();
    assert.equal(await rawCommand(proxy, ['PING']), 'PONG');
  });

  test('closes to the client when the server is down', async () => {
    const closed = once(client, 'close');
    await server.stop();
    await closed;
    await assert.rejects(rawCommand(proxy, ['PING']));
    await server.start();
    assert.equal(await rawCommand(proxy, ['PING']), 'PONG');
  });
});
