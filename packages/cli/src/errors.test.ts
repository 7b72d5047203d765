import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { RedkeepError } from 'redkeep';
import { CliError, type CliErrorCode, cliErrors } from './errors.js';

test('docs/cli-errors.md has every code with its exit code, and no other', async () => {
  const text = await readFile(new URL('../../../docs/cli-errors.md', import.meta.url), 'utf8');
  const documented = Object.fromEntries(
    [...text.matchAll(/^\| <a id="\w+"><\/a>`(REDKEEP_\w+)` \| (\d+) \|/gm)].map(([, code, exit]) => [
      code,
      Number(exit),
    ]),
  );
  assert.deepEqual(documented, { ...cliErrors });
});

test('every error of the toolkit is a RedkeepError with a hint, an anchor that exists and a public text', async () => {
  const text = await readFile(new URL('../../../docs/cli-errors.md', import.meta.url), 'utf8');
  for (const code of Object.keys(cliErrors) as CliErrorCode[]) {
    const error = new CliError(code, 'the secret s3cret in /srv/x', 'Do this.');
    assert.ok(error instanceof RedkeepError);
    assert.deepEqual([error.name, error.hint, error.code], ['CliError', 'Do this.', code]);
    assert.doesNotMatch(JSON.stringify(error.toPublic()), /s3cret|srv/);
    assert.ok(text.includes(`<a id="${error.docs.split('#')[1]}"></a>`), error.docs);
  }
});
