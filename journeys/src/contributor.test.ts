/** A contributor follows CONTRIBUTING.md in a clone: one test by name, a new check of the audit, a new command. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { changed } from './testing/difference.js';
import { commandsBelow, succeed } from './testing/follow.js';
import { isFull, journeyShells, type Machine, startMachine, type Terminal } from './testing/machine.js';
import { type Block, blocksBelow, blocksOf, repository } from './testing/markdown.js';

const run = promisify(execFile);
const PAGE = 'CONTRIBUTING.md';
const MINUTES = 60_000;

const blocks = (await blocksOf(PAGE)).filter(({ language, marks }) => language === 'diff' && marks.length === 1);

/** The differences below a heading; each names its file. */
function differencesBelow(heading: string): Block[] {
  const found = blocks.filter((block) => block.heading === heading);
  assert.ok(found.length > 0, heading);
  return found;
}

test('the differences of CONTRIBUTING.md fit the files that they name', async () => {
  for (const { marks, text } of blocks) changed(await readFile(join(repository, marks[0]!), 'utf8'), text);
  assert.ok(blocks.length >= 6);
});

if (isFull)
  for (const shell of (await journeyShells()).slice(0, 1))
    describe(`a contributor in ${shell}`, () => {
      let machine: Machine;
      let terminal: Terminal;
      let clone: string;
      before(async () => {
        machine = await startMachine(1);
        clone = join(machine.project, 'redkeep');
        await run('git', ['clone', '--quiet', '--no-hardlinks', repository, clone]);
        const { uid, gid } = machine.user;
        if (uid !== undefined) await run('chown', ['-R', `${uid}:${gid}`, clone]);
        // Dependencies are those of the lockfile, from where this machine gets its packages.
        const { stdout: registry } = await run('npm', ['config', 'get', 'registry'], { cwd: repository });
        terminal = await machine.open(shell);
        await succeed(terminal, `cd redkeep; export npm_config_registry=${registry.trim()}`);
      });
      after(async () => {
        await terminal?.[Symbol.asyncDispose]();
        await machine?.[Symbol.asyncDispose]();
      });

      const follow = async (heading: string) => {
        for (const command of await commandsBelow(PAGE, heading)) await succeed(terminal, command, 30 * MINUTES);
      };
      const apply = async (heading: string) => {
        for (const { marks, text } of differencesBelow(heading)) {
          const file = join(clone, marks[0]!);
          await writeFile(file, changed(await readFile(file, 'utf8'), text));
        }
      };

      test('a clone tests itself, one file and one name', () => follow('A first change, step by step'));

      test('a new check finds its fault', async () => {
        const heading = 'A check of the audit';
        const [rule] = await blocksBelow(PAGE, heading, 'ts');
        await machine.write(join('redkeep', rule!.marks[0]!), `${rule!.text}\n`);
        await apply(heading);
        await follow(heading);
      });

      test('a new command has its method, its kind of reply and its row in the reference', async () => {
        const heading = 'A command of the client';
        await apply(heading);
        await follow(heading);
        assert.match(await readFile(join(clone, 'docs/reference/commands.md'), 'utf8'), /zRevRange/);
      });

      test('the change may be sent', async () => {
        await succeed(terminal, 'npm run format', 10 * MINUTES);
        await succeed(terminal, 'npm run check:structure', 10 * MINUTES);
      });
    });
