/** Every page that is generated, from its source of truth. `npm run docs:references` writes them; a test compares. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../repository.js';
import { apiPage } from './api.js';
import { checkPage, checks, checksTable, pageOf } from './checks.js';
import { cliPage } from './cli.js';
import { commandsPage } from './commands.js';
import { comparisonFigures } from './compare.js';
import { optionsPage } from './options.js';
import { pictures } from './pictures.js';

export interface Page {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

export async function generatedPages(): Promise<Page[]> {
  const byHand = async (path: string, heading: string) => {
    const text = await readFile(join(repository, path), 'utf8');
    const at = text.indexOf(`\n${heading}`);
    return text.slice(0, at < 0 ? undefined : at + 1);
  };
  return [
    { path: 'docs/reference/options.md', text: optionsPage() },
    { path: 'docs/reference/commands.md', text: commandsPage() },
    { path: 'docs/reference/cli.md', text: await cliPage() },
    { path: 'docs/reference/api.md', text: apiPage() },
    // What is above the tables is written by hand.
    { path: 'docs/checks.md', text: `${await byHand('docs/checks.md', '## ')}${checksTable()}\n` },
    { path: 'docs/compare.md', text: `${await byHand('docs/compare.md', '## Figures')}${comparisonFigures()}` },
    ...pictures(),
    ...checks.map((check) => ({ path: `docs/${pageOf(check)}`, text: checkPage(check) })),
  ];
}

/** Paths of pages that are not what their source says, those of checks that are gone included. */
export async function stalePages(): Promise<string[]> {
  const pages = await generatedPages();
  const texts = await Promise.all(pages.map(({ path }) => readFile(join(repository, path), 'utf8').catch(() => '')));
  const ofChecks = (await readdir(join(repository, 'docs/checks'))).map((name) => `docs/checks/${name}`);
  return [
    ...pages.filter(({ text }, at) => texts[at] !== text).map(({ path }) => path),
    ...ofChecks.filter((path) => !pages.some((page) => page.path === path)),
  ];
}
