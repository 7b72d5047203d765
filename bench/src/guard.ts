/**
 * Guard beside what applications use today, in turns, against one server. Encrypted sessions are measured against
 * plaintext ones; prints operations a second and ratios with their spread.
 *
 *   npm run bench:guard -- [--rounds 5] [--ms 800]
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { Encryption, keysFromValue, RateLimiter, Sessions, sodiumAccelerator } from '@redkeep/guard';
import { startServer } from '@redkeep/testing';
import { createClient, RESP_TYPES } from 'redkeep';
import { installPeers } from './install-peers.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, ms: { type: 'string', default: '800' } },
});
const CALLERS = 50;

// biome-ignore lint/suspicious/noExplicitAny: modules that are installed on demand; see peers.ts
type Foreign = any;
const load = (name: string): Foreign => createRequire(new URL('../peers/package.json', import.meta.url))(name);

interface Contender {
  readonly name: string;
  run(caller: number): Promise<unknown>;
}

await using server = await startServer();
const url = `redis://127.0.0.1:${server.port}`;
const client = await createClient({ url }).connect();
const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
installPeers();
const nodeRedis = await load('redis').createClient({ url }).connect();
const { RedisStore } = load('connect-redis');
const { RateLimiterRedis } = load('rate-limiter-flexible');

const encryption = new Encryption({ keys: keysFromValue([randomBytes(32)]), environment: 'bench' });
const data = { user: 'u-1029384756', roles: ['reader', 'editor'], csrf: 'x'.repeat(32), note: 'y'.repeat(120) };
const text = JSON.stringify({ ...data, cookie: {} });
const place = { space: 'bench', key: 'bench:sealed' };
const sessions = new Sessions({ client, encryption });
const session = await sessions.create({ data });
// One for each caller: saving one session at once is a conflict, as it should be.
const saved = await Promise.all(Array.from({ length: CALLERS }, () => sessions.create({ data })));
const store = new RedisStore({ client: nodeRedis, prefix: 'bench:cr:' });
const callback = (start: (done: (error: unknown, value?: unknown) => void) => unknown) =>
  new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
/** As many as can be counted: nobody is to be refused here. */
const limit = { limit: 6e7, periodMs: 60_000 };
const gcra = new RateLimiter({
  client,
  timeoutMs: 5000,
  limits: [{ name: 'bench', ...limit }],
  onError: (error) => {
    throw error;
  },
});
const flexible = new RateLimiterRedis({ storeClient: nodeRedis, useRedisPackage: true, points: 1e9, duration: 60 });
const expiration = { type: 'EX', value: 3600 } as const;

await nodeRedis.set('bench:plain', text);
await client.set(place.key, await encryption.seal(text, place), { expiration });
await callback((done) => store.set('one', { ...data, cookie: {} }, done));

const accelerated = new Encryption({
  keys: keysFromValue([randomBytes(32)]),
  environment: 'bench',
  accelerator: sodiumAccelerator(load('sodium-native')),
});
const fastPlace = { space: 'bench', key: 'bench:sealed:sodium' };
await client.set(fastPlace.key, await accelerated.seal(text, fastPlace), { expiration });

const fastSessions = new Sessions({ client, encryption: accelerated });
const fastSession = await fastSessions.create({ data });

/** Ours and theirs; ratios are each of ours to each of theirs. */
const groups: Record<string, { ours: Contender[]; theirs: Contender[] }> = {
  'session get': {
    ours: [
      {
        name: 'redkeep, sealed value',
        run: async () => JSON.parse(String(await encryption.open((await bytes.get(place.key))!, place))),
      },
      {
        name: 'redkeep, sealed by sodium',
        run: async () => JSON.parse(String(await accelerated.open((await bytes.get(fastPlace.key))!, fastPlace))),
      },
      { name: 'redkeep Sessions.load', run: () => sessions.load(session.id) },
      { name: 'redkeep Sessions.load, sodium', run: () => fastSessions.load(fastSession.id) },
    ],
    theirs: [
      { name: 'node-redis, plaintext', run: async () => JSON.parse(await nodeRedis.get('bench:plain')) },
      { name: 'connect-redis, plaintext', run: () => callback((done) => store.get('one', done)) },
    ],
  },
  'session set': {
    ours: [
      {
        name: 'redkeep, sealed value',
        run: async () => client.set(place.key, await encryption.seal(JSON.stringify(data), place), { expiration }),
      },
      {
        name: 'redkeep, sealed by sodium',
        run: async () =>
          client.set(fastPlace.key, await accelerated.seal(JSON.stringify(data), fastPlace), { expiration }),
      },
      { name: 'redkeep Sessions.save', run: (caller) => sessions.save(saved[caller]!) },
      { name: 'redkeep Sessions.touch', run: () => sessions.touch(session) },
    ],
    theirs: [
      { name: 'node-redis, plaintext', run: () => nodeRedis.set('bench:plain', JSON.stringify(data), { expiration }) },
      {
        name: 'connect-redis, plaintext',
        run: () => callback((done) => store.set('one', { ...data, cookie: {} }, done)),
      },
    ],
  },
  'rate limit check': {
    ours: [{ name: 'redkeep GCRA', run: () => gcra.check('client') }],
    theirs: [{ name: 'rate-limiter-flexible', run: () => flexible.consume('client') }],
  },
};

interface Measured {
  /** Operations a second. */
  readonly rate: number;
  /** Microseconds of this process's CPU an operation: what a busy machine disturbs least. */
  readonly cpu: number;
}

/** 50 callers, for `ms` milliseconds. */
async function measure(contender: Contender, ms: number): Promise<Measured> {
  const before = process.cpuUsage();
  const start = performance.now();
  const end = start + ms;
  let done = 0;
  const caller = async (index: number) => {
    while (performance.now() < end) {
      await contender.run(index);
      done++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(index)));
  const { user, system } = process.cpuUsage(before);
  return { rate: (done * 1000) / (performance.now() - start), cpu: (user + system) / done };
}

const sorted = (numbers: number[]) => [...numbers].sort((a, b) => a - b);
const median = (numbers: number[]) => sorted(numbers)[numbers.length >> 1]!;
const lines: string[] = [];
for (const [group, { ours, theirs }] of Object.entries(groups)) {
  const rates = new Map([...ours, ...theirs].map((contender) => [contender, [] as Measured[]]));
  for (const contender of rates.keys()) await measure(contender, 200);
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [contender, measured] of rates) measured.push(await measure(contender, Number(values.ms)));
  lines.push('', `${group}, ${CALLERS} callers`);
  for (const [{ name }, measured] of rates)
    lines.push(
      `  ${name.padEnd(30)} ${Math.round(median(measured.map(({ rate }) => rate)))
        .toLocaleString('en')
        .padStart(9)}/s ${median(measured.map(({ cpu }) => cpu))
        .toFixed(1)
        .padStart(6)} us CPU`,
    );
  for (const one of ours) {
    for (const other of theirs) {
      const ratios = sorted(rates.get(one)!.map(({ rate }, round) => rate / rates.get(other)![round]!.rate));
      const spread = `${ratios[0]!.toFixed(2)}-${ratios.at(-1)!.toFixed(2)}`;
      lines.push(`  ${one.name} is ${median(ratios).toFixed(2)} x ${other.name} (${spread})`);
    }
  }
}
process.stdout.write(`${lines.join('\n').trimStart()}\n`);
client.destroy();
nodeRedis.destroy();
