import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { RESP_TYPES } from 'redkeep';
import { sha256 } from '../digest.js';
import { keysFromValue } from '../encryption/providers/local.js';
import type { DirectClient, ViewOptions } from '../redis/redis.js';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { newSessionId } from './session-id.js';
import { CREATE, SETTLED_MS } from './session-scripts.js';
import { Sessions, type SessionsOptions } from './sessions.js';

const redis = useServer();
type Data = Record<string, unknown>;

function sessions(options: Partial<SessionsOptions<Data>> = {}): Sessions<Data> {
  return new Sessions<Data>({ client: redis.client, encryption: testEncryption(), ...options });
}

const keyOf = (id: string) => `sess:{${id.slice(0, 22)}}`;
const indexOf = (user: string) => `sess:user:{${sha256(`user:${user}`)}}`;
const members = (user: string) => redis.server.command('ZRANGE', indexOf(user), '0', '-1');
/** Sets back when a session was enlisted, beyond what a login may take. */
const age = (user: string, id: string) =>
  redis.server.command('ZADD', indexOf(user), String(Date.now() * 1000 - SETTLED_MS * 1000 - 1e6), id.slice(0, 22));

/** A client whose first read of a session is answered by Redis at once and given to its caller after `go`. */
function slowReads(client: DirectClient): { client: DirectClient; parked: Promise<void>; go: () => void } {
  let go: () => void = () => undefined;
  let park: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  const parked = new Promise<void>((resolve) => {
    park = resolve;
  });
  let first = true;
  const slowed = (inner: DirectClient): DirectClient => ({
    withCommandOptions: (options: ViewOptions) => slowed(inner.withCommandOptions(options)),
    async sendCommand(args) {
      const reply = await inner.sendCommand(args);
      if (args[0] !== 'HMGET' || !first) return reply;
      first = false;
      park();
      await gone;
      return reply;
    },
  });
  return { client: slowed(client), parked, go };
}

