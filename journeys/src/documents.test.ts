/** What the documents point at exists: files, headings, scripts of the repository, paths of the source. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { repository } from './testing/markdown.js';

const { stdout } = await promisify(execFile)('git', ['ls-files', '*.md'], { cwd: repository });
const pages = new Map(
  await Promise.all(
    stdout
      .split('\n')
      .filter(Boolean)
      .map(async (page) => [page, await readFile(join(repository, page), 'utf8')] as const),
  ),
);
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

/** Anchors as GitHub makes them of headings, and explicit ones. */
function anchorsOf(text: string): Set<string> {
  const slugs = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return new Set([...slugs, ...[...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id]) => id!)]);
}

test('every link of every page leads to a file or heading that exists', () => {
  const broken: string[] = [];
  for (const [page, text] of pages) {
    for (const [, target] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      const ours = /^https:\/\/github\.com\/redkeep\/redkeep\/blob\/main\/(.*)$/.exec(target!)?.[1];
      if (ours === undefined && /^[a-z]+:/.test(target!)) continue;
      const [path = '', anchor] = (ours ?? target!).split('#');
      const file = relative(repository, ours ? join(repository, path) : join(repository, dirname(page), path));
      const whole = path === '' ? page : file;
      if (!existsSync(join(repository, whole))) broken.push(`${page}: ${target}`);
      else if (anchor && pages.has(whole) && !anchorsOf(pages.get(whole)!).has(anchor))
        broken.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('every npm script that a page names exists', async () => {
  const { scripts } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as { scripts: object };
  const unknown: string[] = [];
  for (const [page, text] of pages)
    for (const [, name] of text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g))
      if (!(name! in scripts)) unknown.push(`${page}: npm run ${name}`);
  assert.deepEqual(unknown, []);
});

test('every path of CONTRIBUTING.md and ARCHITECTURE.md exists', () => {
  const missing: string[] = [];
  for (const page of ['CONTRIBUTING.md', 'ARCHITECTURE.md']) {
    for (const [, path] of pages
      .get(page)!
      .matchAll(/`((?:packages|testing|scripts|docs|examples|bench|fuzz|compat|chaos|journeys|\.github)\/[^`\s*<]+)`/g))
      if (!existsSync(join(repository, path!))) missing.push(`${page}: ${path}`);
  }
  assert.deepEqual(missing, []);
});
