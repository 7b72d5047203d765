import { RateLimiter } from '../../rate-limit/rate-limiter.js';
import type { DirectClient } from '../../redis/redis.js';
import { pairsOf, type Scenario, triplesOf } from './explore.js';

type Operation = (limiter: RateLimiter) => Promise<unknown>;
const OPERATIONS: Readonly<Record<string, Operation>> = {
  check: (limiter) => limiter.check('x'),
  twice: async (limiter) => [await limiter.check('x'), await limiter.check('x')],
  peek: (limiter) => limiter.peek('x'),
  penalize: (limiter) => limiter.penalize('x', 1),
  block: (limiter) => limiter.block('x', 3_600_000),
  unblock: (limiter) => limiter.unblock('x'),
};

/** Two limits of both algorithms; two units may pass. */
export function limitScenarios(triples: boolean): Scenario[] {
  const names = Object.keys(OPERATIONS);
  const meetings: (readonly string[])[] = pairsOf(names);
  return [...meetings, ...(triples ? triplesOf(names) : [])].map((meeting) => ({
    name: `limits: ${meeting.join(' + ')}`,
    async prepare(client) {
      const open = (on: DirectClient) =>
        new RateLimiter({
          client: on,
          limits: [
            { name: 'a', limit: 2, periodMs: 3_600_000 },
            { name: 'b', limit: 2, periodMs: 3_600_000, algorithm: 'sliding-window' },
          ],
        });
      const events: string[] = [];
      const operations = meeting.map((name, at) => {
        const run = async (scheduled: DirectClient) => {
          const result = await OPERATIONS[name]!(open(scheduled));
          events.push(name);
          return result;
        };
        return [`${at + 1}:${name}`, run] as const;
      });
      return {
        operations: Object.fromEntries(operations),
        async check(outcomes) {
          const allowed = Object.entries(outcomes)
            .filter(([name, { status }]) => status === 'done' && !name.endsWith(':peek'))
            .flatMap(([, outcome]) => (outcome as { value: unknown }).value)
            .filter((decision) => (decision as { allowed?: boolean } | undefined)?.allowed === true).length;
          if (allowed > 2) return `${allowed} passed a limit of 2`;
          const failed = Object.values(outcomes).find(({ status }) => status === 'failed');
          if (failed !== undefined) return `failed: ${(failed as { error: unknown }).error}`;
          const blocks = events.filter((name) => /block/.test(name));
          const { blocked } = await open(client).peek('x');
          if (blocks.length === 1 && blocks[0] === 'block' && !blocked && !meeting.includes('unblock'))
            return 'a block did not last';
          return undefined;
        },
      };
    },
  }));
}
