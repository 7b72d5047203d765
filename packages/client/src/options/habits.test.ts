import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { startCluster, startServer } from '@redkeep/testing';
import { createClient, createCluster, InvalidOptionError, Secret } from '../index.js';
import { type ClientOptions, resolveOptions } from './options.js';

const resolve = (options: ClientOptions) => resolveOptions(options, {}).connection;

describe('habits of JavaScript', () => {
  test('a port as text, keepAlive as a number, no password as null, no name as an empty string', () => {
    const { endpoint, keepAlive, keepAliveInitialDelay, handshake } = resolve({
      socket: { host: 'h', port: '6380', keepAlive: 5000 },
      username: null,
      password: null,
      name: '',
    });
    assert.deepEqual(
      { ...endpoint },
      { kind: 'tcp', host: 'h', port: 6380, family: undefined, localAddress: undefined },
    );
    assert.deepEqual([keepAlive, keepAliveInitialDelay, handshake.name], [true, 5000, undefined]);
    for (const port of ['0', '65536', '1e3', ' 1', ''])
      assert.throws(() => resolve({ socket: { port } }), { option: 'socket.port' });
  });

  test('?family=0 in a URL is read for that one word', () => {
    assert.equal((resolve({ url: 'rediss://h:1?family=6' }).endpoint as { family?: number }).family, 6);
    for (const query of ['?family=5', '?family=0&tls=false', '?tls=false', '?family'])
      assert.throws(() => resolve({ url: `rediss://h:1${query}` }), /has a query/);
    assert.throws(() => resolve({ url: 'rediss://:pa#ss@h:1' }), /%23|not a URL/);
  });

  test('allowPlaintext without a word on TLS means plaintext', () => {
    assert.equal(resolve({ socket: { host: 'h' }, allowPlaintext: true }).tls, undefined);
    assert.equal(resolve({ url: 'h:6379', allowPlaintext: true }).tls, undefined);
    assert.notEqual(resolve({ socket: { host: 'h' }, allowPlaintext: true, tls: { servername: 'h' } }).tls, undefined);
    assert.notEqual(resolve({ url: 'rediss://h', allowPlaintext: true }).tls, undefined);
    assert.notEqual(resolve({ socket: { host: 'h' } }).tls, undefined);
  });

  test('root nodes with host and port beside the URL', async () => {
    await using cluster = await startCluster();
    const { port, url } = cluster.nodes[0]!;
    for (const root of [
      { url, host: '127.0.0.1', port },
      { host: '127.0.0.1', port: String(port), tls: false },
    ]) {
      const client = createCluster({ rootNodes: [root] });
      await client.connect();
      assert.equal(await client.set('k', 'v'), 'OK');
      await client.close();
    }
    assert.throws(() => createCluster({ rootNodes: [{ url, host: '192.0.2.1', port }] }), /contradicts|plaintext/);
  });

  test('options that would take protection away are refused with the reason', () => {
    for (const name of ['secureContext', 'session', 'blockList'])
      assert.throws(
        () => createClient({ socket: { [name]: {} } } as never),
        (error) => error instanceof InvalidOptionError && error.option === `socket.${name}`,
      );
  });

  test('lookup, localPort and signal act', async () => {
    await using server = await startServer();
    const controller = new AbortController();
    let asked = '';
    const client = createClient({
      socket: {
        host: 'cache.internal',
        port: server.port,
        tls: false,
        signal: controller.signal,
        lookup: (name, options, done) => {
          asked = name;
          if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
          else done(null, '127.0.0.1', 4);
        },
      },
      allowPlaintext: true,
    });
    await client.connect();
    assert.equal(asked, 'cache.internal');
    const waiting = client.blPop('none', 0);
    const ended = once(client, 'end');
    controller.abort();
    await assert.rejects(waiting);
    await ended;
    await assert.rejects(client.connect(), { code: 'REDKEEP_ABORTED' });
  });
});

describe('client.options', () => {
  test("is node-redis's object: a URL without its password, and writes that act or warn", async () => {
    await using server = await startServer({ password: 'hunter2' });
    const url = server.url.replace('//', '//default:hunter2@');
    await using client = await createClient({ url }).connect();
    const { options } = client;
    assert.equal(options.url, server.url.replace('//', '//default@'));
    assert.ok(options.password instanceof Secret);
    options.disableOfflineQueue = true;
    options.socket!.reconnectStrategy = false;
    assert.equal(client.options.disableOfflineQueue, true);
    const warned = once(process, 'warning');
    options.database = 3;
    assert.match(String((await warned)[0]), /client\.options\.database/);
    assert.throws(() => {
      options.database = -1;
    }, InvalidOptionError);
    const other = createClient({ url: server.url }).options;
    other.url = url;
    other.tls = { caFile: '/ca', passphrase: 'hunter2', keyFile: '/key', certFile: '/cert' };
    other.password = 'hunter2';
    assert.ok(!inspect(other, { showProxy: true, depth: 9, showHidden: true }).includes('hunter2'));
    await using copy = await client.duplicate().connect();
    assert.equal(copy.options.database, 3);
    // The strategy that was written ends the client at its first lost connection.
    const ended = new Promise((resolve) => client.once('end', resolve));
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {});
    await ended;
    await assert.rejects(client.get('k'), { code: 'REDKEEP_CLIENT_CLOSED' });
  });
});
