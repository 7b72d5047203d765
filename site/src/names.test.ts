/** Every public name is on a page, and every name on a page that looks like one of ours exists. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { cliErrors } from '../../packages/cli/dist/errors.js';
import { ERRORS } from '../../packages/client/dist/errors.js';
import { guardErrors } from '../../packages/guard/dist/errors.js';
import { entryPoints, publicNames } from './references/api.js';
import { checks } from './references/checks.js';
import { cliCommands } from './references/cli.js';
import { commandGroups } from './references/commands.js';
import { optionSections } from './references/options.js';
import { repository } from './repository.js';
import { sidebar } from './sidebar.js';

const docs = await readdir(join(repository, 'docs'), { recursive: true });
const packages = await readdir(join(repository, 'packages'));
const paths = [
  'README.md',
  'CONTRIBUTING.md',
  ...packages.map((name) => `packages/${name}/README.md`),
  ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
/** Without the changes that CONTRIBUTING.md shows as an example: what they add is not there. */
const asItIs = (text: string) => text.replace(/^```(?:diff|ts) \S+\n[\s\S]*?^```$/gm, '');
const pages = new Map(
  await Promise.all(paths.map(async (path) => [path, asItIs(await readFile(join(repository, path), 'utf8'))] as const)),
);
/** What people wrote, and not what is generated from the names themselves. */
const written = [...pages].filter(([path]) => !/^docs\/(reference|checks)\//.test(path));
const writtenText = written.map(([, text]) => text).join('\n');
const everything = [...pages.values()].join('\n');
const commands = await cliCommands();
const commandNames = new Set(commands.map(({ name }) => name));
const flags = new Set(
  commands
    .flatMap(({ command }) => command.options.flatMap(({ long, short }) => [long ?? '', short ?? '']))
    .concat('--help'),
);

const names = (text: string, name: string) =>
  new RegExp(`(?<![\\w.$])${name.replaceAll('.', '\\.')}(?![\\w$])`).test(text);
const missing = (all: Iterable<string>, text: string) => [...all].filter((name) => !names(text, name));

test('every export, option, command method, command, flag, error code and check is on a page', () => {
  const lacking = [
    ...entryPoints.flatMap((entry) => missing(publicNames(entry).keys(), everything)),
    ...optionSections.flatMap(({ schema, path }) =>
      missing(
        Object.keys(schema).map((name) => `${path}${name}`),
        pages.get('docs/reference/options.md')!,
      ),
    ),
    ...commandGroups().flatMap(({ methods }) =>
      missing(
        methods.map(({ name }) => name),
        pages.get('docs/reference/commands.md')!,
      ),
    ),
    ...missing(Object.keys(ERRORS), pages.get('docs/errors.md')!),
    ...missing(Object.keys(guardErrors), pages.get('docs/guard-errors.md')!),
    ...missing(Object.keys(cliErrors), pages.get('docs/cli-errors.md')!),
    ...missing(
      checks.map(({ id }) => id),
      pages.get('docs/checks.md')!,
    ),
    ...[...commandNames].filter((name) => !pages.get('docs/reference/cli.md')!.includes(`\n## ${name}\n`)),
    ...[...flags].filter((flag) => flag !== '' && !pages.get('docs/reference/cli.md')!.includes(flag)),
  ];
  assert.deepEqual(lacking, []);
});

test('every page is in the sidebar, but those of the checks, which the table of checks links', () => {
  const linked = sidebar.flatMap(({ items }) => items.map(({ link }) => `docs${link}.md`));
  const all = [...pages.keys()].filter((path) => /^docs\/(?!checks\/)/.test(path));
  assert.deepEqual(linked.filter((path) => !path.startsWith('docs/api/')).sort(), all.sort());
});

test('every command of redkeep, and every class of guard, is on a page that a person wrote', () => {
  const classes = [...publicNames(entryPoints.find(({ name }) => name === '@redkeep/guard')!).values()].filter(
    ({ kind, name }) => kind === 'class' && name !== 'DataKey', // parameter of a method for other keys than the ring's
  );
  // A command that is hidden is for redkeep's own use; a page of backups may say `backup expire` for short.
  const shown = commands.filter(({ command }) => command.commands.length === 0 && !isHidden(command));
  const leaves = shown.map(({ name }) => name.slice('redkeep '.length));
  assert.deepEqual(
    [
      ...leaves.filter((name) => !writtenText.includes(name)),
      ...missing(
        classes.map(({ name }) => name),
        writtenText,
      ),
    ],
    [],
  );
});

const isHidden = (command: object) => (command as { _hidden?: boolean })._hidden === true;

/** Inline code and shell blocks of a page. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```(?:sh|text)\b[^\n]*\n([\s\S]*?)^ *```/gm)].flatMap(([, block]) =>
    block!.replace(/\\\n\s*/g, '').split('\n'),
  );
  const inline = [...text.replace(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code]) =>
    code!.replace(/\n/g, ' '),
  );
  return [...blocks, ...inline].filter((code) => !code.trimStart().startsWith('#')).flatMap((code) => code.split('&&'));
}

