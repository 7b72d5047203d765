/** docs/guarantees.md: every path with every fault. `npm run matrix` goes through it many times. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { EXPECTED, MOST_PER_ATTEMPT, table } from './testing/matrix/expected.js';
import { runMatrix } from './testing/matrix/run.js';

const ROUNDS = Number(process.env['REDKEEP_MATRIX_ROUNDS'] ?? 1);
const page = new URL('../../../docs/guarantees.md', import.meta.url);

describe('each path under each fault', () => {
  test('has the table in docs/guarantees.md', async () => {
    const text = await readFile(page, 'utf8');
    assert.ok(text.includes(table()), `the table is now:\n${table()}`);
    for (const [, link] of text.matchAll(/\]\(([^)#]+\.ts)\)/g)) await readFile(new URL(link!, page));
  });

  for (let round = 1; round <= ROUNDS; round++)
    test(`ends as the table says, in its time, without a storm, and works again (round ${round})`, async (t) => {
      const uncaught: unknown[] = [];
      const onUncaught = (error: unknown) => uncaught.push(error);
      process.on('uncaughtException', onUncaught).on('unhandledRejection', onUncaught);
      t.after(() => process.off('uncaughtException', onUncaught).off('unhandledRejection', onUncaught));
      const memory = process.memoryUsage().rss;
      const problems: string[] = [];
      const cells = await runMatrix();
      for (const { path, fault, outcome } of cells) {
        const say = (problem: string) => problems.push(`${path}, ${fault}: ${problem}`);
        if (outcome instanceof Error) {
          say(outcome.message);
          continue;
        }
        const { result, asked, connections, held } = outcome;
        if (!EXPECTED[path]![fault].includes(result.replace(/^REDKEEP_/, ''))) say(result);
        if (asked > MOST_PER_ATTEMPT || connections > MOST_PER_ATTEMPT)
          say(`${asked} commands and ${connections} connections for each attempt`);
        // One command that is still owed an answer.
        if (held > 2000) say(`${held} bytes held`);
      }
      assert.ok(cells.length > 150, `${cells.length} cells`);
      assert.deepEqual(problems, []);
      assert.deepEqual(uncaught, []);
      const grown = (process.memoryUsage().rss - memory) / 2 ** 20;
      assert.ok(grown < 200, `the process grew by ${grown} MiB`);
      t.diagnostic(`${cells.length} cells, the process grew by ${Math.round(grown)} MiB`);
    });
});