describe('sessions', () => {
  test('are stored under a random id of which Redis sees only a hash, with nothing readable in them', async () => {
    const s = sessions();
    const created = await s.create({ user: 'ana', data: { cart: 'a-recognisable-value' } });
    assert.match(created.id, /^[A-Za-z0-9_-]{54}$/);
    const loaded = await s.load(created.id);
    assert.deepEqual([loaded?.user, loaded?.data], ['ana', { cart: 'a-recognisable-value' }]);
    const dump = String(await redis.server.command('DUMP', keyOf(created.id)));
    for (const secret of ['a-recognisable-value', 'ana', created.id.slice(22)]) assert.ok(!dump.includes(secret));
    const keys = String(await redis.server.command('KEYS', '*'));
    assert.ok(!keys.includes(created.id.slice(22)) && !keys.includes('ana'));
  });

  test('an unknown, malformed or foreign id gives no session and no error', async () => {
    const s = sessions();
    for (const id of ['', 'x', '../../etc', 's%3Aabc.def', 'A'.repeat(54), 'A'.repeat(10_000), 'é'.repeat(54)])
      assert.equal(await s.load(id), undefined);
  });

  test('the right family with a wrong secret is refused', async () => {
    const s = sessions();
    const { id } = await s.create({ data: {} });
    assert.equal(await s.load(id.slice(0, 22) + 'A'.repeat(32)), undefined);
  });

  test("a record copied to one's own session, or one's own proof written into another's, opens nothing", async () => {
    const reasons: string[] = [];
    const s = sessions({ onRefused: (reason) => reasons.push(reason) });
    const admin = await s.create({ user: 'admin', data: {} });
    const mine = await s.create({ user: 'mallory', data: {} });
    const copy = "redis.call('HSET', KEYS[2], ARGV[1], redis.call('HGET', KEYS[1], ARGV[1]))";
    const mallorys = await redis.server.command('HGET', keyOf(mine.id), 'p');
    await redis.server.command('EVAL', copy, '2', keyOf(admin.id), keyOf(mine.id), 'v');
    assert.equal(await s.load(mine.id), undefined);
    // The thief knows the admin's family from the key and writes the hash of an id of their own into it.
    await redis.server.command('HSET', keyOf(admin.id), 'p', String(mallorys));
    assert.equal(await s.load(mine.id), undefined);
    const forged = admin.id.slice(0, 22) + mine.id.slice(22);
    const forgedProof = createHash('sha256').update(forged).digest('base64url');
    await redis.server.command('HSET', keyOf(admin.id), 'p', forgedProof);
    assert.equal(await s.load(forged), undefined);
    assert.deepEqual(reasons, Array(3).fill('REDKEEP_ENCRYPTION_TAMPERED'));
  });

  test('a key that this process lacks is its error, a record in plaintext is not a session', async () => {
    const reasons: string[] = [];
    const { id } = await sessions().create({ data: {} });
    const other = sessions({
      encryption: testEncryption({ keys: keysFromValue([keyB]) }),
      onRefused: (reason) => reasons.push(reason),
    });
    await refused(() => other.load(id), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    const rotated = sessions({ encryption: testEncryption({ keys: keysFromValue([keyB, keyA]) }) });
    assert.ok(await rotated.load(id));
    await redis.server.command('HSET', keyOf(id), 'v', '{"user":"admin","data":{}}');
    assert.equal(await other.load(id), undefined);
    assert.deepEqual(reasons, ['REDKEEP_ENCRYPTION_FOREIGN']);
  });
});

describe('session time limits', () => {
  test('default to one hour idle and are capped at 24 hours', async () => {
    const s = sessions();
    const { id } = await s.create({ data: {} });
    const ttl = Number(await redis.server.command('PTTL', keyOf(id)));
    assert.ok(ttl > 3_590_000 && ttl <= 3_600_000, String(ttl));
    for (const options of [{ absoluteMs: 86_400_001 }, { absoluteMs: 1e12 }, { idleMs: Number.NaN }, { idleMs: 0 }])
      await refused(() => sessions(options), 'REDKEEP_GUARD_OPTION');
    assert.equal(s.maxAgeMs, 86_400_000);
  });

  test('touching moves the idle timeout without rewriting the record, and never past the absolute end', async () => {
    const s = sessions({ idleMs: 60_000, absoluteMs: 60_000 });
    const session = await s.create({ data: { a: 1 } });
    const before = await redis.server.command('HGET', keyOf(session.id), 'v');
    await redis.server.command('PEXPIRE', keyOf(session.id), '5000');
    assert.equal(await s.touch(session), true);
    assert.deepEqual(await redis.server.command('HGET', keyOf(session.id), 'v'), before);
    const ttl = Number(await redis.server.command('PTTL', keyOf(session.id)));
    assert.ok(ttl > 5000 && ttl <= 60_000, String(ttl));
    const end = Number(await redis.server.command('HGET', keyOf(session.id), 'x'));
    await redis.server.command('HSET', keyOf(session.id), 'x', String(end - 50_000));
    assert.equal(await s.touch(session), true);
    assert.ok(Number(await redis.server.command('PTTL', keyOf(session.id))) <= 10_000);
  });

  test('hold when the expiry was removed in Redis: the times inside the sealed record count', async (t) => {
    const reasons: string[] = [];
    const s = sessions({ onRefused: (reason) => reasons.push(reason) });
    const session = await s.create({ data: {} });
    await redis.server.command('PERSIST', keyOf(session.id));
    await redis.server.command('HSET', keyOf(session.id), 'x', '99999999999999');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 3_600_000 });
    assert.equal(await s.load(session.id), undefined);
    assert.deepEqual(reasons, ['expired']);
    t.mock.timers.reset();
    assert.ok(await s.load(session.id));
  });

  test('a clock that is a little off ends no session', async (t) => {
    const s = sessions();
    const { id } = await s.create({ data: {} });
    for (const skew of [-30_000, 30_000]) {
      t.mock.timers.enable({ apis: ['Date'], now: Date.now() + skew });
      assert.ok(await s.load(id));
      t.mock.timers.reset();
    }
  });
});

