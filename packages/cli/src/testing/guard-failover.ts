/**
 * Guard on deployments that `redkeep init` makes, behind Sentinel and on a Cluster, as the user of the application, while
 * a primary is killed. Each takes half a minute, so `npm test` does not run them: npm run test:guard-failover
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';
import {
  AuditReader,
  AuditTrail,
  Cache,
  defineKeyspaces,
  Encryption,
  keysFromValue,
  LeaderElection,
  type Lock,
  Locks,
  OneTimeTokens,
  RateLimiter,
  Semaphores,
  Sessions,
  scriptsRun,
} from '@redkeep/guard';
import { findEngines, freePort, waitFor } from '@redkeep/testing';
import { dataNodes } from '../deployment/model.js';
import { connectApplication } from './connect-application.js';
import { openDeployment } from './open-deployment.js';
import { CliSandbox } from './run-cli.js';

const MINUTE = 60_000;
const COMPONENTS = 'values,sessions,limits,locks+app:,cache,audit,auditor,tokens,semaphores';
const MANY = Array.from({ length: 24 }, (_, at) => `user-${at}`);
const key = randomBytes(32);
const encryption = new Encryption({ keys: keysFromValue(key), environment: 'failover' });
const spaces = defineKeyspaces({ notes: { prefix: 'app:note:', encrypted: true, maxTtlMs: 60 * MINUTE } });

describe('guard on a deployment of init', () => {
  const sandboxes: CliSandbox[] = [];
  after(async () => {
    for (const sandbox of sandboxes) {
      await sandbox.run(['down']);
      await sandbox.remove();
    }
  });

  for (const engine of findEngines().filter(({ name }) => /^(redis-8|valkey-9)/.test(name)))
    for (const topology of ['sentinel', 'cluster'] as const)
      test(`${engine.name}, ${topology}: keeps its promises while a primary is lost`, async () => {
        const sandbox = await CliSandbox.create();
        sandboxes.push(sandbox);
        const port = String(await freePort());
        const answers = ['--server', engine.server, '--topology', topology, '--port', port];
        for (const command of [
          ['init', '--yes', ...answers, '--app', 'app', '--components', `app=${COMPONENTS}`],
          ['up', '--detach'],
        ]) {
          const { code, out, err } = await sandbox.run(command);
          assert.equal(code, 0, `${command.join(' ')}\n${out}${err}`);
        }
        const folder = sandbox.path('redkeep');
        const clients: Awaited<ReturnType<typeof connectApplication>>[] = [];
        const connect = async () => {
          const client = await connectApplication(folder);
          clients.push(client);
          return client;
        };
        const client = await connect();

        const sessions = new Sessions<{ n: number }>({ client, encryption, maxPerUser: 1 });
        const limiter = new RateLimiter({
          client,
          onStoreError: 'deny',
          limits: [{ name: 'api', limit: 2, periodMs: 60 * MINUTE }],
        });
        const tokens = new OneTimeTokens({ client, encryption, key });
        const { notes } = spaces.open(client, { encryption });
        const cache = new Cache({ client, ttlMs: MINUTE });
        const trail = new AuditTrail({ client, chainKey: key, spool: 'none' });
        const semaphores = new Semaphores({ client });
        const made = await Promise.all(MANY.map((user, n) => sessions.create({ user, data: { n } })));
        const links = await Promise.all(MANY.map((subject) => tokens.issue({ purpose: 'link', subject })));
        for (const user of MANY) {
          await notes.set(user, { user }, { ttlMs: 60 * MINUTE });
          await limiter.check(user, 2);
          await cache.get(user, async () => user);
        }
        let listed = 0;
        for await (const _ of notes.keys()) listed += 1;
        assert.equal(listed, MANY.length);
        const permit = await semaphores.acquire('reports', { places: 1, ttlMs: 10 * MINUTE });
        await trail.record({ actor: 'ana', action: 'before' });
        assert.equal(scriptsRun(client)?.way, 'functions');

        const stopping = new AbortController();
        const led: { readonly by: number; readonly lock: Lock }[] = [];
        const candidates = await Promise.all(
          [0, 1].map(async (by) => {
            const election = new LeaderElection({
              locks: new Locks({ client: await connect() }),
              name: 'jobs',
              ttlMs: 2000,
            });
            const over = election.campaign(
              async (lock) => {
                led.push({ by, lock });
                await new Promise((resolve) => lock.signal.addEventListener('abort', resolve, { once: true }));
              },
              { signal: stopping.signal },
            );
            return { election, over };
          }),
        );
        const leaders = () => candidates.filter(({ election }) => election.isLeader).length;
        await waitFor(() => leaders() === 1, { message: 'a leader' });

        const killed = await killPrimary(sandbox, '{jobs}');
        /** Tried again while Redis is away; what it says then counts, errors included. */
        const again = async <T>(action: () => Promise<T>): Promise<T> => {
          const outcome = await waitFor(
            () =>
              action().then(
                (value) => ({ value }),
                (error: { code?: string }) => (error.code === 'REDKEEP_STORE_UNAVAILABLE' ? undefined : { error }),
              ),
            { timeout: 3 * MINUTE, message: `Redis after the loss of ${killed}` },
          );
          if ('error' in outcome) throw outcome.error;
          return outcome.value;
        };

        for (const [n, { id }] of made.entries()) assert.equal((await again(() => sessions.load(id)))?.data.n, n);
        for (const [n, user] of MANY.entries()) {
          const { allowed, source } = await again(() => limiter.check(user));
          assert.deepEqual([allowed, source], [false, 'redis'], 'what was used up is used up');
          assert.deepEqual(await again(() => notes.get(user)), { user });
          assert.equal((await again(() => tokens.redeem('link', links[n]!)))?.subject, user);
          assert.equal(await again(() => tokens.redeem('link', links[n]!)), undefined, 'once');
          await again(() => sessions.create({ user, data: { n: -1 } }));
          assert.equal(await again(() => sessions.load(made[n]!.id)), undefined, 'one session a user');
          assert.equal(await again(() => sessions.destroyAll(user)), 1);
        }
        const place = await again(() =>
          semaphores.acquire('reports', { places: 1 }).then(
            () => 'free',
            (error: { code?: string }) => {
              if (error.code === 'REDKEEP_LOCK_TIMEOUT') return 'taken';
              throw error;
            },
          ),
        );
        assert.equal(place, 'taken');
        await again(() => permit.release());
        await again(() => trail.record({ actor: 'ana', action: 'after' }));
        assert.equal((await again(() => new AuditReader({ client, chainKey: key }).verify())).ok, true);
        assert.equal(scriptsRun(client)?.way, 'functions', 'a new primary has the library, too');

        await waitFor(() => leaders() === 1, { timeout: 3 * MINUTE, message: 'a leader after the failover' });
        const grown = led.map(({ lock }) => lock.token);
        assert.deepEqual(
          grown,
          [...new Set(grown)].sort((a, b) => a - b),
          'tokens grow with every leader',
        );
        const newest = led.at(-1)!.lock;
        await again(() => newest.guardedSet('lock:value:jobs', 'newest', MINUTE));
        const former = led.at(-2)?.lock;
        if (former !== undefined)
          await assert.rejects(
            again(() => former.guardedSet('lock:value:jobs', 'former', MINUTE)),
            { code: 'REDKEEP_LOCK_FENCED' },
          );
        stopping.abort();
        await newest.release().catch(() => undefined);
        await Promise.all(candidates.map(({ over }) => over));
        await trail.close();
        for (const each of clients) each.destroy();
        await sandbox.run(['down']);
      });
});

/** Kills the primary that has a key, as a crash does. Returns its name. */
async function killPrimary(sandbox: CliSandbox, key: string): Promise<string> {
  const { connect, deployment } = await openDeployment(sandbox);
  for (const node of dataNodes(deployment)) {
    const admin = await connect('admin', node);
    try {
      const info = String(await admin.sendCommand(['INFO']));
      const mine = await admin.sendCommand(['EXISTS', key]).then(
        () => true,
        () => false,
      );
      if (!/^role:master/m.test(info) || !mine) continue;
      await waitFor(async () => Number(await admin.sendCommand(['WAIT', '1', '1000'])) >= 1, {
        message: 'a replica in step',
      });
      const pid = Number(/^process_id:(\d+)/m.exec(info)![1]);
      process.kill(pid, 'SIGKILL');
      return node.name;
    } finally {
      admin.destroy();
    }
  }
  throw new Error('no primary has the key');
}