test('every `redkeep …` on a page is a command with flags that it has', () => {
  const wrong: string[] = [];
  for (const [path, text] of pages) {
    for (const code of codeOf(text)) {
      const [, line] = /(?:^|[\s(&;])(?:npx )?(redkeep(?: [\w-]+)*(?:\s.*)?)$/.exec(code.replace(/\s#\s.*$/, '')) ?? [];
      if (line === undefined || /^redkeep(?:$|[\s:/]*$)/.test(line)) continue;
      const words = line.split(/\s+/);
      const length = [3, 2].find((count) => commandNames.has(words.slice(0, count).join(' ')));
      if (length === undefined) {
        // A folder, a user or a package of that name, or the program alone with an option.
        if (/^[a-z]+$/.test(words[1] ?? '')) wrong.push(`${path}: ${line}`);
        continue;
      }
      const { command } = commands.find(({ name }) => name === words.slice(0, length).join(' '))!;
      const own = new Set(command.options.flatMap(({ long, short }) => [long, short]).concat('--help'));
      const given = words.slice(length, words.includes('--') ? words.indexOf('--') : undefined);
      for (const [flag] of given.join(' ').matchAll(/(?<=^|\s)--[a-z][\w-]*/g))
        if (!own.has(flag)) wrong.push(`${path}: ${line}: ${flag}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('every error code, variable, check and error class on a page exists', async () => {
  const sources = await sourceText();
  const codes = new Set([...Object.keys(ERRORS), ...Object.keys(guardErrors), ...Object.keys(cliErrors)]);
  const ids = new Set<string>(checks.map(({ id }) => id));
  const areas = [...new Set([...ids].map((id) => id.split('-')[0]))].join('|');
  const exported = new Set(entryPoints.flatMap((entry) => [...publicNames(entry).keys()]));
  const wrong: string[] = [];
  for (const [path, text] of pages) {
    for (const [code] of text.matchAll(/\bREDKEEP_[A-Z_]+\b(?!\\?_?…)/g))
      if (!codes.has(code) && !sources.includes(code)) wrong.push(`${path}: ${code}`);
    for (const [id] of text.matchAll(new RegExp(`\\b(?:${areas})-\\d{3}\\b`, 'g')))
      if (!ids.has(id)) wrong.push(`${path}: ${id}`);
    for (const [, name] of text.matchAll(/`(?:new )?([A-Z]\w+Error)\b/g))
      if (!exported.has(name!) && !(name! in globalThis) && name !== 'CliError') wrong.push(`${path}: ${name}`);
  }
  assert.deepEqual(wrong, []);
});

/** Sources of packages, scripts and test helpers, for names of variables of the environment. */
async function sourceText(): Promise<string> {
  const texts: string[] = [];
  for (const folder of ['packages', 'scripts', 'testing/src', 'journeys/src', 'bench/src', 'compat/src', '.ci']) {
    for (const entry of await readdir(join(repository, folder), { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (!entry.isFile() || /\/(?:node_modules|dist|cjs)\//.test(path) || /\.(?:json)$/.test(path)) continue;
      texts.push(await readFile(path, 'utf8'));
    }
  }
  return texts.join('\n');
}
