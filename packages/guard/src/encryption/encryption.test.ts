import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { GuardError } from '../errors.js';
import { refused } from '../testing/support.js';
import { DataKey } from './data-key.js';
import { Encryption, type EncryptionOptions, type SealContext } from './encryption.js';
import { LoadedKeyRing } from './key-ring.js';
import { keysFromValue } from './providers/local.js';

const oldKey = `${'11'.repeat(31)}22`;
const newKey = `${'33'.repeat(31)}44`;
const place: SealContext = { space: 'notes', key: 'notes:1' };

function encryption(options: Partial<EncryptionOptions> = {}): Encryption {
  return new Encryption({ keys: keysFromValue([newKey]), environment: 'test', ...options });
}

describe('sealing and opening', () => {
  test('returns text and bytes as they were, without a promise once the key is loaded', () => {
    const e = encryption();
    for (const value of ['', 'ñandú 🦤', 'x'.repeat(70_000)]) {
      const sealed = e.seal(value, place);
      assert.ok(Buffer.isBuffer(sealed));
      assert.equal(sealed.length, Buffer.byteLength(value) + 49);
      assert.equal(String(e.open(sealed, place)), value);
    }
    const bytes = Buffer.from([0, 255, 128]);
    assert.deepEqual(e.open(e.seal(bytes, place) as Buffer, place), bytes);
  });

  test('a value sealed by an earlier release still opens', () => {
    // Frozen bytes: if this fails, stored data of every user has become unreadable.
    const frozen = Buffer.from(FROZEN, 'base64');
    assert.equal(
      String(encryption().open(frozen, { space: 'notes', key: 'notes:1', field: 'body' })),
      'frozen in 2026',
    );
  });

  test('refuses a change of any single bit of any byte', async () => {
    const e = encryption();
    const sealed = (await e.seal('the value', place)) as Buffer;
    for (let at = 0; at < sealed.length; at++) {
      const bit = 1 << (at % 8);
      sealed[at]! ^= bit;
      await assert.rejects(async () => e.open(sealed, place), GuardError, `byte ${at} was not protected`);
      sealed[at]! ^= bit;
    }
    assert.equal(String(await e.open(sealed, place)), 'the value');
  });

  test('refuses every truncation and any extension', async () => {
    const e = encryption();
    const sealed = (await e.seal('the value', place)) as Buffer;
    for (let length = 0; length < sealed.length; length++)
      await assert.rejects(async () => e.open(sealed.subarray(0, length), place), GuardError);
    await refused(() => e.open(Buffer.concat([sealed, Buffer.of(0)]), place), 'REDKEEP_ENCRYPTION_TAMPERED');
  });

  test('refuses a value moved to another key, field, space or environment', async () => {
    const e = encryption();
    const sealed = (await e.seal('admin', { ...place, field: 'role' })) as Buffer;
    const elsewhere: SealContext[] = [
      { ...place, key: 'notes:2', field: 'role' },
      { ...place, field: 'name' },
      { ...place },
      { ...place, space: 'sessions', field: 'role' },
      { space: 'notes', key: 'notes:1r', field: 'ole' },
    ];
    for (const context of elsewhere) await refused(() => e.open(sealed, context), 'REDKEEP_ENCRYPTION_TAMPERED');
    const staging = encryption({ environment: 'staging' });
    await refused(() => staging.open(sealed, { ...place, field: 'role' }), 'REDKEEP_ENCRYPTION_TAMPERED');
    const noField = (await e.seal('x', place)) as Buffer;
    await refused(() => e.open(noField, { ...place, field: '' }), 'REDKEEP_ENCRYPTION_TAMPERED');
  });

  test('foreign values, unknown formats and unknown keys each have their own error', async () => {
    const e = encryption();
    await refused(() => e.open(Buffer.from('{"role":"admin"}'), place), 'REDKEEP_ENCRYPTION_FOREIGN');
    await refused(() => e.open(Buffer.alloc(0), place), 'REDKEEP_ENCRYPTION_FOREIGN');
    const sealed = (await e.seal('x', place)) as Buffer;
    const future = Buffer.from(sealed);
    future[3] = 9;
    await refused(() => e.open(future, place), 'REDKEEP_ENCRYPTION_VERSION');
    const other = encryption({ keys: keysFromValue([oldKey]) });
    const error = await refused(() => other.open(sealed, place), 'REDKEEP_ENCRYPTION_KEY_UNKNOWN');
    assert.match(error.message, /key id [0-9a-f]{16}/);
  });

  test('plaintext left from before is read only when asked for by name', async () => {
    const lenient = encryption({ legacyPlaintext: 'dangerouslyAccept' });
    assert.equal(String(await lenient.open(Buffer.from('old'), place)), 'old');
    assert.equal(await lenient.isStale(Buffer.from('old')), true);
  });

  test('compression and padding hide or shorten, and come back as they were', async () => {
    const text = 'repeat '.repeat(500);
    const packed = encryption({ compressFrom: 100 });
    const sealed = (await packed.seal(text, place)) as Buffer;
    assert.ok(sealed.length < 200);
    assert.equal(String(await encryption().open(sealed, place)), text);
    const padded = encryption({ padTo: 64 });
    const lengths = new Set(['', 'a', 'b'.repeat(63)].map((value) => (padded.seal(value, place) as Buffer).length));
    assert.deepEqual([...lengths], [64 + 49]);
    assert.equal(String(await encryption().open((await padded.seal('\u0080x', place)) as Buffer, place)), '\u0080x');
  });

  test('bounds sizes before sealing and after inflating', async () => {
    await refused(() => encryption({ maxBytes: 10 }).seal('eleven bytes', place), 'REDKEEP_VALUE_TOO_LARGE');
    const bomb = (await encryption({ compressFrom: 10 }).seal('0'.repeat(1_000_000), place)) as Buffer;
    await refused(() => encryption({ maxBytes: 1000 }).open(bomb, place), 'REDKEEP_VALUE_TOO_LARGE');
  });
});

