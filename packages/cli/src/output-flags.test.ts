import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import type { Command } from 'commander';
import { createContext } from './context.js';
import { definedProgram } from './program.js';
import { CliSandbox } from './testing/run-cli.js';

/** Every command that can be called, as its words, with something in the place of each argument it needs. */
function leaves(command: Command, words: readonly string[] = []): string[][] {
  if (command.commands.length > 0) {
    return command.commands
      .filter((each) => each.name() !== 'help')
      .flatMap((each) => leaves(each, [...words, each.name()]));
  }
  const args = command.registeredArguments.filter(({ required }) => required);
  const options = command.options.filter(({ mandatory }) => mandatory);
  return [
    [
      ...words,
      ...args.map(({ argChoices }) => argChoices?.[0] ?? 'x'),
      ...options.flatMap(({ long, argChoices }) => [long!, argChoices?.[0] ?? 'x']),
    ],
  ];
}

/** The one JSON document that standard output is. */
function documentOf(out: string, what: string): Record<string, unknown> {
  try {
    return JSON.parse(out) as Record<string, unknown>;
  } catch {
    assert.fail(`${what} --json printed something else than one document:\n${out.slice(0, 500)}`);
  }
}

describe('--json, --quiet and --verbose', () => {
  let sandbox: CliSandbox;
  before(async () => {
    sandbox = await CliSandbox.create();
  });
  after(() => sandbox.remove());

  test('act on every command, also where it fails', async () => {
    const program = await definedProgram(createContext(process, new AbortController().signal));
    // It reads the words of a key from standard input, which is not the test's own.
    const all = leaves(program).filter((words) => words.join(' ').startsWith('backup key from-words') === false);
    assert.ok(all.length > 40, String(all.length));
    for (const words of all) {
      const what = words.join(' ');
      const empty = await CliSandbox.create();
      try {
        const both = await empty.run([...words, '--quiet', '--verbose']);
        assert.deepEqual([both.code, both.out], [2, ''], what);
        assert.match(both.err, /--quiet.*--verbose/, what);
        const json = await empty.run([...words, '--json']);
        const document = documentOf(json.out, what);
        if (json.code === 0) continue;
        const { error } = document as { error?: { code: string; message: string; hint: string } };
        if (!error) continue;
        assert.match(error.code, /^REDKEEP_[A-Z_]+$/, what);
        assert.ok(error.message.length > 10 && error.hint.length > 5, `${what}: ${JSON.stringify(error)}`);
        const quiet = await empty.run([...words, '--quiet']);
        assert.equal(quiet.code, json.code, what);
        assert.doesNotMatch(quiet.err, /^[✓·]/m, what);
      } finally {
        await empty.remove();
      }
    }
  });

  test('act on the commands of a running deployment', async () => {
    const run = (words: readonly string[], flag: string) => {
      const at = words.indexOf('--');
      return sandbox.run(at === -1 ? [...words, flag] : [...words.slice(0, at), flag, ...words.slice(at)]);
    };
    assert.equal((await sandbox.run(['init', '--yes', '--port', String(await freePort())])).code, 0);
    const commands = [
      ...[
        ['up', '--detach'],
        ['status'],
        ['logs'],
        ['cli', '--user', 'app', '--', 'SET', 'app:1', 'v'],
        ['apply', '--yes'],
      ],
      ...['list', 'explain app', 'test', 'diff', 'apply'].map((words) => ['acl', ...words.split(' ')]),
      ...[
        ['certs', 'show'],
        ['certs', 'check'],
        ['certs', 'renew', '--all'],
        ['restart', '--yes'],
        ['init', '--yes'],
        ['down'],
      ],
    ];
    for (const words of commands) {
      const what = words.join(' ');
      const json = await run(words, '--json');
      assert.equal(json.code, 0, `${what}: ${json.err}`);
      documentOf(json.out, what);
      assert.doesNotMatch(json.err, /^[✓·]/m, what);
      // Without --json its output is that of redis-cli, on this process's own.
      if (words[0] === 'cli') continue;
      const quiet = await run(words, '--quiet');
      assert.equal(quiet.code, 0, `${what}: ${quiet.err}`);
      assert.doesNotMatch(quiet.err, /^[✓·]/m, what);
      if (what === 'down') break;
      const verbose = await run(words, '--verbose');
      assert.equal(verbose.code, 0, `${what}: ${verbose.err}`);
    }
  });

  test('are refused where they cannot act', async () => {
    for (const words of [['logs', '--follow'], ['cli'], ['up']]) {
      const { code, out } = await sandbox.run([...words, '--json']);
      assert.equal(code, 2, words.join(' '));
      const { error } = documentOf(out, words.join(' ')) as { error: { code: string } };
      assert.equal(error.code, 'REDKEEP_USAGE');
    }
  });
});
