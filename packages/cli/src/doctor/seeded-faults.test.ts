import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Server, startServer } from '@redkeep/testing';
import { createClient, type RedisClient } from 'redkeep';
import type { Endpoint } from '../audit/gather/endpoint.js';
import { openSession } from '../audit/gather/session.js';
import { diagnose } from './diagnose.js';
import type { Finding } from './finding.js';
import { gatherEvidence } from './gather-evidence.js';
import { readHost } from './read-host.js';

/** A fault on a real server: brought about, kept up while the doctor watches, and named by it first. */
interface Seed {
  readonly fault: string;
  readonly expected: string;
  readonly config?: Readonly<Record<string, string>>;
  /** Makes the fault; what it returns keeps it up until the signal. */
  readonly seed: (client: RedisClient, server: Server) => Promise<((signal: AbortSignal) => Promise<void>) | undefined>;
}

const run = (client: RedisClient, ...args: string[]): Promise<unknown> => client.sendCommand(args);

/** Repeats until the signal; failures are the fault itself. */
function repeat(work: () => Promise<unknown>): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    while (!signal.aborted) await work().catch(() => undefined);
  };
}

async function fill(client: RedisClient, count: number, make: (index: number) => string[]): Promise<void> {
  for (let start = 0; start < count; start += 1000)
    await Promise.all(
      Array.from({ length: Math.min(1000, count - start) }, (_, index) => run(client, ...make(start + index))),
    );
}

async function another(server: Server): Promise<RedisClient> {
  const client = createClient({
    url: `redis://127.0.0.1:${server.port}`,
    commandPolicy: 'unrestricted',
    maxScripts: 10_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const seeds: readonly Seed[] = [
  {
    fault: 'writes refused at maxmemory',
    expected: 'errors-oom',
    config: { maxmemory: '3mb', 'maxmemory-policy': 'noeviction' },
    seed: async (client) => repeat(() => run(client, 'APPEND', 'cache:page', 'x'.repeat(20_000))),
  },
  {
    fault: 'an application that keys its way through KEYS',
    expected: 'expensive-command',
    seed: async (client) => {
      await fill(client, 30_000, (index) => ['SET', `user:${index}`, 'x', 'EX', '3600']);
      return repeat(() => run(client, 'KEYS', 'nothing*'));
    },
  },
  {
    fault: 'a script that loops',
    expected: 'slow-script',
    seed: async (client) =>
      repeat(() => run(client, 'EVAL', 'local n = 0 for i = 1, 2000000 do n = n + i end return n', '0')),
  },
  {
    fault: 'one very big key',
    expected: 'big-key',
    seed: async (client) => {
      await fill(client, 200, (index) => ['RPUSH', 'events:all', ...Array.from({ length: 1000 }, () => `${index}`)]);
      return undefined;
    },
  },
  {
    fault: 'evictions',
    expected: 'evictions',
    config: { maxmemory: '3mb', 'maxmemory-policy': 'allkeys-lru' },
    seed: async (client) => {
      let index = 0;
      return repeat(() => run(client, 'SET', `page:${index++}`, 'x'.repeat(10_000), 'EX', '60'));
    },
  },
  {
    fault: 'a new connection for each command',
    expected: 'connection-churn',
    seed: async (_, server) =>
      repeat(async () => {
        const client = await another(server);
        await client.ping();
        client.destroy();
      }),
  },
  {
    fault: 'somebody left MONITOR running',
    expected: 'monitor-attached',
    seed: async (_, server) => {
      const watching = await another(server);
      await run(watching, 'MONITOR');
      return async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        watching.destroy();
      };
    },
  },
  {
    fault: 'a wrong password in one application',
    expected: 'errors-wrongpass',
    seed: async (client) => repeat(() => run(client, 'AUTH', 'worker', 'not-the-password')),
  },
  {
    fault: 'a user without a permission that it needs',
    expected: 'errors-noperm',
    seed: async (client, server) => {
      await run(client, 'ACL', 'SETUSER', 'narrow', 'on', '>narrow-password', '~app:*', '+get', '+hello', '+client');
      const narrow = createClient({
        url: `redis://127.0.0.1:${server.port}`,
        username: 'narrow',
        password: 'narrow-password',
      });
      narrow.on('error', () => undefined);
      await narrow.connect();
      return async (signal) => {
        await repeat(() => run(narrow, 'SET', 'app:1', 'x'))(signal);
        narrow.destroy();
      };
    },
  },
  {
    fault: 'two parts of an application that use one key',
    expected: 'errors-wrongtype',
    seed: async (client) => {
      await run(client, 'LPUSH', 'jobs', '1');
      return repeat(() => run(client, 'INCR', 'jobs'));
    },
  },
  {
    fault: 'connections nearly used up',
    expected: 'connections-exhausted',
    config: { maxclients: '20' },
    seed: async (_, server) => {
      const many = await Promise.all(Array.from({ length: 16 }, () => another(server)));
      return async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        for (const client of many) client.destroy();
      };
    },
  },
  {
    fault: 'snapshots fail',
    expected: 'snapshot-failed',
    config: { 'enable-protected-configs': 'yes' },
    seed: async (client, server) => {
      const { rm, mkdir } = await import('node:fs/promises');
      const { join } = await import('node:path');
      await mkdir(join(server.dir, 'gone'));
      await run(client, 'CONFIG', 'SET', 'dir', join(server.dir, 'gone'));
      await rm(join(server.dir, 'gone'), { recursive: true });
      await run(client, 'BGSAVE');
      const status = async (): Promise<boolean> =>
        String(await run(client, 'INFO', 'persistence')).includes('rdb_last_bgsave_status:err');
      while (!(await status())) await new Promise((resolve) => setTimeout(resolve, 20));
      return undefined;
    },
  },
  {
    fault: 'scripts put together from data',
    expected: 'script-cache-grows',
    seed: async (client) => {
      await fill(client, 1500, (index) => ['EVAL', `return ${index}`, '0']);
      return undefined;
    },
  },
  {
    fault: 'a policy that finds nothing to evict',
    expected: 'policy-cannot-evict',
    config: { maxmemory: '500mb', 'maxmemory-policy': 'volatile-lru' },
    seed: async (client) => {
      await fill(client, 500, (index) => ['SET', `profile:${index}`, 'x']);
      return undefined;
    },
  },
  {
    fault: 'memory nearly full with nothing to evict',
    expected: 'memory-nearly-full',
    config: { maxmemory: '100mb', 'maxmemory-policy': 'noeviction' },
    seed: async (client) => {
      await fill(client, 100, (index) => ['SET', `page:${index}`, 'x'.repeat(50_000), 'EX', '3600']);
      const used = Number(/used_memory:(\d+)/.exec(String(await run(client, 'INFO', 'memory')))?.[1]);
      await run(client, 'CONFIG', 'SET', 'maxmemory', String(Math.ceil(used / 0.94)));
      return undefined;
    },
  },
  {
    fault: 'one path forgets the expiry',
    expected: 'expiry-forgotten',
    seed: async (client) => {
      await fill(client, 400, (index) => ['SET', `sess:${index}`, 'x', 'EX', '3600']);
      await fill(client, 40, (index) => ['SET', `sess:${1000 + index}`, 'x']);
      return undefined;
    },
  },
  {
    fault: 'a subscriber that does not read',
    expected: 'slow-reader',
    config: { 'client-output-buffer-limit': 'pubsub 0 0 0' },
    seed: async (client, server) => {
      const { connect } = await import('node:net');
      const deaf = connect(server.port, '127.0.0.1');
      deaf.on('error', () => undefined);
      deaf.write('SUBSCRIBE news\r\n');
      await new Promise((resolve) => deaf.once('data', resolve));
      deaf.pause();
      await fill(client, 800, () => ['PUBLISH', 'news', 'x'.repeat(50_000)]);
      return async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        deaf.destroy();
      };
    },
  },
  {
    fault: 'commands one by one from many callers',
    expected: 'no-pipelining',
    seed: async (client, server) => {
      await run(client, 'SET', 'page:1', 'x', 'EX', '3600');
      const callers = await Promise.all(Array.from({ length: 8 }, () => another(server)));
      return async (signal) => {
        await Promise.all(callers.map((caller) => repeat(() => run(caller, 'GET', 'page:1'))(signal)));
        for (const caller of callers) caller.destroy();
      };
    },
  },
  {
    fault: 'a single command that stopped everybody',
    expected: 'slow-single-command',
    config: { 'slowlog-log-slower-than': '10000' },
    seed: async (client) => {
      await fill(client, 300, (index) => [
        'RPUSH',
        'list',
        ...Array.from({ length: 300 }, (_, n) => `${index * 300 + n}`),
      ]);
      await run(client, 'SORT', 'list', 'BY', 'nothing_*', 'GET', 'value_*', 'ALPHA', 'LIMIT', '0', '1');
      await run(client, 'EVAL', 'local n = 0 for i = 1, 30000000 do n = n + i end return n', '0');
      await run(client, 'DEL', 'list');
      return undefined;
    },
  },
  {
    fault: 'a cache that misses',
    expected: 'cache-misses',
    seed: async (client) =>
      repeat(() => Promise.all(Array.from({ length: 50 }, (_, n) => run(client, 'GET', `page:${n}`)))),
  },
];