describe('nonces', () => {
  test('100,000 values never share a nonce under one subkey, also between processes', async () => {
    const seen = new Set<string>();
    for (const e of [encryption(), encryption()])
      for (let i = 0; i < 50_000; i++) seen.add(((await e.seal('', place)) as Buffer).toString('latin1', 13, 33));
    assert.equal(seen.size, 100_000);
  });

  test('a used-up subkey is replaced before its counter comes round', () => {
    const key = DataKey.generate();
    const first = key.nextNonce();
    const salt = first.salt;
    (first as { counter: number }).counter = 0xfffffffe;
    assert.equal(key.nextNonce().counter, 0xffffffff);
    const next = key.nextNonce();
    assert.equal(next.counter, 1);
    assert.notDeepEqual(next.salt, salt);
  });
});

describe('key rings', () => {
  test('old keys stay readable, the newest seals, and stale values are recognised', async () => {
    const before = encryption({ keys: keysFromValue([oldKey]) });
    const after = encryption({ keys: keysFromValue([newKey, oldKey]) });
    const sealed = (await before.seal('x', place)) as Buffer;
    assert.equal(String(await after.open(sealed, place)), 'x');
    assert.equal(await after.isStale(sealed), true);
    assert.equal(await after.isStale((await after.seal('x', place)) as Buffer), false);
  });

  test('a source that fails later does not stop traffic with known keys', async () => {
    let now = 0;
    let calls = 0;
    const ring = new LoadedKeyRing(
      () => {
        calls += 1;
        if (calls > 1) throw new Error('vault sealed');
        return [newKey];
      },
      { maxAgeMs: 1000, clock: () => now },
    );
    const e = encryption({ keys: ring });
    const sealed = (await e.seal('x', place)) as Buffer;
    now = 5000;
    assert.equal(String(await e.open((await e.seal('y', place)) as Buffer, place)), 'y');
    assert.equal(String(await e.open(sealed, place)), 'x');
    assert.equal(calls, 2);
  });

  test('a flood of unknown key ids asks the source once a second, in one flight', async () => {
    let now = 0;
    let calls = 0;
    const ring = new LoadedKeyRing(
      () => {
        calls += 1;
        return [newKey];
      },
      { clock: () => now },
    );
    await ring.current();
    for (let i = 0; i < 100; i++) await ring.find('0000000000000000');
    assert.equal(calls, 1);
    now = 1000;
    await Promise.all(Array.from({ length: 50 }, () => ring.find('0000000000000000')));
    assert.equal(calls, 2);
  });

  test('malformed keys are refused without being quoted', async () => {
    for (const bad of ['short', 'g'.repeat(64), 'AAAA'.repeat(11), '00'.repeat(32)]) {
      const error = await refused(() => keysFromValue([bad]), 'REDKEEP_ENCRYPTION_KEY');
      assert.ok(!error.message.includes(bad));
    }
    await refused(() => keysFromValue([]), 'REDKEEP_ENCRYPTION_KEY');
    await refused(() => keysFromValue([Buffer.alloc(31, 1)]), 'REDKEEP_ENCRYPTION_KEY');
  });

  test('a key shows itself in no log and cannot be used once destroyed', async () => {
    const key = new DataKey(Buffer.from(newKey, 'hex'));
    const shown = inspect({ key }, { depth: 9, showHidden: true }) + JSON.stringify({ key });
    assert.ok(!shown.includes('33333333') && shown.includes(key.id));
    key.destroy();
    await refused(() => key.nextNonce(), 'REDKEEP_ENCRYPTION_KEY');
    await refused(() => key.subkey('x'.repeat(16)), 'REDKEEP_ENCRYPTION_KEY');
  });
});

const FROZEN = '9VJLAQC5b+BM+h2Qck/z0gHGQ77JaMr7uQ6Vq1EAAAABA1YFdWWtWvahvZygYcyrS4z4qYJNPsZWnF8CJjdo';