describe('parallel requests', () => {
  test('a request that ends after logout does not log its user in again', async () => {
    const s = sessions();
    const { id } = await s.create({ user: 'ana', data: {} });
    const slow = (await s.load(id))!;
    await s.destroy(id);
    slow.data['late'] = true;
    await refused(() => s.save(slow), 'REDKEEP_SESSION_GONE');
    assert.equal(await s.touch(slow), false);
    await refused(() => s.rotate(slow), 'REDKEEP_SESSION_GONE');
    assert.equal(await s.load(id), undefined);
  });

  test('the later of two saves rejects, instead of overwriting the earlier', async () => {
    const s = sessions();
    const { id } = await s.create({ data: {} });
    const [one, two] = [(await s.load(id))!, (await s.load(id))!];
    one.data['one'] = 1;
    await s.save(one);
    two.data['two'] = 2;
    await refused(() => s.save(two), 'REDKEEP_SESSION_CONFLICT');
    one.data['again'] = 1;
    await s.save(one);
    assert.deepEqual((await s.load(id))?.data, { one: 1, again: 1 });
  });

  test('update loses no change', async () => {
    const s = sessions();
    const { id } = await s.create({ data: { n: 0 } });
    await Promise.all(Array.from({ length: 5 }, () => s.update(id, (data) => ({ n: (data['n'] as number) + 1 }))));
    assert.deepEqual((await s.load(id))?.data, { n: 5 });
    assert.equal(await s.update('nobody', (data) => data), undefined);
  });
});

describe('rotation', () => {
  test('gives a new id; the one before gains nothing from it, cannot write, and ends', async () => {
    const reasons: string[] = [];
    const s = sessions({ onRefused: (reason) => reasons.push(reason) });
    const fixed = await s.create({ data: { step: 'login form' } });
    const mine = await s.rotate(fixed, { user: 'ana', data: { step: 'logged in' } });
    assert.notEqual(mine.id, fixed.id);
    assert.equal((await s.load(mine.id))?.user, 'ana');
    const old = (await s.load(fixed.id))!;
    assert.deepEqual([old.user, old.data, old.readOnly], [undefined, { step: 'login form' }, true]);
    await refused(() => s.save(old), 'REDKEEP_SESSION_GONE');
    await refused(() => s.rotate(old), 'REDKEEP_SESSION_GONE');
    await redis.server.command('HSET', keyOf(mine.id), 'oe', '1');
    assert.equal(await s.load(fixed.id), undefined);
    assert.deepEqual(reasons, ['old-id']);
    assert.ok(await s.load(mine.id));
  });

  test('without grace the id before is dead at once, and logging out ends both ids', async () => {
    const s = sessions();
    const first = await s.create({ data: {} });
    const second = await s.rotate(first, { graceMs: 0 });
    assert.equal(await s.load(first.id), undefined);
    const third = await s.rotate(second);
    await s.destroy(third.id);
    assert.equal(await s.load(second.id), undefined);
    assert.equal(await s.load(third.id), undefined);
  });

  test('of one session by two requests succeeds once', async () => {
    const s = sessions();
    const { id } = await s.create({ data: {} });
    const [one, two] = [(await s.load(id))!, (await s.load(id))!];
    const outcomes = await Promise.allSettled([s.rotate(one), s.rotate(two)]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), ['fulfilled', 'rejected']);
  });
});

