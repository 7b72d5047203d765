import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, waitFor } from '@redkeep/testing';
import type { RedisClient } from 'redkeep';
import { dataNodes } from '../../deployment/model.js';
import { killRedkeep, runRedkeep } from '../../testing/killed-redkeep.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';
import { topologyNames } from '../../vocabulary/names.js';

// `npm run test:kills` has every topology and every moment; REDKEEP_KILLS=cluster every moment of one.
const wanted = process.env['REDKEEP_KILLS'];
const full = wanted !== undefined;
const topologies = topologyNames.filter((name) => (wanted ?? 'single') === name || wanted === 'full');
const steps = ['held', 'safe', 'loading', 'loaded', 'released'];
const every = [...steps.flatMap((step) => [`${step}:begun`, `${step}:done`]), 'halfway'];
/** Where most is open: all keys are gone. */
const chosen = ['loading:done'];
const keys = full ? 6000 : 500;

for (const topology of topologies) {
  describe(`a restore into a ${topology} deployment that is killed`, () => {
    let sandbox: CliSandbox;
    let admins: RedisClient[];
    const flags = ['--store', 'store', '--identity', 'identity.txt', '--into', 'redkeep', '--yes'];
    const restore = ['restore', ...flags, '--source', 'redkeep'];
    const undo = ['restore', 'undo', ...flags];

    before(async () => {
      sandbox = await CliSandbox.create();
      const made = ['--topology', topology, '--profile', 'production', '--port', String(await freePort())];
      assert.equal((await sandbox.run(['init', '--yes', ...made, '--memory', '100'])).code, 0);
      const up = await sandbox.run(['up', '--detach']);
      assert.equal(up.code, 0, up.err);
      const { deployment, connect } = await openDeployment(sandbox);
      admins = await Promise.all(dataNodes(deployment).map((node) => connect('admin', node)));
      for (const admin of admins) await admin.configSet('repl-diskless-sync-delay', '0');
      await write(Array.from({ length: keys }, (_, key) => [`order:${key}`, `paid ${key}`]));
      const recipient = (await sandbox.run(['backup', 'key', 'new', 'identity.txt'])).out.trim();
      const run = await sandbox.run(['backup', 'run', '--on-primary', '--store', 'store', '--recipient', recipient]);
      assert.equal(run.code, 0, run.err);
      old = await state();
      // What the restore replaces: keys that are gone, changed and new.
      await write([
        ['order:1', 'changed'],
        ['order:new', 'since the backup'],
      ]);
      await write(Array.from({ length: 40 }, (_, key) => [`order:${key + 100}`, null]));
      now = await state();
      assert.notEqual(now, old);
    });
    after(async () => {
      for (const admin of admins ?? []) admin.destroy();
      await sandbox.remove();
    });

    let old: string;
    let now: string;

    async function primaries(): Promise<RedisClient[]> {
      const roles = await Promise.all(admins.map(async (admin) => String(await admin.sendCommand(['ROLE']))));
      return admins.filter((_, index) => roles[index]!.startsWith('master'));
    }

    /** Writes or deletes keys on whichever primary takes them. */
    async function write(pairs: readonly (readonly [string, string | null])[]): Promise<void> {
      const all = await primaries();
      for (let at = 0; at < pairs.length; at += 500) {
        await Promise.all(
          pairs.slice(at, at + 500).map(async ([key, value]) => {
            const refusals: string[] = [];
            for (const primary of all) {
              const done = value === null ? primary.del(key) : primary.set(key, value);
              const refusal = await done.then(() => undefined, String);
              if (refusal === undefined) return;
              refusals.push(refusal);
            }
            throw new Error(`no primary took ${key}: ${refusals.join('; ')}`);
          }),
        );
      }
    }

    /** Everything there is, and whether the application may log in on every node. */
    async function state(): Promise<string> {
      const pairs: string[] = [];
      for (const primary of await primaries()) {
        const names = await primary.sendCommand<string[]>(['KEYS', '*']);
        const values = await Promise.all(names.map((name) => primary.get(name)));
        pairs.push(...names.map((name, index) => `${name}=${values[index]}`));
      }
      const lists = await Promise.all(admins.map(async (admin) => String(await admin.sendCommand(['ACL', 'LIST']))));
      return JSON.stringify([pairs.sort(), lists.map((list) => /user app (on|off) /.exec(list)?.[1])]);
    }

    /** Ends the process when some of the keys are there. */
    async function killHalfway(args: readonly string[]): Promise<void> {
      const count = async () => {
        const sizes = await Promise.all((await primaries()).map((primary) => primary.dbSize()));
        return sizes.reduce((sum, size) => sum + Number(size), 0);
      };
      const whole = await count();
      const { signal, err } = await runRedkeep(sandbox, args, {}, (child) => {
        void (async () => {
          await waitFor(async () => (await count()) < whole / 2, { timeout: 120_000, interval: 1 });
          await delay(2);
          child.kill('SIGKILL');
        })();
      });
      assert.equal(signal, 'SIGKILL', err);
    }

    const kill = (args: readonly string[], moment: string) =>
      moment === 'halfway' ? killHalfway(args) : killRedkeep(sandbox, args, moment);

    async function done(args: readonly string[]): Promise<void> {
      const { code, err } = await runRedkeep(sandbox, args);
      assert.equal(code, 0, err);
    }

    for (const moment of full ? every : []) {
      test(`at "${moment}" ends as if it had not been, and so does its undo`, async () => {
        await kill(restore, moment);
        await done(restore);
        assert.equal(await state(), old);
        const moments = ['loading:begun', 'loading:done', 'undone:begun', 'halfway'];
        await kill(undo, moments[every.indexOf(moment) % moments.length]!);
        await done(undo);
        assert.equal(await state(), now);
      });
    }

    for (const moment of full ? every : chosen) {
      test(`at "${moment}" is undone at once`, async () => {
        await kill(restore, moment);
        // Before the first step is on disk nothing has happened.
        if (moment === 'held:begun') {
          assert.match((await runRedkeep(sandbox, undo)).err, /REDKEEP_BACKUP_NOT_FOUND/);
        } else {
          if (moment === 'loading:done') {
            // Of other keys it would leave the rest as it is now.
            const other = await sandbox.run([...restore, '--keys', 'order:7']);
            assert.match(other.err, /REDKEEP_BUSY/);
          }
          await done(undo);
        }
        assert.equal(await state(), now);
      });
    }
  });
}
