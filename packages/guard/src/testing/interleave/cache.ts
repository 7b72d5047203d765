import { Cache } from '../../cache/cache.js';
import type { DirectClient } from '../../redis/redis.js';
import type { Scenario } from './explore.js';

type Operation = (cache: Cache, client: DirectClient) => Promise<unknown>;

/** What the cache is of: a value in a store of its own, read and written in the schedule, too. */
const read = async (client: DirectClient) => String(await client.sendCommand(['GET', 'source']));
const OPERATIONS: Readonly<Record<string, Operation>> = {
  get: (cache, client) => cache.get('k', () => read(client)),
  'change, delete': async (cache, client) => {
    await client.sendCommand(['SET', 'source', 'new']);
    await cache.delete('k');
  },
  'change, set': async (cache, client) => {
    await client.sendCommand(['SET', 'source', 'new']);
    await cache.set('k', 'new');
  },
  'change, clear': async (cache, client) => {
    await client.sendCommand(['SET', 'source', 'new']);
    await cache.clear();
  },
  'ticket expires': (_cache, client) => client.sendCommand(['EVAL', DELETE_TICKETS, '0']),
};
const DELETE_TICKETS = "for _, key in ipairs(redis.call('KEYS', '*:load')) do redis.call('DEL', key) end return 1";

/** Loads beside changes: what was changed is what is read in the end. */
export function cacheScenarios(triples: boolean): Scenario[] {
  const changes = ['change, delete', 'change, set', 'change, clear'];
  const meetings = changes.map((change) => ['get', change]);
  meetings.push(['get', 'ticket expires']);
  if (triples) for (const change of changes) meetings.push(['get', change, 'ticket expires'], ['get', 'get', change]);
  return meetings.flatMap((meeting) => [false, true].map((warm) => scenarioOf(meeting, warm)));
}

function scenarioOf(names: readonly string[], warm: boolean): Scenario {
  return {
    name: `cache: ${names.join(' + ')}${warm ? ', warm' : ''}`,
    async prepare(client) {
      // Two that load at once wait for each other by the clock; a short wait keeps the orders few.
      const loadMs = names.filter((name) => name === 'get').length > 1 ? 1 : 5000;
      const open = (on: DirectClient, waitMs = loadMs) => new Cache({ client: on, ttlMs: 600_000, loadMs: waitMs });
      await client.sendCommand(['SET', 'source', 'old']);
      const own = open(client);
      if (warm) await own.get('k', () => read(client));
      const operations = names.map(
        (name, at) =>
          [`${at + 1}:${name}`, (scheduled: DirectClient) => OPERATIONS[name]!(open(scheduled), scheduled)] as const,
      );
      return {
        operations: Object.fromEntries(operations),
        async check(outcomes) {
          const failed = Object.values(outcomes).find(({ status }) => status === 'failed');
          if (failed !== undefined) return `failed: ${(failed as { error: unknown }).error}`;
          // Who crashes between the change and the delete leaves the old value until its end.
          if (Object.entries(outcomes).some(([name, { status }]) => /change/.test(name) && status === 'crashed'))
            return undefined;
          const [cached, source] = [await open(client, 1).get('k', () => read(client)), await read(client)];
          return cached === source ? undefined : `the cache has ${cached}, the source ${source}`;
        },
      };
    },
  };
}
