/** `npm run docs`: the documentation site as a folder of static files, checked. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { stalePages } from '../references/index.js';
import { repository } from '../repository.js';
import { sidebar } from '../sidebar.js';
import { brokenLinks } from './check-links.js';
import { llmsFiles } from './llms.js';
import { relocate } from './relocate.js';

const site = join(repository, 'site');
const out = join(site, '.vitepress/dist');
const require = createRequire(join(site, 'package.json'));

async function run(program: string, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { cwd: site, stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with exit code ${code}`);
}

function fail(message: string): never {
  console.error(`✖ ${message}`);
  process.exit(1);
}

const stale = await stalePages();
if (stale.length > 0) fail(`run npm run docs:references: ${stale.join(', ')}`);

await run(join(require.resolve('vitepress/package.json'), '../bin/vitepress.js'), 'build', '.');
await relocate(out);
// TypeDoc's own addresses are relative; its output is beside the pages, with a search of its own.
await run(join(require.resolve('typedoc/package.json'), '../bin/typedoc'), '--logLevel', 'Error');
for (const [name, text] of await llmsFiles(sidebar)) await writeFile(join(out, name), text);
const broken = await brokenLinks(out);
if (broken.length > 0) fail(`links that lead nowhere:\n${broken.join('\n')}`);
process.stdout.write(`The site is in ${out}: serve it with npm run docs:serve, or copy the folder.\n`);
