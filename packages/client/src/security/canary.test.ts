/**
 * A canary is planted wherever a user can put a secret; every error and every channel is provoked; then everything
 * that came out is searched for it, in clear and in the encodings it could hide in.
 */
import assert from 'node:assert/strict';
import diagnostics_channel from 'node:diagnostics_channel';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from '../client.js';
import type { ClientOptions } from '../options.js';
import { Secret } from './secret.js';

const CANARY = 'c4n4ry+/?&s3cr3t';
const FORMS = [
  CANARY,
  Buffer.from(CANARY).toString('base64').replace(/=+$/, ''),
  Buffer.from(CANARY).toString('hex'),
  encodeURIComponent(CANARY),
];

class Collector {
  readonly texts: string[] = [];
  add(value: unknown): void {
    this.texts.push(
      inspect(value, { showHidden: true, depth: 12, getters: false, maxStringLength: null, maxArrayLength: null }),
    );
    if (value instanceof Error)
      this.texts.push(
        String(value.stack),
        value.message,
        JSON.stringify(value),
        JSON.stringify(Object.getOwnPropertyDescriptors(value)),
      );
    else if (typeof value === 'object') {
      try {
        this.texts.push(JSON.stringify(value) ?? '');
      } catch {
        // Circular: inspect has shown it already.
      }
    }
  }
  leaks(): string[] {
    return this.texts.filter((text) => FORMS.some((form) => text.includes(form))).map((text) => text.slice(0, 400));
  }
}

test('no secret reaches an error, an event, a warning, a channel or an inspection', async () => {
  const seen = new Collector();
  const onWarning = (warning: Error) => seen.add(warning);
  process.on('warning', onWarning);
  const channels = ['redkeep:command', 'redkeep:connection'].map((name) => {
    const listen = (message: unknown) => seen.add(message);
    diagnostics_channel.subscribe(name, listen);
    return () => diagnostics_channel.unsubscribe(name, listen);
  });
  let provoked = 0;
  const provoke = async (what: () => unknown) => {
    try {
      seen.add(await what());
    } catch (error) {
      provoked++;
      seen.add(error);
    }
  };
  const watched = (options: ClientOptions): RedisClient => {
    const client = createClient(options);
    for (const event of ['error', 'connect', 'ready', 'end', 'reconnecting', 'reauthenticated'])
      client.on(event, (...args: unknown[]) => seen.add(args));
    seen.add(client);
    return client;
  };

  await using server = await startServer({ password: CANARY });
  const url = `redis://127.0.0.1:${server.port}`;
  const encoded = encodeURIComponent(CANARY);

  // Credentials that work, that do not, that are malformed; addresses that do not answer.
  await using client = watched({ url, password: CANARY });
  await client.connect();
  for (const options of [
    { url: `redis://user:${encoded}@127.0.0.1:${server.port}` },
    { url: `redis://:${encoded}@127.0.0.1:1`, socket: { reconnectStrategy: false } },
    { url, password: new Secret(`${CANARY}x`), username: CANARY },
    {
      url,
      credentialsProvider: {
        type: 'async-credentials-provider',
        credentials: async () => Promise.reject(new Error('provider down')),
      },
      socket: { reconnectStrategy: false },
    },
    { url: `rediss://:${encoded}@127.0.0.1:${server.port}`, socket: { connectTimeout: 200 } },
  ] satisfies ClientOptions[]) {
    const other = watched(options);
    await provoke(() => other.connect());
  }
  for (const bad of [
    `redis://:${encoded}@example.com`,
    `http://:${encoded}@h`,
    `redis://:${encoded}@h:99999`,
    `redis://:${encoded}@localhost/x`,
    `redis://:${encoded}@localhost?x=1`,
    `rediss://:${encoded}@localhost`,
  ]) {
    await provoke(() => createClient({ url: bad, tls: bad.startsWith('rediss') ? false : undefined }));
  }
  await provoke(() => createClient({ password: CANARY, tls: { key: CANARY, passphrase: CANARY } }));

  // Values and keys in every kind of refusal.
  await client.set('text', 'not a number');
  await client.sendCommand(['RPUSH', 'list', 'x']);
  await provoke(() => client.get({ [CANARY]: CANARY } as never));
  await provoke(() => client.set(CANARY, [CANARY] as never));
  await provoke(() => client.set('k', CANARY, { condition: CANARY as never }));
  await provoke(() => client.set('k', CANARY, { expiration: { type: 'EX', value: CANARY as never } }));
  await provoke(() => client.sendCommand([CANARY, CANARY]));
  await provoke(() => client.sendCommand(['SET', 'k', CANARY, CANARY, CANARY]));
  await provoke(() => client.sendCommand(['GETRANGE', 'text', CANARY, '1']));
  await provoke(() => client.sendCommand(['CONFIG', 'GET', CANARY, CANARY]));
  await provoke(() => client.sendCommand(['ACL', 'SETUSER', 'x', `>${CANARY}`]));
  await provoke(() => client.sendCommand(['EVAL', `return redis.error_reply('ERR ' .. ARGV[1])`, '0', CANARY]));
  await provoke(() => client.sendCommand(['EVAL', `return {redis.error_reply('ERR ' .. ARGV[1])}`, '0', CANARY]));
  await provoke(() => client.sendCommand(['AUTH', 'user', CANARY]));
  await provoke(() => client.multi().set('text', CANARY).incr('text').addCommand(['NOSUCH', CANARY]).exec());
  await provoke(() =>
    client
      .multi()
      .set('text', CANARY)
      .incr('text')
      .addCommand(['EVAL', `return redis.error_reply('ERR ' .. ARGV[1])`, '0', CANARY])
      .exec(),
  );
  await provoke(() =>
    client.multi().addCommand(['EVAL', `return redis.error_reply('ERR ' .. ARGV[1])`, '0', CANARY]).execAsPipeline(),
  );
  await provoke(() =>
    client
      .withCommandOptions({ timeout: 1 })
      .sendCommand([
        'EVAL',
        `local t=redis.call('TIME')[1]+0; while redis.call('TIME')[1]+0 < t+1 do end return ARGV[1]`,
        '0',
        CANARY,
      ]),
  );
  await provoke(() => client.withAbortSignal(AbortSignal.abort(new Error('stop'))).set('k', CANARY));

  // A connection that breaks under a write, and a peer that breaks the protocol with the secret in hand.
  await using scripted = await startScriptedServer({ onCommand: (_, peer) => void peer.reset() });
  const broken = watched({ url: scripted.url, password: CANARY, socket: { reconnectStrategy: false } });
  await broken.connect();
  await provoke(() => broken.set(CANARY, CANARY));
  await using garbling = await startScriptedServer({ onCommand: (command) => `@${command.join(' ')}\r\n` });
  const garbled = watched({ url: garbling.url, password: CANARY, socket: { reconnectStrategy: false } });
  await garbled.connect();
  await provoke(() => garbled.set(CANARY, CANARY));
  await waitFor(() => !garbled.isOpen);

  process.off('warning', onWarning);
  for (const unsubscribe of channels) unsubscribe();
  assert.ok(provoked >= 28, `only ${provoked} errors were provoked`);
  assert.ok(seen.texts.length > 100);
  assert.deepEqual(seen.leaks(), []);
});