describe("a user's sessions", () => {
  test('all end together, except one if asked, and rotated ones are found', async () => {
    const s = sessions();
    const made = await Promise.all([1, 2, 3].map((n) => s.create({ user: 'eva', data: { n } })));
    const other = await s.create({ user: 'leo', data: {} });
    const rotated = await s.rotate(made[2]!, {});
    assert.equal(await s.count('eva'), 3);
    assert.equal(await s.destroyAll('eva', { except: made[0]!.id }), 2);
    assert.ok(await s.load(made[0]!.id));
    assert.equal(await s.load(made[1]!.id), undefined);
    assert.equal(await s.load(rotated.id), undefined);
    assert.ok(await s.load(other.id));
  });

  test('one being rotated to this user while all are ended does not slip through', async () => {
    const s = sessions();
    const anonymous = await s.create({ data: {} });
    await Promise.allSettled([s.rotate(anonymous, { user: 'zoe', graceMs: 0 }), s.destroyAll('zoe')]);
    await s.destroyAll('zoe');
    assert.equal(await s.count('zoe'), 0);
  });

  test('are limited: the oldest ends, or the new one is refused', async () => {
    const evicting = sessions({ maxPerUser: 2 });
    const first = await evicting.create({ user: 'max', data: {} });
    await evicting.create({ user: 'max', data: {} });
    await evicting.create({ user: 'max', data: {} });
    assert.equal(await evicting.load(first.id), undefined);
    assert.equal(await evicting.count('max'), 2);
    const refusing = sessions({ maxPerUser: 1, onLimit: 'refuse' });
    const only = await refusing.create({ user: 'tim', data: {} });
    await refused(() => refusing.create({ user: 'tim', data: {} }), 'REDKEEP_SESSION_LIMIT');
    // It timed out. While the login was a moment ago, another one could still be on its way.
    await redis.server.command('DEL', keyOf(only.id));
    await refused(() => refusing.create({ user: 'tim', data: {} }), 'REDKEEP_SESSION_LIMIT');
    await age('tim', only.id);
    assert.ok(await refusing.create({ user: 'tim', data: {} }));
  });

  test('a logout leaves no trace that could end another session', async () => {
    const s = sessions({ maxPerUser: 2 });
    const phone = await s.create({ user: 'phone', data: {} });
    for (let i = 0; i < 3; i++) assert.equal(await s.destroy((await s.create({ user: 'phone', data: {} })).id), true);
    assert.ok(await s.load(phone.id));
    assert.deepEqual(await members('phone'), [phone.id.slice(0, 22)]);
  });

  test('a session that timed out frees its place instead of ending a live one', async () => {
    const s = sessions({ maxPerUser: 2 });
    const live = await s.create({ user: 'idle', data: {} });
    const idle = await s.create({ user: 'idle', data: {} });
    await redis.server.command('DEL', keyOf(idle.id));
    await age('idle', idle.id);
    await s.create({ user: 'idle', data: {} });
    assert.ok(await s.load(live.id));
  });

  test('what is refused as too large has ended nobody', async () => {
    const s = sessions({ maxPerUser: 1, maxBytes: 1000 });
    const first = await s.create({ user: 'big', data: {} });
    await refused(() => s.create({ user: 'big', data: { text: 'x'.repeat(2000) } }), 'REDKEEP_VALUE_TOO_LARGE');
    assert.ok(await s.load(first.id));
  });

  test('keep their index, whatever another application with shorter lives does on the same prefix', async () => {
    const s = sessions();
    const { id } = await s.create({ user: 'long', data: {} });
    await sessions({ idleMs: 1000, absoluteMs: 1000 }).create({ user: 'long', data: {} });
    const ttl = Number(await redis.server.command('PTTL', indexOf('long')));
    assert.ok(ttl > 86_000_000, String(ttl));
    assert.equal(await s.destroyAll('long'), 2);
    assert.equal(await s.load(id), undefined);
  });

  test('a login that was begun before "log out everywhere", and is stored after it, does not live', async () => {
    const s = sessions();
    for (const age of [0, 20_000_000]) {
      const family = newSessionId().slice(0, 22);
      await redis.server.command('ZADD', indexOf('late'), String(Date.now() * 1000 - age), family);
      if (age === 0) assert.equal(await s.destroyAll('late'), 0);
      // CREATE as the login would send it now.
      const enlisted = String(Date.now() * 1000 - age);
      const args = ['proof', 'record', '1', '1000', '1000', '0', 'user', enlisted];
      const reply = await redis.server.command('EVAL', CREATE.source, '1', `sess:{${family}}`, ...args);
      assert.deepEqual(reply, [age === 0 ? -1 : -3]);
    }
  });

  test('are listed with their devices, and ended one by one by their user alone', async () => {
    const s = sessions();
    const phone = await s.create({ user: 'list', data: {}, device: 'Phone' });
    const laptop = await s.create({ user: 'list', data: {}, device: 'Laptop' });
    const other = await s.create({ user: 'other', data: {}, device: 'Tablet' });
    const listed = await s.list('list', { current: laptop.id });
    assert.deepEqual(
      listed.map(({ device, current }) => [device, current]),
      [
        ['Phone', false],
        ['Laptop', true],
      ],
    );
    assert.ok(!JSON.stringify(listed).includes(phone.id));
    assert.equal(await s.end('other', listed[0]!.handle), false);
    assert.equal(await s.end('list', 'nonsense'), false);
    assert.equal(await s.end('list', listed[0]!.handle), true);
    assert.equal(await s.load(phone.id), undefined);
    assert.ok((await s.load(laptop.id)) && (await s.load(other.id)));
    assert.equal(await s.count('list'), 1);
  });

  test('move with a change of user, and only their new user can end them', async () => {
    const s = sessions();
    const ana = await s.create({ user: 'moving-a', data: {} });
    const bob = await s.rotate(ana, { user: 'moving-b' });
    assert.equal(await s.load(ana.id), undefined, 'no grace for who was logged in before');
    assert.deepEqual([await s.count('moving-a'), await s.count('moving-b')], [0, 1]);
    assert.equal(await s.destroyAll('moving-a'), 0);
    assert.ok(await s.load(bob.id));
    assert.equal(await s.destroyAll('moving-b'), 1);
  });
});

