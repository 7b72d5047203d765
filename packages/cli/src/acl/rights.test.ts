import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngine, findEngines } from '@redkeep/testing';
import { builtInCommands } from './built-in-commands.js';
import { coversEverything, exampleOf, matchesGlob } from './glob.js';
import { powersOf } from './powers.js';
import { Rights } from './rights.js';
import { readServerCommands, type ServerCommands } from './server-commands.js';
import { askOracle } from './testing/oracle.js';

// `npm run oracle -- 10000` is the long form, on every engine there is.
const engines = process.env['REDKEEP_ENGINE'] ? [findEngine()] : findEngines();

describe('rights of users made at random', () => {
  for (const engine of engines)
    test(`are computed as ${engine.name} itself decides`, async () => {
      const { users, run, disagreements } = await askOracle(engine, 40, 7, 2);
      assert.equal(users, 40);
      assert.ok(run > 500, `${run} commands were really run`);
      assert.deepEqual(disagreements.slice(0, 3), []);
    });
});

describe('globs of rules', () => {
  test('are recognized as limiting nothing, however they are written', () => {
    for (const patterns of [['*'], ['**'], ['?*'], ['*?'], ['[a-m]*', '[^a-m]*'], ['x*', '*']])
      assert.equal(coversEverything(patterns), true, patterns.join(' '));
    for (const patterns of [[], ['app:*'], ['[^a]*'], ['*:*', 'x*'], ['??']])
      assert.equal(coversEverything(patterns), false, patterns.join(' '));
  });

  test('have an example that they match', () => {
    for (const pattern of ['*', 'app:*', 'a?c', 'k[x-', '[^a]*', '\\[x\\]*', 'a\\*b', ''])
      assert.ok(matchesGlob(pattern, exampleOf(pattern) ?? '-none-'), pattern);
  });
});

describe('powers', () => {
  const of = (commands: ServerCommands, rules: string) =>
    powersOf([{ keys: ['~app:*'], channels: [], commands: rules.split(' ') }], commands).map(({ name }) => name);

  test('are found behind commands that no list of dangerous ones had', async () => {
    const commands = await builtInCommands();
    const names = of(commands, '-@all +restore +function|restore +eval_ro +acl|deluser +module|loadex');
    assert.deepEqual(names, ['ACL DELUSER', 'EVAL_RO', 'FUNCTION RESTORE', 'MODULE LOADEX', 'RESTORE']);
  });

  test('count by category where no table knows the command', () => {
    const entry = (name: string, category: string) => [name, 2, [], 0, 0, 0, [category, '@slow'], [], [], []];
    const commands = readServerCommands([
      entry('vendor.wipe', '@dangerous'),
      entry('vendor.lua', '@scripting'),
      entry('vendor.get', '@read'),
    ]);
    const found = powersOf([{ keys: [], channels: [], commands: ['+@all'] }], commands);
    assert.deepEqual(
      found.map(({ name, power }) => [name, power]),
      [
        ['VENDOR.LUA', 'load-code'],
        ['VENDOR.WIPE', 'administer'],
      ],
    );
  });

  test('need a key where the command needs one', async () => {
    const commands = await builtInCommands();
    const rights = (keys: string[]) => new Rights({ keys, channels: [], commands: ['+restore'] }, commands);
    assert.equal(rights([]).canRun('restore', commands['restore']!), false);
    assert.equal(rights(['%R~*']).canRun('restore', commands['restore']!), false);
    assert.equal(rights(['%W~a*']).canRun('restore', commands['restore']!), true);
  });

  test('of Redis 6, which lists no subcommands, are those of its containers', () => {
    const commands = readServerCommands([['config', -2, ['admin'], 0, 0, 0, ['@admin', '@slow', '@dangerous']]]);
    assert.deepEqual(of(commands, '-@all +config|get'), ['CONFIG GET']);
    assert.deepEqual(of(commands, '-@all +config'), ['CONFIG GET', 'CONFIG RESETSTAT', 'CONFIG REWRITE', 'CONFIG SET']);
  });
});
