import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { redis62Directives } from '../testing/published-settings.js';
import { renderAnswers } from '../testing/render-answers.js';
import { type TargetName, targetNames, topologyNames } from '../vocabulary/names.js';
import type { RenderedFile } from './render/index.js';
import { quoteShell } from './render/shell.js';
import { quoteUnit } from './render/systemd.js';

/** Pieces that mean something to a shell, YAML, redis.conf, a unit, Markdown or a template. */
const pieces = [
  '"',
  "'",
  '`',
  '$(touch /tmp/x)',
  '${x}',
  '\\',
  '\n',
  '\r',
  '\t',
  ' ',
  '#',
  ': ',
  '- ',
  '%n',
  '%',
  '{{ x }}',
];
const words = [
  '&',
  '|',
  ';',
  '\u0000',
  '\u001b[31m',
  'é',
  'ключ',
  '\u2028',
  '🙂',
  'user x on nopass',
  '[Service]',
  'ExecStart=/x',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...pieces, ...words), fc.string({ unit: 'binary', maxLength: 4 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join('').slice(0, 200) || 'x');
const folder = text.map((value) => `/srv/${value.replaceAll('\u0000', '').replaceAll('/', '') || 'x'}/redkeep`);
const pattern = text
  .map((value) => value.replace(/[\s\p{Cc}]/gu, '').replace(/[\ud800-\udfff]/g, ''))
  .filter((value) => value !== '');

describe('answers that mean something to a shell, YAML, redis.conf, a unit or Markdown', () => {
  for (const target of targetNames) {
    test(`leave every file what it is, ${target}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          text,
          folder,
          pattern,
          fc.constantFrom(...topologyNames),
          async (name, where, keys, topology) => {
            const hosts = target === 'systemd' ? { hosts: ['10.0.0.1'] } : {};
            const applications = [{ name: 'app', keys: [keys], channels: [keys] }];
            const files = await renderAnswers(
              { name, target, topology, profile: 'production', applications, ...hosts },
              where,
            );
            for (const file of files) parseFile(file, target, where, keys);
          },
        ),
        { numRuns: 4 },
      );
    });
  }

  test('are one word of a shell', () => {
    fc.assert(
      fc.property(
        text.map((value) => value.replaceAll('\u0000', '')),
        (value) => {
          const { stdout } = spawnSync('sh', ['-c', `printf %s ${quoteShell(value)}`], { encoding: 'utf8' });
          assert.equal(stdout, Buffer.from(value).toString());
        },
      ),
      { numRuns: 60 },
    );
  });

  test('are one line and one word of a unit', () => {
    fc.assert(
      fc.property(text, (value) => {
        const quoted = quoteUnit(value);
        assert.doesNotMatch(quoted, /[\p{Cc}]/u);
        assert.match(quoted, /^"(?:[^"\\%$]|\\.|%%|\$\$)*"$/u);
      }),
    );
  });
});

const newInRedis7 =
  /^(enable-(debug|module)-command|enable-protected-configs|maxmemory-clients|aof-timestamp-enabled|busy-reply-threshold|cluster-(port|announce-hostname|preferred-endpoint-type))$/;

function parseFile({ path: name, content }: RenderedFile, target: TargetName, where: string, keys: string): void {
  const lines = content.split('\n');
  if (/\.ya?ml$/.test(name)) {
    for (const document of parseAllDocuments(content)) assert.deepEqual(document.errors, [], name);
  } else if (name.endsWith('.conf')) {
    const directives = lines.filter((line) => line !== '' && !line.startsWith('#')).map(splitArguments);
    for (const [directive] of directives) {
      assert.ok(redis62Directives.has(directive!) || newInRedis7.test(directive!), `${directive} in ${name}`);
    }
    const [, dir] = directives.find(([directive]) => directive === 'dir')!;
    if (target === 'local') assert.equal(dir, Buffer.from(path.join(where, path.dirname(name), 'data')).toString());
  } else if (name.endsWith('users.acl')) {
    for (const line of lines.filter(Boolean)) assert.match(line, /^user [A-Za-z][\w.-]* o(n|ff) /, name);
    if (!/sentinel/.test(name)) assert.ok(content.includes(` ~${keys} &${keys} `), name);
    assert.doesNotMatch(content, / nopass( |$)/m);
  } else if (/\.(service|timer)$/.test(name)) {
    for (const line of lines)
      assert.match(line, /^(|#[^\n]*|\[(Unit|Service|Timer|Install)\]|[A-Z][A-Za-z]+=[^\n]*)$/, name);
    assert.equal(lines.filter((line) => line === '[Service]').length, name.endsWith('.service') ? 1 : 0);
    assert.ok(lines.filter((line) => line.startsWith('ExecStart=')).length <= 2, name);
  } else if (name.endsWith('.env')) {
    assert.match(content, /^#.*\n#.*\n(?:[A-Z_]+=(?:[\w./:@%+,=-]+|(?:'[^']*'|\\')+)\n)+$/, name);
  } else if (name.endsWith('.sh')) {
    const { status, stderr } = spawnSync('sh', ['-n'], { input: content, encoding: 'utf8' });
    assert.equal(status, 0, `${name}: ${stderr}`);
  } else if (name === 'DECISIONS.md' || name === 'RUNBOOK.md') {
    assert.match(lines[0]!, /^# (Decisions|Runbook): /, name);
    assert.equal(lines[1], '', name);
  }
}

/** The servers' reading of a line (`sdssplitargs`). */
function splitArguments(line: string): string[] {
  const args: string[] = [];
  for (const [, quoted, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
    if (plain !== undefined) args.push(plain);
    else {
      const bytes = quoted!.replace(/\\x([0-9a-f]{2})|\\(.)/g, (_, hex: string | undefined, character: string) =>
        hex === undefined ? character : String.fromCharCode(Number.parseInt(hex, 16)),
      );
      args.push(Buffer.from(bytes, 'latin1').toString('utf8'));
    }
  }
  return args;
}
