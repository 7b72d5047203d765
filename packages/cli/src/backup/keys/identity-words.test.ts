import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { identityOfWords, wordsOf } from './identity-words.js';
import { renderRecoveryKit } from './recovery-kit.js';

test('24 words stand for an identity, and a wrong word is noticed', async () => {
  for (let round = 0; round < 20; round++) {
    const identity = await generateX25519Identity();
    const words = wordsOf(identity);
    assert.equal(words.length, 24);
    assert.equal(identityOfWords(`  ${words.join('\n')} `), identity);
    assert.throws(() => identityOfWords([...words.slice(1), 'redis'].join(' ')), /REDKEEP_BACKUP_KEY_WRONG|24 words/);
  }
});

test('a recovery kit has the key as code and words, the store, the writers and the steps', async () => {
  const identity = await generateX25519Identity();
  const recipient = await identityToRecipient(identity);
  const kit = renderRecoveryKit({
    ...{ source: '<shop>', store: 's3://b/p', identity, recipient, writers: ['MCow'], made: '2026-01-01' },
  });
  for (const part of [identity, recipient, 's3://b/p', 'MCow', '<svg', ...wordsOf(identity)])
    assert.ok(kit.includes(part));
  assert.ok(!kit.includes('<shop>'));
});
