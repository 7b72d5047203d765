/** A primary, two replicas and three sentinels. Replication is asynchronous, so a failover may lose writes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type SentinelSetup, startSentinel } from '@redkeep/testing';
import { createSentinel } from 'redkeep';
import { type Scenario, type Strikes, underLoad } from '../run.js';
import { TIMEOUTS } from './standalone.js';

function scenario(name: string, body: (strikes: Strikes, setup: SentinelSetup) => Promise<void>): Scenario {
  return {
    name,
    topology: 'sentinel',
    mayLose: true,
    run: async (options) => {
      await using setup = await startSentinel({ replicas: 2, sentinels: 3 });
      const client = createSentinel({
        name: setup.name,
        sentinelRootNodes: setup.sentinels.map(({ host, port }) => ({ host, port })),
        sentinelClientOptions: { tls: false },
        nodeClientOptions: { ...TIMEOUTS, tls: false },
      }).on('error', () => {});
      await client.connect();
      return await underLoad(
        { ...options, manyServers: true },
        client,
        async (...args) => (await setup.currentPrimary()).command(...args),
        (strikes) => body(strikes, setup),
      );
    },
  };
}

export const SENTINEL: readonly Scenario[] = [
  scenario('failover on demand (SENTINEL FAILOVER)', async ({ strike, note }, setup) => {
    const old = await setup.currentPrimary();
    const start = performance.now();
    await strike(async () => {
      await setup.sentinels[0]!.command('SENTINEL', 'FAILOVER', setup.name);
      await setup.failedOver(old);
      note(`the setup itself took ${Math.round(performance.now() - start)} ms`);
    });
  }),
  scenario('primary killed (kill -9), then back', async ({ strike, note }, setup) => {
    const old = await setup.currentPrimary();
    const start = performance.now();
    await strike(async () => {
      await old.kill('SIGKILL');
      await setup.failedOver(old);
      note(`the setup itself took ${Math.round(performance.now() - start)} ms`);
    });
    await strike(() => old.start());
  }),
  scenario('primary paused (SIGSTOP), stale when back', async ({ strike, note }, setup) => {
    const old = await setup.currentPrimary();
    const start = performance.now();
    await strike(async () => {
      old.pause();
      await setup.failedOver(old);
      note(`the setup itself took ${Math.round(performance.now() - start)} ms`);
    });
    await strike(async () => {
      old.resume();
      await sleep(1000);
    });
  }),
];
