import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFaultProxy, startServer } from '@redkeep/testing';
import { createClient } from './index.js';
import { Redis } from './ioredis/index.js';

const DAY_MS = 86_400_000;
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const CLEARS = ['clearTimeout', 'clearInterval', 'clearImmediate'];

/** Fake timers and clocks, as test libraries put them in place of the real ones. */
function freeze() {
  const names = [...TIMERS, ...CLEARS, 'Date'];
  const real = Object.fromEntries(names.map((name) => [name, Reflect.get(globalThis, name)]));
  let now = performance.now();
  const waiting: (() => void)[] = [];
  const collect = (act: () => void) => {
    waiting.push(act);
    const handle = { ref: () => handle, unref: () => handle, refresh: () => handle };
    return handle;
  };
  const fakes = {
    ...Object.fromEntries(TIMERS.map((name) => [name, collect])),
    ...Object.fromEntries(CLEARS.map((name) => [name, () => {}])),
    Date: class extends Date {
      static override now = () => now;
    },
  };
  Object.assign(globalThis, fakes);
  Object.defineProperty(performance, 'now', { value: () => now, configurable: true });
  return {
    /** The clock goes on at once, and what is due runs. */
    jump(ms: number): void {
      now += ms;
      for (const act of waiting.splice(0)) act();
    },
    [Symbol.dispose](): void {
      Object.assign(globalThis, real);
      Reflect.deleteProperty(performance, 'now');
    },
  };
}

interface Subject {
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<unknown>;
  blpop(key: string): Promise<unknown>;
  close(): void;
}
const SUBJECTS: Record<string, (port: number, timeout: number) => Promise<Subject>> = {
  createClient: async (port, timeout) => {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      socket: { reconnectStrategy: 10 },
      commandOptions: { timeout },
    });
    client.on('error', () => {});
    await client.connect();
    return {
      set: (key, value) => client.set(key, value),
      get: (key) => client.get(key),
      blpop: (key) => client.blPop(key, 0.1),
      close: () => client.destroy(),
    };
  },
  'redkeep/ioredis': async (port, commandTimeout) => {
    const redis = new Redis({ port, commandTimeout, retryStrategy: () => 10 });
    redis.on('error', () => {});
    await redis.ping();
    return {
      set: (key, value) => redis.set(key, value),
      get: (key) => redis.get(key),
      blpop: (key) => redis.blpop(key, 0.1),
      close: () => redis.disconnect(),
    };
  },
};

for (const [name, connect] of Object.entries(SUBJECTS)) {
  test(`${name}: a fake clock that jumps ends no command`, async () => {
    await using server = await startServer();
    const subject = await connect(server.port, 60_000);
    using clock = freeze();
    for (const _ of [1, 2]) {
      const answers = Promise.all([subject.set('key', 'value'), subject.get('key'), subject.blpop('none')]);
      clock.jump(DAY_MS);
      assert.deepEqual(await answers, ['OK', 'value', null]);
    }
    subject.close();
  });

  test(`${name}: with a fake clock that never moves commands time out, and lost connections are made again`, async () => {
    await using server = await startServer();
    await using proxy = await startFaultProxy(server.port);
    const subject = await connect(proxy.port, 300);
    {
      using _clock = freeze();
      proxy.cut();
      assert.equal(await subject.set('key', 'value').catch(() => subject.set('key', 'value')), 'OK');
      proxy.stall();
      await assert.rejects(subject.get('key'), { code: 'REDKEEP_TIMEOUT' });
    }
    proxy.unstall();
    subject.close();
  });
}