describe('what an attacker with write access to Redis can put back', () => {
  test('an older record is refused by a process that has seen a newer one, and with another version by each', async () => {
    const reasons: string[] = [];
    const s = sessions({ onRefused: (reason) => reasons.push(reason) });
    const session = await s.create({ data: { admin: true } });
    const [value, version] = (await redis.server.command('HMGET', keyOf(session.id), 'v', 'n')) as string[];
    const raw = redis.client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const old = (await raw.hGet(keyOf(session.id), 'v'))!;
    assert.ok(value !== undefined);
    session.data = { admin: false };
    await s.save(session);
    await redis.client.hSet(keyOf(session.id), 'v', old);
    assert.equal(await sessions().load(session.id), undefined, 'the record does not fit its version');
    await redis.client.hSet(keyOf(session.id), 'n', version!);
    assert.equal(await s.load(session.id), undefined);
    assert.ok(reasons.includes('replayed'));
  });

  test('a read that another request overtakes is not taken for a replay: every change of every order is seen, and no session lost', async () => {
    for (const change of ['save', 'update', 'touch, save', 'rotate'] as const) {
      const slow = slowReads(redis.client);
      const s = sessions({ client: slow.client });
      const session = await s.create({ user: 'overtaken', data: { n: 0 } });
      const read = s.load(session.id);
      await slow.parked;
      if (change === 'update') await s.update(session.id, () => ({ n: 1 }));
      if (change === 'touch, save') await s.touch(session);
      if (change.endsWith('save')) {
        session.data = { n: 1 };
        await s.save(session);
      }
      if (change === 'rotate') await s.rotate(session);
      slow.go();
      assert.deepEqual((await read)?.data, { n: 0 }, `before ${change}`);
      const now = await s.load(session.id);
      assert.deepEqual(now?.data, { n: change === 'rotate' ? 0 : 1 }, `after ${change}`);
      if (change !== 'rotate') await s.save(now!);
    }
  });

  test('the id before a rotation gains nothing from a longer grace, and reads no longer than a minute is allowed', async (t) => {
    const s = sessions();
    const before = await s.create({ data: { n: 1 } });
    await s.rotate(before, { data: { n: 2 } });
    assert.equal((await s.load(before.id))?.data['n'], 1);
    await redis.server.command('HSET', keyOf(before.id), 'oe', '99999999999999');
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 80_000 });
    assert.equal(await s.load(before.id), undefined);
    t.mock.timers.reset();
    const again = await s.create({ data: {} });
    for (const graceMs of [60_001, -1, Number.NaN])
      await refused(() => s.rotate(again, { graceMs }), 'REDKEEP_GUARD_ARGUMENT');
  });

  test('a record that was never sealed is not a session, also while plaintext is accepted elsewhere', async () => {
    const s = sessions({ encryption: testEncryption({ legacyPlaintext: 'dangerouslyAccept' }) });
    const { id } = await s.create({ data: {} });
    const forged = JSON.stringify({ user: 'admin', data: {}, createdAt: Date.now(), seenAt: Date.now(), n: 1 });
    await redis.server.command('HSET', keyOf(id), 'v', forged);
    assert.equal(await s.load(id), undefined);
  });
});

