import { Locks } from '../../lock/locks.js';
import type { DirectClient } from '../../redis/redis.js';
import type { Scenario } from './explore.js';

const HOUR = 3_600_000;

/** Holders that write under their lock; `expires` is what Redis does when a lock's life is over. */
export function lockScenarios(triples: boolean): Scenario[] {
  const meetings = [
    ['work', 'work'],
    ['work', 'expires'],
    ['using', 'using'],
    ['work', 'using'],
  ];
  if (triples) meetings.push(['work', 'work', 'expires'], ['work', 'work', 'work'], ['work', 'using', 'expires']);
  return meetings.map((names) => scenarioOf(names));
}

function scenarioOf(names: readonly string[]): Scenario {
  const expires = names.includes('expires');
  return {
    name: `locks: ${names.join(' + ')}`,
    async prepare(client) {
      let inside = 0;
      let together = 0;
      const tokens: number[] = [];
      const written: number[] = [];
      const enter = (token: number) => {
        tokens.push(token);
        inside += 1;
        together = Math.max(together, inside);
      };
      const work = async (scheduled: DirectClient) => {
        const lock = await new Locks({ client: scheduled }).acquire('l', { ttlMs: 600_000, renew: false });
        enter(lock.token);
        await lock.guardedSet('value', String(lock.token), HOUR);
        written.push(lock.token);
        inside -= 1;
        return lock.release();
      };
      const using = (scheduled: DirectClient) =>
        new Locks({ client: scheduled }).using('l', { ttlMs: 600_000, renew: false }, async (lock) => {
          enter(lock.token);
          await lock.guardedSet('value', String(lock.token), HOUR);
          written.push(lock.token);
          inside -= 1;
        });
      const expire = (scheduled: DirectClient) => scheduled.sendCommand(['DEL', 'lock:{l}']);
      const run = { work, using, expires: expire } as Record<string, (scheduled: DirectClient) => Promise<unknown>>;
      return {
        operations: Object.fromEntries(names.map((name, at) => [`${at + 1}:${name}`, run[name]!])),
        async check(outcomes) {
          if (!expires && together > 1) return `${together} hold the lock together`;
          if (new Set(tokens).size !== tokens.length) return 'two holders have one token';
          const last = Number(await client.sendCommand(['GET', 'value']));
          if (written.length > 0 && last < Math.max(...written)) return 'an older holder has overwritten a newer one';
          for (const [name, outcome] of Object.entries(outcomes)) {
            if (outcome.status !== 'failed') continue;
            const { code } = outcome.error as { code?: string };
            if (!/^REDKEEP_LOCK_/.test(code ?? '')) return `${name} failed: ${outcome.error}`;
          }
          const crashed = Object.values(outcomes).some(({ status }) => status === 'crashed');
          const held = await client.sendCommand(['EXISTS', 'lock:{l}']);
          return !crashed && held !== 0 ? 'the lock is held by nobody' : undefined;
        },
      };
    },
  };
}
