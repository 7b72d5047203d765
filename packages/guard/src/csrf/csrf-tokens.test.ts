import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyA, keyB, refused } from '../testing/support.js';
import { CsrfTokens } from './csrf-tokens.js';

const csrf = new CsrfTokens({ keys: [keyA], origins: ['https://app.example'] });
const session = 'a'.repeat(54);

test('a token is of one session, fresh each time, and survives the rotation of its key', () => {
  const token = csrf.issue(session);
  assert.equal(csrf.verify(session, token), true);
  assert.notEqual(csrf.issue(session), token);
  assert.equal(csrf.verify('b'.repeat(54), token), false);
  const flipped = [...token].map((c, i) => token.slice(0, i) + (c === 'A' ? 'B' : 'A') + token.slice(i + 1));
  for (const wrong of [...flipped, '', undefined, null, [token], {}, `${token}A`, token.slice(1)])
    assert.equal(csrf.verify(session, wrong), false);
  const named = (issued: string) => Buffer.from(issued, 'base64url').subarray(18, 22).toString('hex');
  assert.equal(named(csrf.issue(session)), named(token), 'a token names its key');
  assert.notEqual(
    named(new CsrfTokens({ keys: [keyB, keyA], origins: ['https://app.example'] }).issue(session)),
    named(token),
  );
  assert.equal(new CsrfTokens({ keys: [keyB], origins: ['https://app.example'] }).verify(session, token), false);
  assert.equal(new CsrfTokens({ keys: [keyB, keyA], origins: ['https://app.example'] }).verify(session, token), true);
});

test('a request from elsewhere is refused with the right token, too', () => {
  const token = csrf.issue(session);
  const post = (headers: Record<string, string>) => csrf.check({ method: 'POST', headers }, session, token);
  assert.equal(post({ origin: 'https://app.example' }), true);
  assert.equal(post({ 'sec-fetch-site': 'same-origin' }), true);
  assert.equal(post({}), true);
  const elsewhere: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'https://app.example.evil.example' },
    { origin: 'http://app.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of elsewhere) assert.equal(post(headers), false, JSON.stringify(headers));
  assert.equal(csrf.check({ method: 'GET', headers: {} }, session, undefined), true);
  assert.equal(csrf.check({ method: 'delete', headers: {} }, session, undefined), false);
});

test('a request that does not say its method is taken for one that changes something', () => {
  for (const method of [undefined, '', 'PURGE'])
    assert.equal(csrf.check({ method, headers: {} }, session, undefined), false);
  assert.equal(csrf.check({ method: 'head', headers: {} }, session, undefined), true);
});

test('needs keys, origins and a session', async () => {
  for (const origins of [[], ['app.example'], ['https://app.example/'], ['*']])
    await refused(() => new CsrfTokens({ keys: [keyA], origins }), 'REDKEEP_GUARD_OPTION');
  await refused(() => new CsrfTokens({ keys: [], origins: ['https://a.example'] }), 'REDKEEP_ENCRYPTION_KEY');
  await refused(() => csrf.issue(''), 'REDKEEP_GUARD_ARGUMENT');
});
