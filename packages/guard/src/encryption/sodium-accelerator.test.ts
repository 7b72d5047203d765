import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { vectors } from '../testing/aead.js';
import { refused, testEncryption } from '../testing/support.js';
import { type SodiumNative, sodiumAccelerator } from './sodium-accelerator.js';

// The real package; it has no types of its own.
const sodium = createRequire(import.meta.url)('sodium-native') as SodiumNative;
const place = { space: 'notes', key: 'notes:1' };

describe('sodium-native as accelerator', () => {
  test('agrees with the published vectors of ChaCha20-Poly1305', () => {
    const accelerator = sodiumAccelerator(sodium);
    const own = vectors.filter(({ algorithm }) => algorithm === 'chacha20-poly1305');
    assert.ok(own.length >= 1);
    for (const { key, nonce, aad, plaintext, ciphertext, tag } of own) {
      const out = Buffer.alloc(plaintext.length + 16);
      accelerator.seal(key, nonce, aad, plaintext, out, 0);
      assert.equal(out.toString('hex'), ciphertext + tag);
      assert.deepEqual(accelerator.open(key, nonce, aad, out, 0), plaintext);
    }
  });

  test('what it seals opens without it, and it opens what was sealed without it', async () => {
    const [fast, plain] = [testEncryption({ accelerator: sodiumAccelerator(sodium) }), testEncryption()];
    for (const value of ['', 'ñandú 🦤', 'x'.repeat(70_000)]) {
      const sealed = await fast.seal(value, place);
      assert.equal(sealed[3], 2, 'the value names its cipher');
      assert.equal(String(await plain.open(sealed, place)), value);
      assert.equal(String(await fast.open(sealed, place)), value);
      assert.equal(String(await fast.open(await plain.seal(value, place), place)), value);
    }
    const bytes = Buffer.of(0, 255, 128);
    assert.deepEqual(await plain.open(await fast.seal(bytes, place), place), bytes);
    assert.deepEqual(bytes, Buffer.of(0, 255, 128), 'the value that was sealed is left as it was');
  });

  test('refuses a change of any byte, and a value that claims the other cipher', async () => {
    const fast = testEncryption({ accelerator: sodiumAccelerator(sodium) });
    const sealed = await fast.seal('the value', place);
    for (let at = 33; at < sealed.length; at++) {
      sealed[at]! ^= 1;
      await refused(() => fast.open(sealed, place), 'REDKEEP_ENCRYPTION_TAMPERED');
      sealed[at]! ^= 1;
    }
    sealed[3] = 1;
    await refused(() => fast.open(sealed, place), 'REDKEEP_ENCRYPTION_TAMPERED');
  });

  test('a library that encrypts nothing, forges, or is another one is refused', async () => {
    const copies: SodiumNative = {
      crypto_aead_chacha20poly1305_ietf_encrypt: (out, message) => message.copy(out),
      crypto_aead_chacha20poly1305_ietf_decrypt: (out, _unused, ciphertext) => ciphertext.copy(out),
    };
    const credulous: SodiumNative = {
      ...sodium,
      crypto_aead_chacha20poly1305_ietf_encrypt: sodium.crypto_aead_chacha20poly1305_ietf_encrypt,
      crypto_aead_chacha20poly1305_ietf_decrypt: (out) => out.write('value'),
    };
    for (const library of [copies, credulous, {} as SodiumNative])
      await refused(() => sodiumAccelerator(library), 'REDKEEP_GUARD_OPTION');
  });
});
