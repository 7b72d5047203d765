import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { RedkeepError } from 'redkeep';
import { GuardError, guardErrors, hasCode } from './errors.js';

test('docs/guard-errors.md lists exactly the codes, with what happened and what to do', async () => {
  const page = await readFile(new URL('../../../docs/guard-errors.md', import.meta.url), 'utf8');
  const rows = Object.entries(guardErrors).map(
    ([code, { what, next }]) => `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${what} | ${next} |`,
  );
  assert.deepEqual(page.match(/^\| <a id.*$/gm), rows);
});

test('an error is a RedkeepError with its own name, a hint, a place in the documents and a text for end users', () => {
  const error = new GuardError('REDKEEP_SESSION_GONE', 'rotated');
  assert.ok(error instanceof RedkeepError);
  assert.deepEqual([error.name, error.code, error.detail], ['GuardError', 'REDKEEP_SESSION_GONE', 'rotated']);
  assert.match(error.docs, /^https:.*\/docs\/guard-errors\.md#redkeep_session_gone$/);
  assert.equal(error.hint, guardErrors.REDKEEP_SESSION_GONE.next);
  assert.ok(!error.message.includes(error.hint));
  assert.deepEqual(error.toPublic(), {
    code: 'REDKEEP_SESSION_GONE',
    message: 'The request could not be completed.',
  });
  assert.ok(
    hasCode(error, 'REDKEEP_LOCK_LOST', 'REDKEEP_SESSION_GONE') && !hasCode(new Error('x'), 'REDKEEP_LOCK_LOST'),
  );
});

test('end users read what kind of failure it was, and nothing of the system', () => {
  const shown = (code: keyof typeof guardErrors) => new GuardError(code, 'session:ana').toPublic().message;
  assert.equal(shown('REDKEEP_KEYSPACE_KEY'), 'The request is not valid.');
  assert.equal(shown('REDKEEP_STORE_DENIED'), 'The service is misconfigured.');
  assert.equal(shown('REDKEEP_ENCRYPTION_PROVIDER'), 'The service is temporarily unavailable.');
  assert.equal(shown('REDKEEP_TOKEN_LIMIT'), 'Too many requests.');
  for (const code of Object.keys(guardErrors) as (keyof typeof guardErrors)[])
    assert.doesNotMatch(shown(code), /redis|key|acl|session|lock|spool|ana/i, code);
});
