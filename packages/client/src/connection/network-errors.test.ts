import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, startFaultProxy, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, createClientPool } from '../client/client.js';
import { createCluster } from '../cluster/cluster.js';
import { NetworkError, RedkeepError } from '../errors.js';
import { Cluster, Redis } from '../ioredis/index.js';
import { NETWORK_ERRORS } from '../network/network-errors.js';
import { createSentinel } from '../sentinel/sentinel.js';

type Address = { readonly host: string; readonly port: number } | { readonly path: string };
interface Connecting {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
}

/** Everything with a `connect()`, with one attempt. */
const FACADES: Readonly<Record<string, (address: Address) => Connecting & { end(): unknown }>> = {
  client: (address) =>
    ended(createClient({ allowPlaintext: true, socket: { ...address, tls: false, reconnectStrategy: false } })),
  pool: (address) =>
    ended(createClientPool({ allowPlaintext: true, socket: { ...address, tls: false, reconnectStrategy: false } })),
  cluster: (address) =>
    ended(
      createCluster({
        rootNodes: [{ socket: { ...address, tls: false, reconnectStrategy: false } }],
        defaults: { allowPlaintext: true },
      }),
    ),
  sentinel: (address) =>
    ended(
      createSentinel({
        name: 'm',
        sentinelRootNodes: 'path' in address ? [{ host: address.path, port: 1 }] : [address],
        nodeClientOptions: { allowPlaintext: true, socket: { tls: false, reconnectStrategy: false } },
        sentinelClientOptions: { allowPlaintext: true, socket: { tls: false, reconnectStrategy: false } },
        maxCommandRediscovers: 1,
      }),
    ),
  'Redis of ioredis': (address) =>
    disconnected(new Redis({ ...address, allowPlaintext: true, lazyConnect: true, retryStrategy: () => null })),
  'Cluster of ioredis': (address) =>
    disconnected(
      new Cluster(['path' in address ? { host: address.path, port: 1 } : address], {
        lazyConnect: true,
        redisOptions: { allowPlaintext: true },
        clusterRetryStrategy: () => null,
      }),
    ),
};
const ended = <C extends Connecting & { isOpen: boolean; destroy(): unknown }>(client: C) =>
  Object.assign(client, { end: () => client.isOpen && client.destroy() });
const disconnected = <C extends Connecting & { disconnect(): unknown }>(client: C) =>
  Object.assign(client, { end: () => client.disconnect() });

/** What the contract promises of each error, down the chain of its causes to Node.js's own. */
function assertContract(error: unknown, where: string): void {
  assert.ok(error instanceof RedkeepError, `${where}: ${String(error)} is not a RedkeepError`);
  assert.ok(error.code.length > 3, `${where}: ${error.name} has a code`);
  assert.ok(error.message.length > 3, `${where}: ${error.name} ${error.code} has a message`);
  assert.ok(error.hint.length > 20, `${where}: ${error.code} has a hint`);
  assert.match(error.docs, /^https:/);
  assert.match(error.toPublic().code, /^REDKEEP_/, `${where}: ${error.code}`);
  if (error instanceof NetworkError) assert.equal((error.cause as NodeJS.ErrnoException).code, error.code);
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redkeep-network-'));
  await writeFile(join(folder, 'file'), '');
});
after(() => rm(folder, { recursive: true }));

/** Addresses that cannot be connected to; `undefined` as code where the server is one, and ends the connection. */
async function* failures(): AsyncGenerator<[what: string, address: Address]> {
  yield ['a port where nothing listens', { host: '127.0.0.1', port: await freePort() }];
  yield ['a name with several addresses', { host: 'localhost', port: await freePort() }];
  yield ['a name that does not exist', { host: 'redkeep.invalid', port: 6379 }];
  yield ['a path without a socket', { path: join(folder, 'none') }];
  yield ['a path of a file', { path: join(folder, 'file') }];
  for (const how of ['end', 'reset'] as const) {
    await using server = await startScriptedServer({
      handshake: 'none',
      onCommand: (_, peer) => {
        peer[how]();
        return undefined;
      },
    });
    yield [`a server that says ${how}`, { host: '127.0.0.1', port: server.port }];
  }
}

test('whatever cannot connect rejects and emits errors with a code, a hint and the cause', async (t) => {
  for await (const [what, address] of failures()) {
    for (const [name, create] of Object.entries(FACADES)) {
      const where = `${name}, ${what}`;
      const client = create(address);
      t.after(() => client.end());
      const emitted: unknown[] = [];
      client.on('error', (error) => emitted.push(error));
      const rejected = await client.connect().then(
        () => assert.fail(`${where}: connected`),
        (error: unknown) => error,
      );
      client.end();
      assertContract(rejected, where);
      for (const error of emitted) assertContract(error, `${where}, event`);
    }
  }
});

describe('a connection that breaks', () => {
  for (const how of ['rst', 'fin'] as const) {
    test(`emits an error with a code and a hint after ${how}, and commands reject with codes of the client`, async () => {
      await using server = await startServer();
      await using proxy = await startFaultProxy(server.port);
      const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, socket: { reconnectStrategy: false } });
      const emitted: unknown[] = [];
      client.on('error', (error) => emitted.push(error));
      await client.connect();
      const asked = client.blPop('nothing', 0).then(
        () => assert.fail('answered'),
        (error: unknown) => error,
      );
      const written = client.set('a', '1');
      await written;
      proxy.cut(how);
      const rejected = await asked;
      assertContract(rejected, 'command');
      assert.match((rejected as RedkeepError).code, /^REDKEEP_/);
      await waitFor(() => emitted.length > 0);
      for (const error of emitted) assertContract(error, how);
    });
  }
});

test("codes of Node.js that programs compare are the errors' own, with a next step for each", async () => {
  const refused = createClient({
    socket: { host: '127.0.0.1', port: await freePort(), tls: false, reconnectStrategy: false },
  });
  refused.on('error', () => {});
  await assert.rejects(refused.connect(), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.deepEqual([error.code, error.syscall, error.address], ['ECONNREFUSED', 'connect', '127.0.0.1']);
    assert.match(error.message, /ECONNREFUSED 127\.0\.0\.1:\d+/);
    assert.equal(error.hint, NETWORK_ERRORS.ECONNREFUSED);
    assert.equal(error.toPublic().code, 'REDKEEP_CONNECT_FAILED');
    return true;
  });
});