describe('fingerprints', () => {
  test('a stolen cookie is rejected, destroys, or is flagged, as configured', async () => {
    const fingerprint = 'Firefox on Linux';
    const rejecting = sessions();
    const { id } = await rejecting.create({ data: {}, fingerprint });
    assert.ok(await rejecting.load(id, { fingerprint }));
    assert.equal(await rejecting.load(id, { fingerprint: 'curl' }), undefined);
    assert.equal(await rejecting.load(id), undefined);
    assert.ok(await rejecting.load(id, { fingerprint }));
    assert.equal((await sessions({ onFingerprintMismatch: 'flag' }).load(id, { fingerprint: 'curl' }))?.suspect, true);
    assert.equal(await sessions({ onFingerprintMismatch: 'destroy' }).load(id, { fingerprint: 'curl' }), undefined);
    assert.equal(await rejecting.load(id, { fingerprint }), undefined);
  });
});

describe('bad times', () => {
  test('oversized data is refused before anything is sent', async () => {
    await refused(
      () => sessions({ maxBytes: 100 }).create({ data: { a: 'x'.repeat(100) } }),
      'REDKEEP_VALUE_TOO_LARGE',
    );
  });

  test('a stopped server is an error within the deadline, not a hang', async () => {
    const s = sessions({ timeoutMs: 100 });
    const { id } = await s.create({ data: {} });
    redis.server.pause();
    try {
      await refused(() => s.load(id), 'REDKEEP_STORE_UNAVAILABLE');
      await refused(() => s.create({ data: {} }), 'REDKEEP_STORE_UNAVAILABLE');
    } finally {
      redis.server.resume();
    }
  });

  test('a read-only server is an error, and reading goes on', async () => {
    const s = sessions();
    const session = await s.create({ user: 'ana', data: { a: 1 } });
    await redis.server.command('REPLICAOF', '127.0.0.1', '1');
    try {
      await refused(() => s.create({ data: {} }), 'REDKEEP_STORE_UNAVAILABLE');
      await refused(() => s.save(session), 'REDKEEP_STORE_UNAVAILABLE');
      // No call reports "logged out" for a session that lives.
      await refused(() => s.destroy(session.id), 'REDKEEP_STORE_UNAVAILABLE');
      assert.deepEqual((await s.load(session.id))?.data, { a: 1 });
    } finally {
      await redis.server.command('REPLICAOF', 'NO', 'ONE');
    }
  });

  test('a full server is an error, and reading goes on', async () => {
    const s = sessions();
    const { id } = await s.create({ data: { a: 1 } });
    await redis.server.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await refused(() => s.create({ data: {} }), 'REDKEEP_STORE_UNAVAILABLE');
      assert.deepEqual((await s.load(id))?.data, { a: 1 });
    } finally {
      await redis.server.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });
});
