import { sha256 } from '../../digest.js';
import type { DirectClient } from '../../redis/redis.js';
import { Sessions } from '../../session/sessions.js';
import { testEncryption } from '../support.js';
import { type Meeting, type Outcome, pairsOf, type Scenario, triplesOf } from './explore.js';

const encryption = testEncryption();
const USER = 'ana';
const LIMIT = 2;

type Operation = (s: Sessions, present: Present) => Promise<unknown>;

/** What is there before the operations meet: a session of the user, and its id. */
interface Present {
  readonly id: string;
}

/**
 * Each operation as a request would do it. `expires` is what Redis does when the idle time is over.
 */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: (s) => s.create({ user: USER, data: {} }),
  load: (s, { id }) => s.load(id),
  touch: async (s, { id }) => {
    const session = await s.load(id);
    return session && s.touch(session);
  },
  save: async (s, { id }) => {
    const session = await s.load(id);
    if (session !== undefined) await s.save(session);
  },
  rotate: async (s, { id }) => {
    const session = await s.load(id);
    return session && s.rotate(session);
  },
  switch: async (s, { id }) => {
    const session = await s.load(id);
    return session && s.rotate(session, { user: 'eva' });
  },
  login: async (s) => s.rotate(await s.create({ data: {} }), { user: USER }),
  destroy: (s, { id }) => s.destroy(id),
  destroyAll: (s) => s.destroyAll(USER),
  count: (s) => s.count(USER),
};

/** Operations that meet in pairs, and those of which three meet. */
export function sessionScenarios(triples: boolean): Scenario[] {
  const names = Object.keys(OPERATIONS);
  const meetings: (readonly string[])[] = [...pairsOf(names), ...names.map((name) => [name, 'expires'])];
  if (triples) meetings.push(...triplesOf(['create', 'switch', 'destroyAll', 'destroy']));
  return meetings.flatMap((meeting) =>
    (['evict-oldest', 'refuse'] as const).map((onLimit) => scenarioOf(meeting, onLimit)),
  );
}

function scenarioOf(names: readonly string[], onLimit: 'evict-oldest' | 'refuse'): Scenario {
  return {
    name: `sessions: ${names.join(' + ')}, ${onLimit}`,
    async prepare(client) {
      const open = (on: DirectClient) => new Sessions({ client: on, encryption, maxPerUser: LIMIT, onLimit });
      const own = open(client);
      const { id } = await own.create({ user: USER, data: {} });
      const key = `sess:{${id.slice(0, 22)}}`;
      const operations: Record<string, (scheduled: DirectClient) => Promise<unknown>> = {};
      for (const [at, name] of names.entries()) {
        const operation = OPERATIONS[name];
        operations[`${at + 1}:${name}`] = (scheduled) =>
          operation === undefined ? scheduled.sendCommand(['DEL', key]) : operation(open(scheduled), { id });
      }
      return { operations, check: (outcomes) => check(client, own, id, outcomes) } satisfies Meeting;
    },
  };
}

async function check(
  client: DirectClient,
  sessions: Sessions,
  id: string,
  outcomes: Readonly<Record<string, Outcome>>,
): Promise<string | undefined> {
  const done = (name: string) =>
    Object.entries(outcomes).some(([key, { status }]) => key.endsWith(`:${name}`) && status === 'done');
  for (const [name, outcome] of Object.entries(outcomes)) {
    const { code } = (outcome.status === 'failed' ? outcome.error : {}) as { code?: string };
    if (outcome.status === 'failed' && !/^REDKEEP_SESSION_/.test(code ?? '')) return `${name} failed: ${outcome.error}`;
  }
  if (done('destroy') && (await sessions.load(id)) !== undefined) return 'a session lives after its logout';
  if (done('destroyAll') && (await sessions.load(id))?.user === USER)
    return 'a session lives after "log out everywhere"';
  const live = await liveFamilies(client);
  for (const user of [USER, 'eva']) {
    const hash = sha256(`user:${user}`);
    const own = live.filter((session) => session.user === hash);
    if (own.length > LIMIT) return `${user} has ${own.length} sessions, ${LIMIT} are allowed`;
    const index = (await client.sendCommand(['ZRANGE', `sess:user:{${hash}}`, '0', '-1'])) as unknown[];
    const listed = index.map(String);
    if (own.some(({ family }) => !listed.includes(family))) return `a session of ${user} is not in the index`;
  }
  await sessions.destroyAll(USER);
  if ((await sessions.count(USER)) !== 0) return 'sessions survive "log out everywhere"';
  return undefined;
}

async function liveFamilies(client: DirectClient): Promise<{ readonly family: string; readonly user: string }[]> {
  const keys = ((await client.sendCommand(['KEYS', 'sess:{*'])) as unknown[]).map(String);
  const found = await Promise.all(
    keys.map(async (key) => {
      const [proof, user] = (await client.sendCommand(['HMGET', key, 'p', 'u'])) as unknown[];
      return proof === null ? undefined : { family: key.slice(6, -1), user: String(user) };
    }),
  );
  return found.filter((session) => session !== undefined);
}
