/** Writes every generated page, and removes pages of checks that are gone. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatedPages } from './references/index.js';
import { repository } from './repository.js';

const pages = await generatedPages();
for (const { path, text } of pages) {
  await mkdir(dirname(join(repository, path)), { recursive: true });
  await writeFile(join(repository, path), text);
}
for (const name of await readdir(join(repository, 'docs/checks')))
  if (!pages.some(({ path }) => path === `docs/checks/${name}`)) await rm(join(repository, 'docs/checks', name));
