/** Three masters with a replica each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, RawError, type Server, startCluster } from '@redkeep/testing';
import { createCluster } from 'redkeep';
import { type Scenario, type Strikes, type Truth, underLoad } from '../run.js';
import { TIMEOUTS } from './standalone.js';

const SLOTS = 16_384;

function scenario(
  name: string,
  mayLose: boolean,
  body: (strikes: Strikes, cluster: Cluster) => Promise<void>,
): Scenario {
  return {
    name,
    topology: 'cluster',
    mayLose,
    run: async (options) => {
      await using cluster = await startCluster({ masters: 3, replicas: 3 });
      const client = createCluster({
        rootNodes: cluster.masters.map(({ url }) => ({ url })),
        defaults: TIMEOUTS,
      }).on('error', () => {});
      await client.connect();
      return await underLoad({ ...options, manyServers: true }, client, truthOf(cluster), (strikes) =>
        body(strikes, cluster),
      );
    },
  };
}

/** Asks one node after the other until one does not redirect. */
function truthOf(cluster: Cluster): Truth {
  return async (...args) => {
    let refusal: unknown;
    for (const node of cluster.nodes.filter((candidate) => candidate.isUp)) {
      try {
        return await node.command(...args);
      } catch (error) {
        if (!(error instanceof RawError)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  };
}

/** The first slot of the first master's, whose failover stands for that of all its slots. */
const FIRST_SLOT = 0;

/** Moves the slots that hold keys from one master to another, key by key, as an operator's tool does. */
async function migrate(from: Server, to: Server, cluster: Cluster, most: number): Promise<number> {
  const [fromId, toId] = await Promise.all(
    [from, to].map(async (node) => String(await node.command('CLUSTER', 'MYID'))),
  );
  let moved = 0;
  for (let slot = 0; slot < SLOTS && moved < most; slot++) {
    if (Number(await from.command('CLUSTER', 'COUNTKEYSINSLOT', String(slot))) === 0) continue;
    await to.command('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId!);
    await from.command('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId!);
    for (;;) {
      const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', String(slot), '100')) as string[];
      if (keys.length === 0) break;
      for (const key of keys) await from.command('MIGRATE', to.host, String(to.port), String(key), '0', '5000');
    }
    for (const node of [to, from, ...cluster.masters.filter((master) => master !== to && master !== from)])
      await node.command('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId!);
    moved++;
  }
  return moved;
}

export const CLUSTER: readonly Scenario[] = [
  scenario('slots migrated and migrated back', false, async ({ more, strike, note }, cluster) => {
    const [first, second] = cluster.masters as [Server, Server];
    let slots = 0;
    while (more()) {
      await strike(async () => {
        slots += await migrate(first, second, cluster, 4);
      });
      await strike(async () => {
        slots += await migrate(second, first, cluster, 4);
      });
    }
    note(`${slots} slots with keys moved`);
  }),
  scenario('failover on demand (CLUSTER FAILOVER)', false, async ({ strike, note }, cluster) => {
    const old = await cluster.ownerOf(FIRST_SLOT);
    const start = performance.now();
    await strike(async () => {
      await cluster.replicas[0]!.command('CLUSTER', 'FAILOVER');
      await cluster.failedOver(FIRST_SLOT, old);
      note(`the cluster itself took ${Math.round(performance.now() - start)} ms`);
    });
  }),
  scenario('master killed (kill -9), then back', true, async ({ strike, note }, cluster) => {
    const old = await cluster.ownerOf(FIRST_SLOT);
    const start = performance.now();
    await strike(async () => {
      await old.kill('SIGKILL');
      await cluster.failedOver(FIRST_SLOT, old);
      await cluster.settled();
      note(`the cluster itself took ${Math.round(performance.now() - start)} ms`);
    });
    await strike(() => old.start());
  }),
  scenario('master paused (SIGSTOP), stale when back', true, async ({ strike, note }, cluster) => {
    const [old, witness] = cluster.masters as [Server, Server];
    const start = performance.now();
    await strike(async () => {
      old.pause();
      while ((await ownerSeenBy(witness)) === old.port) await sleep(20);
      note(`the cluster itself took ${Math.round(performance.now() - start)} ms`);
    });
    await strike(async () => {
      old.resume();
      await sleep(1000);
    });
  }),
];

/** The port of who serves FIRST_SLOT, as one node sees it: a paused one cannot be asked. */
async function ownerSeenBy(node: Server): Promise<number | undefined> {
  const ranges = (await node.command('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  return ranges.find(([first, last]) => first <= FIRST_SLOT && FIRST_SLOT <= last)?.[2][1];
}
