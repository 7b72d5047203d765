/** Scripts run as functions where an administrator has loaded them, and otherwise by EVALSHA, with the reason. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngines, startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { Locks } from '../lock/locks.js';
import { guardLibrary } from '../needs.js';
import { refused } from '../testing/support.js';
import { scriptsRun } from './redis.js';

const password = 'a-password-of-the-test';
for (const engine of findEngines().filter(({ name }) => /^(redis-[78]|valkey-9)/.test(name)))
  describe(`on ${engine.name}`, () => {
    /** What was called, how, and what the server denied. */
    async function locked(rules: string, { loads = false, hides = false } = {}) {
      await using server = await startServer({
        engine,
        users: [`user app on >${password} ~lock:* ${rules}`, 'user default on nopass ~* &* +@all'],
        ...(hides ? { config: { 'rename-command': 'FCALL ""' } } : {}),
      });
      if (loads) await server.command('FUNCTION', 'LOAD', guardLibrary(['locks']).code);
      await using client = await createClient({ url: server.url, username: 'app', password }).connect();
      const locks = new Locks({ client });
      let error: unknown;
      for (const name of ['a', 'b']) {
        try {
          await (await locks.acquire(name)).release();
        } catch (cause) {
          error = cause;
        }
      }
      const stats = await server.info('commandstats');
      const calls = (name: string) => Number(/calls=(\d+)/.exec(stats[`cmdstat_${name}`] ?? '')?.[1] ?? 0);
      return { run: scriptsRun(client), error, fcall: calls('fcall'), eval: calls('evalsha') + calls('eval') };
    }
    const all = '+@all';

    test('the library is used from the first call on', async () => {
      assert.deepEqual(await locked(all, { loads: true }), {
        run: { way: 'functions' },
        error: undefined,
        fcall: 4,
        eval: 0,
      });
      const without = await locked(`${all} -eval -evalsha`, { loads: true });
      assert.deepEqual([without.run, without.error], [{ way: 'functions' }, undefined]);
    });

    test('without it scripts are sent, and asked for it once', async () => {
      const { run, error, fcall } = await locked(all);
      assert.deepEqual([run, error, fcall], [{ way: 'scripts', reason: 'not-loaded' }, undefined, 1]);
    });

    test('a user that may not use it sends scripts', async () => {
      const { run, error } = await locked(`${all} -fcall`, { loads: true });
      assert.deepEqual([run, error], [{ way: 'scripts', reason: 'not-permitted' }, undefined]);
    });

    test('a server without functions gets scripts', async () => {
      const { run, error } = await locked(all, { hides: true });
      assert.deepEqual([run, error], [{ way: 'scripts', reason: 'no-functions' }, undefined]);
    });

    test('the error for a user that may do neither names what it lacks', async () => {
      const { error } = await locked(`${all} -fcall -eval -evalsha`, { loads: true });
      await refused(() => Promise.reject(error), 'REDKEEP_STORE_DENIED');
    });
  });
