import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { answersJsonSchema, parseAnswers } from './answers.js';

describe('answers', () => {
  test('have a published JSON schema that is the one the code checks by', async () => {
    const published = await readFile(new URL('../../redkeep.config.schema.json', import.meta.url), 'utf8');
    // To write it anew: node -e "import('./dist/deployment/answers.js').then((m) => console.log(JSON.stringify(m.answersJsonSchema(), null, 2)))"
    assert.deepEqual(JSON.parse(published), JSON.parse(JSON.stringify(answersJsonSchema())));
  });

  test('refuse what could be more than a name, an address or a pattern', () => {
    const bad: Record<string, unknown>[] = [
      { hosts: ['10.0.0.1; reboot'] },
      { names: ['a\nb'] },
      { sources: ['0.0.0.0/33'] },
      { sources: ['10.0.0.0/8 } accept #'] },
      { applications: [{ name: 'a b', keys: ['x:*'] }] },
      { applications: [{ name: 'a', keys: ['x:* +@all'] }] },
      { applications: [{ name: 'a', keys: ['x:*'], allow: ['get +@all'] }] },
      { applications: [{ name: 'a', keys: ['x:*\n'] }] },
      { applications: [{ name: '../a', keys: ['x:*'] }] },
      {
        applications: [
          { name: 'a', keys: ['x'] },
          { name: 'a', keys: ['y'] },
        ],
      },
      { topology: 'cluster', databases: 4 },
      { engine: 'dragonfly', topology: 'cluster' },
      { unknown: true },
    ];
    for (const answers of bad) {
      assert.throws(
        () => parseAnswers(answers),
        /REDKEEP|Wrong answers|not run as|one database|is taken/,
        JSON.stringify(answers),
      );
    }
  });
});