const SECONDS = 1;

async function diagnosisOf(server: Server): Promise<Finding[]> {
  const endpoint: Endpoint = { host: '127.0.0.1', port: server.port, tls: false, timeoutMs: 5000 };
  const evidence = await gatherEvidence(endpoint, {
    seconds: SECONDS,
    keys: 5000,
    showKeys: false,
    now: () => new Date(),
    signal: new AbortController().signal,
    openSession,
    readHost,
  });
  return diagnose(evidence);
}

describe('doctor on seeded faults', () => {
  for (const { fault, expected, config, seed } of seeds)
    test(`names ${expected} first: ${fault}`, async () => {
      await using server = await startServer({ ...(config && { config }) });
      const client = await another(server);
      const stop = new AbortController();
      try {
        const keepUp = await seed(client, server);
        const kept = keepUp?.(stop.signal);
        const findings = await diagnosisOf(server);
        stop.abort();
        await kept;
        assert.equal(
          findings[0]?.id,
          expected,
          JSON.stringify(findings.map(({ id, measured }) => `${id}: ${measured}`)),
        );
      } finally {
        stop.abort();
        client.destroy();
      }
    });
});

describe('doctor on a healthy server', () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  test('finds nothing wrong under ordinary load', async () => {
    const client = await another(server);
    await fill(client, 2000, (index) => ['SET', `sess:${index}`, 'x', 'EX', '3600']);
    const stop = new AbortController();
    const load = repeat(() => Promise.all(Array.from({ length: 20 }, (_, n) => run(client, 'GET', `sess:${n}`))))(
      stop.signal,
    );
    const findings = await diagnosisOf(server);
    stop.abort();
    await load;
    client.destroy();
    assert.deepEqual(findings, []);
  });
});
