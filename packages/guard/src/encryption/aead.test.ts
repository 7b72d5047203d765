import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusals, vectors } from '../testing/aead.js';
import { aes256Gcm, chacha20Poly1305 } from './aead.js';

const ciphers = { 'aes-256-gcm': aes256Gcm, 'chacha20-poly1305': chacha20Poly1305 };

describe('ciphers against published vectors', () => {
  for (const { name, algorithm, key, nonce, aad, plaintext, ciphertext, tag } of vectors) {
    test(name, () => {
      const aead = ciphers[algorithm];
      const out = Buffer.alloc(3 + plaintext.length + 16);
      aead.seal(key, nonce, aad, plaintext, out, 3);
      assert.equal(out.toString('hex', 3), ciphertext + tag);
      assert.deepEqual(aead.open(key, nonce, aad, out, 3), plaintext);
      out[out.length - 1]! ^= 1;
      assert.equal(aead.open(key, nonce, aad, out, 3), undefined);
    });
  }

  for (const { name, key, nonce, aad, ciphertext, tag } of refusals) {
    test(`${name}, to be refused`, () => {
      assert.equal(aes256Gcm.open(key, nonce, aad, Buffer.from(ciphertext + tag, 'hex'), 0), undefined);
    });
  }
});
