import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { keyPattern } from './key-pattern.js';

describe('keyPattern', () => {
  test('keeps words and replaces what may identify somebody', () => {
    assert.equal(keyPattern('user:42:profile'), 'user:*:profile');
    assert.equal(keyPattern('user:{42}:cart'), 'user:{*}:cart');
    assert.equal(keyPattern('mail:somebody@example.com'), 'mail:*');
    assert.equal(keyPattern('cache:page:/de/index.html'), 'cache:page:/de/index.html');
  });

  test('lets no random id through', () => {
    for (let round = 0; round < 2000; round += 1)
      for (const id of [randomUUID(), randomBytes(16).toString('hex'), randomBytes(24).toString('base64url')])
        assert.ok(!keyPattern(`sess:${id}`).includes(id), id);
  });
});
