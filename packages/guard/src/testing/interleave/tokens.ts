import { IdempotencyKeys } from '../../idempotency/idempotency.js';
import { Semaphores } from '../../lock/semaphores.js';
import { LoginThrottle } from '../../login/login-throttle.js';
import type { DirectClient } from '../../redis/redis.js';
import { OneTimeTokens } from '../../tokens/one-time-tokens.js';
import { RefreshTokens } from '../../tokens/refresh-tokens.js';
import { keyA, testEncryption } from '../support.js';
import type { Outcome, Scenario } from './explore.js';

const encryption = testEncryption();
const done = (outcomes: Readonly<Record<string, Outcome>>) =>
  Object.entries(outcomes).flatMap(([name, outcome]) =>
    outcome.status === 'done' && outcome.value !== undefined ? [{ name, value: outcome.value }] : [],
  );
const labelled = (
  names: readonly string[],
  run: Readonly<Record<string, (on: DirectClient) => Promise<unknown>>>,
): Record<string, (on: DirectClient) => Promise<unknown>> =>
  Object.fromEntries(names.map((name, at) => [`${at + 1}:${name}`, run[name]!]));

/** A token is redeemed once, whatever else happens to it. */
export function tokenScenarios(triples: boolean): Scenario[] {
  const meetings = [
    ['redeem', 'redeem'],
    ['redeem', 'issue'],
    ['redeem', 'revoke'],
    ['issue', 'issue'],
  ];
  if (triples) meetings.push(['redeem', 'redeem', 'issue'], ['redeem', 'redeem', 'redeem']);
  return meetings.map((names) => ({
    name: `tokens: ${names.join(' + ')}`,
    async prepare(client) {
      const open = (on: DirectClient) => new OneTimeTokens({ client: on, encryption, key: keyA });
      const request = { purpose: 'link', subject: 'ana' };
      const token = await open(client).issue(request);
      const operations = labelled(names, {
        redeem: (on) => open(on).redeem('link', token),
        issue: (on) => open(on).issue(request),
        revoke: (on) => open(on).revoke('link', 'ana'),
      });
      return {
        operations,
        async check(outcomes) {
          const redeemed = done(outcomes).filter(({ name }) => name.endsWith(':redeem')).length;
          if (redeemed > 1) return `redeemed ${redeemed} times`;
          const again = await open(client).redeem('link', token);
          if (redeemed === 1 && again !== undefined) return 'redeemed, and redeemed again';
          const revoked = Object.entries(outcomes).some(
            ([name, { status }]) => /revoke/.test(name) && status === 'done',
          );
          return revoked && again !== undefined ? 'revoked, and redeemed' : undefined;
        },
      };
    },
  }));
}

/** A family has one line of tokens, and none after its end. */
export function refreshScenarios(triples: boolean): Scenario[] {
  const meetings = [
    ['refresh', 'refresh'],
    ['refresh', 'end'],
    ['refresh', 'endAll'],
    ['start', 'endAll'],
    ['end', 'endAll'],
  ];
  if (triples) meetings.push(['refresh', 'refresh', 'endAll'], ['start', 'refresh', 'endAll']);
  return meetings.map((names) => ({
    name: `refresh tokens: ${names.join(' + ')}`,
    async prepare(client) {
      const open = (on: DirectClient) => new RefreshTokens({ client: on, encryption, keys: [keyA] });
      const { token } = await open(client).start('ana');
      const operations = labelled(names, {
        refresh: (on) => open(on).refresh(token),
        end: (on) => open(on).end(token),
        endAll: (on) => open(on).endAll('ana'),
        start: (on) => open(on).start('ana'),
      });
      return {
        operations,
        async check(outcomes) {
          const next = done(outcomes).filter(({ name }) => name.endsWith(':refresh'));
          if (next.length > 1) return `${next.length} tokens follow one`;
          for (const [name, outcome] of Object.entries(outcomes)) {
            const { code } = (outcome.status === 'failed' ? outcome.error : {}) as { code?: string };
            if (outcome.status === 'failed' && !/^REDKEEP_TOKEN_/.test(code ?? '')) return `${name}: ${outcome.error}`;
          }
          const ended = Object.entries(outcomes).some(([name, { status }]) => /:end/.test(name) && status === 'done');
          const works = async (value: string) => {
            const found = await open(client)
              .refresh(value)
              .catch(() => undefined);
            return found !== undefined;
          };
          for (const { value } of next)
            if (ended && (await works((value as { token: string }).token))) return 'ended, and refreshed';
          // What was started beside the end may live, and is then found by the next one.
          await open(client).endAll('ana');
          for (const { value } of done(outcomes).filter(({ name }) => name.endsWith(':start')))
            if (await works((value as { token: string }).token)) return 'a family outlives the end of all';
          return undefined;
        },
      };
    },
  }));
}

/** Work runs once; places are not exceeded; attempts are counted. */
export function onceScenarios(triples: boolean): Scenario[] {
  const counts = triples ? [2, 3] : [2];
  return counts.flatMap((count) => {
    const names = Array.from({ length: count }, () => 'run');
    const idempotency: Scenario = {
      name: `idempotency: ${names.join(' + ')}`,
      async prepare() {
        let runs = 0;
        const request = { key: 'a request of somebody', scope: 'ana', fingerprint: 'x' };
        const run = (on: DirectClient) =>
          new IdempotencyKeys({ client: on, encryption }).run(request, async () => {
            await on.sendCommand(['INCR', 'work']);
            return ++runs;
          });
        return {
          operations: labelled(names, { run }),
          async check(outcomes) {
            if (runs > 1) return `ran ${runs} times`;
            const failed = Object.values(outcomes).find(
              (outcome) =>
                outcome.status === 'failed' &&
                (outcome.error as { code?: string }).code !== 'REDKEEP_IDEMPOTENCY_RUNNING',
            );
            return failed === undefined ? undefined : `failed: ${(failed as { error: unknown }).error}`;
          },
        };
      },
    };
    const places: Scenario = {
      name: `semaphores: ${names.map(() => 'hold').join(' + ')}`,
      async prepare() {
        let inside = 0;
        let most = 0;
        const hold = async (on: DirectClient) => {
          const permit = await new Semaphores({ client: on }).acquire('s', { places: 1, ttlMs: 600_000 });
          most = Math.max(most, ++inside);
          await on.sendCommand(['INCR', 'work']);
          inside -= 1;
          return permit.release();
        };
        return {
          operations: labelled(
            names.map(() => 'hold'),
            { hold },
          ),
          check: async () => (most > 1 ? `${most} hold one place` : undefined),
        };
      },
    };
    const logins: Scenario = {
      name: `logins: ${names.map(() => 'guess').join(' + ')}`,
      async prepare(client) {
        const open = (on: DirectClient) => new LoginThrottle({ client: on, key: keyA, account: { free: 2 } });
        await open(client).begin({ account: 'ana', address: '192.0.2.101' });
        const guess = async (on: DirectClient) =>
          (await open(on).begin({ account: 'ana', address: '192.0.2.101' })).allowed;
        return {
          operations: labelled(
            names.map(() => 'guess'),
            { guess },
          ),
          async check(outcomes) {
            const passed = done(outcomes).filter(({ value }) => value === true).length;
            return passed > 1 ? `${passed} attempts passed where 1 is left` : undefined;
          },
        };
      },
    };
    return [idempotency, places, logins];
  });
}
