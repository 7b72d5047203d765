import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refused, testEncryption, useServer } from '../testing/support.js';
import { IdempotencyKeys, type IdempotencyOptions } from './idempotency.js';

const redis = useServer();
const open = (options: Partial<IdempotencyOptions> = {}) =>
  new IdempotencyKeys({ client: redis.client, encryption: testEncryption(), ...options });
let keys = 0;
const request = (fields = {}) => ({
  key: `key-${String(keys++).padStart(16, '0')}`,
  scope: 'ana',
  fingerprint: 'POST /pay 100',
  ...fields,
});

test('a request runs once: twins wait for its answer, a repeated one gets it', async () => {
  const once = open({ waitMs: 20_000 });
  const one = request();
  let runs = 0;
  const work = async () => {
    runs += 1;
    await new Promise(setImmediate);
    return { charged: runs };
  };
  const all = await Promise.all(Array.from({ length: 20 }, () => once.run(one, work)));
  assert.equal(runs, 1);
  assert.ok(all.every(({ value }) => value.charged === 1));
  assert.equal(all.filter(({ replayed }) => !replayed).length, 1);
  assert.deepEqual(await open().run(one, work), { value: { charged: 1 }, replayed: true });
});

test('a twin that does not wait is refused, and another request or user with the key does not get the answer', async () => {
  const once = open();
  const one = request();
  let finish: (value: string) => void = () => undefined;
  const running = once.run(one, () => new Promise<string>((resolve) => (finish = resolve)));
  await refused(async () => {
    for (;;) await once.run(one, () => Promise.reject(new Error('ran twice')));
  }, 'REDKEEP_IDEMPOTENCY_RUNNING');
  finish('hers');
  assert.equal((await running).value, 'hers');
  const other = { ...one, fingerprint: 'POST /pay 1000000' };
  await refused(() => once.run(other, async () => 'x'), 'REDKEEP_IDEMPOTENCY_MISMATCH');
  assert.equal((await once.run({ ...one, scope: 'leo' }, async () => 'his')).value, 'his');
});

test('what failed may be tried again, what crashed after its lock, and a run that lost its lock rejects', async () => {
  const once = open({ lockMs: 100, keepMs: 60_000, waitMs: 20_000 });
  const one = request();
  await assert.rejects(
    once.run(one, () => Promise.reject(new Error('card refused'))),
    /card refused/,
  );
  assert.equal((await once.run(one, async () => 'paid')).value, 'paid');
  const two = request();
  const slow = once.run(two, async () => {
    // Another process took this one for crashed.
    const [key] = (await redis.server.command('KEYS', 'idem:*')) as string[];
    assert.ok(key !== undefined);
    for (const name of (await redis.server.command('KEYS', 'idem:*')) as string[])
      await redis.server.command('DEL', name);
    return 'late';
  });
  await refused(() => slow, 'REDKEEP_IDEMPOTENCY_LOST');
});

test('work whose answer cannot be kept is not done again', async () => {
  const once = open({ maxBytes: 100, lockMs: 100, waitMs: 20_000 });
  for (const answer of ['x'.repeat(200), { n: 1n }]) {
    await redis.server.command('FLUSHALL');
    const one = request();
    let runs = 0;
    const work = async () => {
      runs += 1;
      return answer;
    };
    await refused(() => once.run(one, work), 'REDKEEP_VALUE_TOO_LARGE');
    const [ttl] = await Promise.all(
      ((await redis.server.command('KEYS', 'idem:*')) as string[]).map((key) => redis.server.command('PTTL', key)),
    );
    assert.ok(Number(ttl) > 1000, 'kept for longer than the lock');
    await refused(() => once.run(one, work), 'REDKEEP_VALUE_TOO_LARGE');
    assert.equal(runs, 1);
  }
  for (const wrong of [{ waitMs: Number.NaN }, { waitMs: -1 }, { maxBytes: Number.NaN }])
    await refused(() => open(wrong), 'REDKEEP_GUARD_OPTION');
});

test('answers are sealed, bounded, and keys are checked', async () => {
  const once = open({ maxBytes: 100 });
  await once.run(request(), async () => 'recognisable');
  for (const key of (await redis.server.command('KEYS', 'idem:*')) as string[])
    assert.ok(!String(await redis.server.command('DUMP', key)).includes('recognisable'));
  await refused(() => once.run(request(), async () => 'x'.repeat(200)), 'REDKEEP_VALUE_TOO_LARGE');
  for (const wrong of [{ key: 'short' }, { key: ['a'] }, { scope: '' }, { fingerprint: undefined }])
    await refused(() => once.run(request(wrong) as never, async () => 1), 'REDKEEP_GUARD_ARGUMENT');
});
