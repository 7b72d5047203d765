/**
 * A newcomer follows README.md: installs the packages, makes a deployment, starts it, and runs the ten lines and then
 * every example of every page on it, as the user that `init` made for applications.
 */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { transform } from 'esbuild';
import { succeed } from './testing/follow.js';
import { journeyShells, type Machine, type Shell, startMachine, type Terminal } from './testing/machine.js';
import { type Block, blocksBelow, blocksOf, commandsOf, repository } from './testing/markdown.js';

/** Every example that is meant to be run, page by page. */
async function examples(): Promise<Block[]> {
  const docs = (await readdir(join(repository, 'docs'), { recursive: true })).filter((name) => name.endsWith('.md'));
  const readmes = (await readdir(join(repository, 'packages'))).map((name) => `packages/${name}/README.md`);
  const pages = ['README.md', ...readmes.sort(), ...docs.sort().map((name) => `docs/${name}`)];
  const blocks = (await Promise.all(pages.map(blocksOf))).flat();
  return blocks.filter(({ language, marks }) => language === 'ts' && !marks.includes('no-run'));
}
const all = await examples();
const ofGuard = ({ page }: Block) => /^docs\/(guard|frameworks)/.test(page);

/** What is typed into `shop.mjs`: types are gone. */
const asJavaScript = async ({ text }: Block) => (await transform(text, { loader: 'ts', format: 'esm' })).code;

/** Types a page's commands into a new machine, and then runs the examples there. */
function journey(name: string, shell: Shell, start: readonly [page: string, heading: string], pages: readonly Block[]) {
  describe(name, () => {
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

    test(`the commands below "${start[1]}" in ${start[0]} work one after the other`, async () => {
      const [block] = await blocksBelow(...start, 'sh');
      for (const command of commandsOf(block!)) await succeed(terminal, command);
      const used = pages.flatMap(({ text }) => [...text.matchAll(/ from '((?:@[^/']+\/)?[^./'][^/']*)/g)]);
      const packages = new Set(used.map(([, found]) => found!).filter((found) => !found.startsWith('node:')));
      await succeed(terminal, `npm install ${[...packages].join(' ')}`);
    });

    for (const [at, example] of pages.entries()) {
      test(`${example.page}, "${example.heading}", runs as the user app`, async () => {
        await machine.write(`example-${at}.mjs`, await asJavaScript(example));
        const output = await succeed(terminal, `node example-${at}.mjs`);
        assert.doesNotMatch(output, /NOPERM|Warning|Error:/, output);
      });
    }

    test('the server stops', async () => {
      await succeed(terminal, 'npx redkeep down');
    });
  });
}

for (const shell of await journeyShells()) {
  const others = all.filter((example) => !ofGuard(example));
  journey(`a newcomer in ${shell}`, shell, ['README.md', 'Start'], others);
  journey(`a newcomer to guard in ${shell}`, shell, ['docs/guard.md', '@redkeep/guard'], all.filter(ofGuard));
}
