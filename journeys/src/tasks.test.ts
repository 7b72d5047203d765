/** The three tasks of docs/tasks.md, typed as they are written, and the number of commands that each takes. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { transform } from 'esbuild';
import { changed } from './testing/difference.js';
import { commandsBelow, follow, followed, shownBelow } from './testing/follow.js';
import { journeyShells, type Machine, startMachine, type Terminal } from './testing/machine.js';
import { blocksBelow, missingLines, repository } from './testing/markdown.js';

const PAGE = 'docs/tasks.md';

test('the page counts the commands that it shows', async () => {
  const rows = [...(await readFile(join(repository, PAGE), 'utf8')).matchAll(/^\| \[(.*?)\]\(#.*?\) \| (.*) \|$/gm)];
  const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);
  for (const [, task, counts] of rows) {
    const [own, more] = counts!.match(/\d+/g)!.map(Number);
    assert.equal((await commandsBelow(PAGE, capital(task!))).length, own, task);
    if (counts!.includes('auditor'))
      assert.equal((await commandsBelow('docs/auditors.md', 'Check it with openssl alone')).length, more, task);
    if (counts!.includes('lines')) {
      const [difference] = await blocksBelow(PAGE, capital(task!), 'diff');
      assert.equal(difference!.text.match(/^-/gm)!.length, more, task);
    }
  }
  assert.equal(rows.length, 3);
});

for (const shell of await journeyShells()) {
  describe(`three tasks in ${shell}`, () => {
    let operator: Machine;
    let auditor: Machine;
    let terminal: Terminal;
    let evidence: string;
    before(async () => {
      operator = await startMachine();
      auditor = await startMachine(1);
      terminal = await operator.open(shell);
    });
    after(async () => {
      await terminal?.run('npx redkeep down');
      await terminal?.[Symbol.asyncDispose]();
      await operator?.[Symbol.asyncDispose]();
      await auditor?.[Symbol.asyncDispose]();
    });

    test('a Redis on a laptop is secured', async () => {
      const output = await followed(terminal, PAGE, 'Secure a Redis on a laptop');
      // The page for newcomers shows more of what the same commands print; what is found differs from machine to machine.
      const { output: status } = await terminal.run('npx redkeep status');
      const page = 'docs/get-started.md';
      const shown = [
        await shownBelow(page, '1. Make a deployment'),
        await shownBelow(page, '2. Start it'),
        (await shownBelow(page, '4. Prove it')).replace(/ {2}No findings.*/, ''),
      ];
      assert.deepEqual(missingLines(`${output}\n${status}`, shown.join('\n')), [], output + status);
    });

    test('the sessions of an express application move', async () => {
      const heading = 'Move the sessions of an express application';
      const [program] = await blocksBelow(PAGE, heading, 'ts');
      const [difference] = await blocksBelow(PAGE, heading, 'diff');
      const { code } = await transform(changed(`${program!.text}\n`, difference!.text), {
        loader: 'ts',
        format: 'esm',
      });
      await operator.write('app.mjs', code);
      const { exitCode, output } = await terminal.run('npm install express express-session');
      assert.equal(exitCode, 0, output);
      await followed(terminal, PAGE, heading);
    });

    test('the operator makes evidence', async () => {
      evidence = await follow(terminal, PAGE, 'Prove a server to an auditor');
    });

    test('the auditor verifies it with openssl alone, and sees a byte that was changed', async () => {
      const [page, heading] = ['docs/auditors.md', 'Check it with openssl alone'] as const;
      await auditor.receive(join(operator.project, 'evidence'), 'evidence');
      await using other = await auditor.open(shell);
      // Neither Node nor redkeep is on this machine.
      await other.run('cd evidence; PATH=/usr/bin:/bin; export PATH');
      const output = await followed(other, page, heading);
      const [fingerprint] = /[0-9a-f]{64}/.exec(output) ?? [];
      assert.ok(evidence.replaceAll('\n', '').includes(fingerprint!), `${fingerprint} is what the operator read`);
      await other.run('printf x >> facts.json');
      const checked = await other.run((await commandsBelow(page, heading))[2]!);
      assert.equal(checked.exitCode, 1, checked.output);
    });
  });
}
