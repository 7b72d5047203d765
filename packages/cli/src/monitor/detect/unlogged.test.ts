/** Refusals that a flood has pushed out of ACL LOG, on a real server. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectWith, startServer } from '@redkeep/testing';
import { type ClientOptions, createClient, type RedisClient } from 'redkeep';
import { NodeGatherer } from '../gather/node-gatherer.js';
import { detect } from './detect.js';
import type { Expectations } from './expectations.js';
import type { NodeMemory } from './node-memory.js';

const connect = connectWith<ClientOptions, RedisClient>(createClient);
const expected: Expectations = {
  topology: undefined,
  replicaAddresses: new Set(),
  ownAddresses: new Set(),
  users: undefined,
  networks: [],
  certificates: new Map(),
  changing: false,
  walking: false,
  tlsOnly: false,
};
const refused = (promise: Promise<unknown>) => promise.catch(() => undefined);

describe('a flooded ACL LOG', () => {
  test('hides no failed login, and nothing is reported that the log shows', async () => {
    await using server = await startServer();
    const admin = await connect(server);
    await admin.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>secret', '~app:*', '+get', '+auth', '+hello']);
    const gatherer = new NodeGatherer(
      { deployment: 'test', name: 'node', host: '127.0.0.1', port: server.port },
      async () => ({ host: '127.0.0.1', port: server.port, tls: false, timeoutMs: 5000 }),
    );
    let memory: NodeMemory | undefined;
    const round = async () => {
      const found = detect(await gatherer.gather(Date.now()), memory, expected)!;
      memory = found.memory;
      return found.events.map(({ event }) => event);
    };
    const app = await connect(server, { username: 'app', password: 'secret' });
    const guess = async (count: number) => {
      for (let turn = 0; turn < count; turn += 1) await refused(app.sendCommand(['AUTH', 'admin', `guess-${turn}`]));
    };
    const flood = (name: string) =>
      Promise.all(Array.from({ length: 200 }, (_, index) => refused(app.get(`other:${name}:${index}`))));
    try {
      await round();
      await guess(3);
      assert.deepEqual(await round(), [], 'three mistyped passwords');
      assert.deepEqual(await round(), [], 'nothing more');
      await guess(12);
      await flood('first');
      const events = await round();
      assert.ok(events.includes('password-guessing'), events.join());
      assert.ok(events.includes('permission-denied'));
      assert.ok((memory!.refusedLogins['unknown'] ?? 0) >= 12, JSON.stringify(memory!.refusedLogins));
      assert.deepEqual(await round(), [], 'once, and not again');
    } finally {
      await gatherer.close();
      for (const client of [admin, app]) client.destroy();
    }
  });
});
