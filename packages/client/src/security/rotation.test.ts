import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer } from '@redkeep/testing';
import { createClient } from '../client.js';
import type { Credentials, CredentialsSource } from './credentials.js';

/** A source that a test turns. */
function turnable(first: Credentials): CredentialsSource & { turn(credentials: Credentials): void } {
  let latest = first;
  const listeners = new Set<(credentials: Credentials) => void>();
  return {
    type: 'credentials-source',
    current: () => latest,
    watch(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
    turn(credentials) {
      latest = credentials;
      for (const listener of listeners) listener(credentials);
    },
  };
}

test('the password turns ten times under full load and no command fails', async () => {
  await using server = await startServer({
    users: ['user default off', 'user admin on >admin ~* &* +@all', 'user app on >pw-0 ~* +@read +@write +@connection'],
    admin: { username: 'admin', password: 'admin' },
  });
  const source = turnable({ username: 'app', password: 'pw-0' });
  await using client = createClient({ url: server.url, credentialsProvider: source });
  const errors: Error[] = [];
  client.on('error', (error) => errors.push(error));
  await client.connect();

  let running = true;
  let commands = 0;
  const failures: unknown[] = [];
  const callers = Array.from({ length: 50 }, async (_, caller) => {
    while (running) {
      await client.incr(`n:${caller}`).then(
        () => commands++,
        (error) => failures.push(error),
      );
    }
  });
  for (let turn = 1; turn <= 10; turn++) {
    await server.command('ACL', 'SETUSER', 'app', `>pw-${turn}`);
    const reauthenticated = new Promise<void>((resolve) => client.once('reauthenticated', () => resolve()));
    source.turn({ username: 'app', password: `pw-${turn}` });
    await reauthenticated;
    await server.command('ACL', 'SETUSER', 'app', `<pw-${turn - 1}`);
    const target = commands + 500;
    while (commands < target && failures.length === 0) await client.ping();
  }
  running = false;
  await Promise.all(callers);

  assert.deepEqual(failures, []);
  assert.deepEqual(errors, []);
  assert.equal(client.socketEpoch, 1);
  assert.ok(commands >= 5000);
  const counts = await Promise.all(Array.from({ length: 50 }, (_, caller) => client.get(`n:${caller}`)));
  assert.equal(
    counts.reduce((sum, n) => sum + Number(n), 0),
    commands,
  );
});
