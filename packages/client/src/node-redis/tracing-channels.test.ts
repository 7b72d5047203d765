import assert from 'node:assert/strict';
import { tracingChannel } from 'node:diagnostics_channel';
import { test } from 'node:test';
import { startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client/client.js';

interface Context {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly batchMode?: string;
  readonly batchSize?: number;
  readonly database?: number;
  readonly serverAddress: string;
  readonly serverPort: number;
  readonly clientId: string;
  readonly error?: Error;
}

test("node-redis's tracing channels have its names, steps and fields, and no argument", async (t) => {
  await using server = await startServer();
  const heard: [name: string, step: string, context: Context][] = [];
  for (const name of ['command', 'batch', 'connect']) {
    const note = (step: string) => (context: unknown) => void heard.push([name, step, context as Context]);
    const subscribers = {
      start: note('start'),
      end: note('end'),
      asyncStart: note('asyncStart'),
      asyncEnd: note('asyncEnd'),
      error: note('error'),
    };
    const channel = tracingChannel(`node-redis:${name}`);
    channel.subscribe(subscribers);
    t.after(() => channel.unsubscribe(subscribers));
  }
  await using client = await createClient({ url: server.url, database: 2 }).connect();
  await client.set('key', 'c4nary');
  await client.configGet('maxmemory');
  await assert.rejects(client.lPush('key', 'c4nary'));
  await client.multi().set('a', 'c4nary').get('a').exec();
  await client.multi().set('a', 'c4nary').get('a').execAsPipeline();
  const ended = () => heard.filter(([name, step]) => name === 'command' && step === 'asyncEnd');
  await waitFor(() => ended().length === 5);
  assert.deepEqual(
    ended().map(([, , { command, args, batchMode }]) => [command, args, batchMode]),
    [
      ['SET', ['SET', '?', '?'], undefined],
      ['CONFIG', ['CONFIG', 'GET', '?'], undefined],
      ['LPUSH', ['LPUSH', '?', '?'], undefined],
      ['SET', ['SET', '?', '?'], 'PIPELINE'],
      ['GET', ['GET', '?'], 'PIPELINE'],
    ],
  );
  assert.deepEqual(
    heard.filter(([name, step]) => name === 'batch' && step === 'asyncEnd').map(([, , { batchMode }]) => batchMode),
    ['MULTI', 'PIPELINE'],
  );
  assert.deepEqual(
    heard.filter(([name]) => name === 'connect').map(([, step]) => step),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  );
  const [, , first] = ended()[0]!;
  assert.deepEqual([first.database, first.serverAddress, first.serverPort], [2, '127.0.0.1', server.port]);
  assert.ok(heard.every(([, , { clientId }]) => clientId === first.clientId));
  const [failed] = heard.filter(([, step]) => step === 'error');
  assert.match(failed![2].error!.message, /^WRONGTYPE/);
  assert.ok(!JSON.stringify(heard).includes('c4nary'));
});
