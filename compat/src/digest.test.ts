/** `digest` with the package that it asks for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest } from 'redkeep';

test('digests are XXH3 in 16 hexadecimal digits', async () => {
  // Test vectors of xxHash: the empty input, and one byte.
  assert.equal(await digest(''), '2d06800538d394c2');
  assert.equal(await digest('a'), 'e6c632b61e964e1f');
  assert.equal(await digest(Buffer.from('a')), await digest('a'));
  assert.match(await digest('x'.repeat(100_000)), /^[0-9a-f]{16}$/);
});
