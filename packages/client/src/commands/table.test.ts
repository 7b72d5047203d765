import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEngines, type RawReply, startServer } from '@redkeep/testing';
import { RedisClient } from '../client/client.js';
import { keysOf } from '../testing/protocols.js';
import { type Command, Flag, rawCommand } from './command.js';
import * as geo from './geo.js';
import { ALIASES, COMMANDS } from './index.js';
import * as keys from './keys.js';
import * as lists from './lists.js';
import * as sets from './sets.js';
import * as sortedSets from './sorted-sets.js';
import * as reading from './stream-reading.js';
import * as strings from './strings.js';
import { COMMAND_TABLE } from './table.js';

interface Known {
  readonly name: string;
  readonly flags: readonly string[];
  readonly categories: readonly string[];
  readonly keys: readonly [first: number, last: number, step: number];
}

/** Every command and subcommand of a server, as COMMAND describes them. */
function flatten(list: RawReply): Known[] {
  return (list as [string, number, string[], number, number, number, string[], ...RawReply[]][]).flatMap((row) => {
    const [name, , flags, first, last, step, categories] = row;
    const known: Known = { name: name.toUpperCase().replace('|', ' '), flags, categories, keys: [first, last, step] };
    return [known, ...flatten(row[9] ?? [])];
  });
}

const KEY = { key: 'a', id: '0' };
const CENTER = { longitude: 1, latitude: 1 };
/** One of each command whose keys the server cannot place by first, last and step. */
const MOVABLE: readonly Command[] = [
  lists.lmPop(['a', 'b'], 'LEFT'),
  lists.blmPop(1, ['a', 'b'], 'LEFT'),
  sets.sInterCard(['a', 'b'], 5),
  sortedSets.zDiff(['a', 'b']),
  sortedSets.zInter(['a', 'b']),
  sortedSets.zUnion([
    { key: 'a', weight: 1 },
    { key: 'b', weight: 2 },
  ]),
  sortedSets.zInterCard(['a', 'b']),
  sortedSets.zDiffStore('d', ['a', 'b']),
  sortedSets.zInterStore('d', ['a', 'b']),
  sortedSets.zUnionStore('d', ['a', 'b'], { AGGREGATE: 'MAX' }),
  sortedSets.zmPop(['a', 'b'], 'MIN'),
  sortedSets.bzmPop(1, ['a', 'b'], 'MIN'),
  reading.xRead([KEY, { key: 'b', id: '0' }], { COUNT: 1 }),
  reading.xReadGroup('streams', 'c', [KEY, { key: 'b', id: '>' }], { NOACK: true }),
  geo.geoRadius('a', CENTER, 1, 'm'),
  geo.geoRadiusStore('a', CENTER, 1, 'm', 'b'),
  geo.geoRadiusByMember('a', 'm', 1, 'm'),
  geo.geoRadiusByMemberStore('a', 'm', 1, 'm', 'b'),
  keys.sort('a', { BY: 'nosort' }),
  keys.sortRo('a'),
  keys.sortStore('a', 'b'),
  keys.migrate('h', 1, 'a', 0, 1),
  keys.migrate('h', 1, ['a', 'KEYS'], 0, 1, { COPY: true, AUTH: { username: 'KEYS', password: 'KEYS' } }),
  rawCommand(['EVAL', 'return 1', '2', 'a', 'b', 'c']),
  rawCommand(['EVAL_RO', 'return 1', '1', 'a']),
  rawCommand(['EVALSHA', 'x', '1', 'a', 'b']),
  rawCommand(['EVALSHA_RO', 'x', '1', 'a', 'b']),
  rawCommand(['FCALL', 'f', '1', 'a', 'b']),
  rawCommand(['FCALL_RO', 'f', '1', 'a', 'b']),
  rawCommand(['ZUNIONSTORE', 'd', '2', 'a', 'b']),
  rawCommand(['XREADGROUP', 'GROUP', 'STREAMS', 'c', 'STREAMS', 'a', '>']),
];
const MOVABLE_LATER: readonly Command[] = [strings.mSetEx({ a: '1', b: '2' }, { mode: 'NX' })];

/** Commands that have no method of their name, and why; `sendCommand` runs those that are not refused. */
const WITHOUT_METHOD: Readonly<Record<string, string>> = {
  HMSET: 'HSET does the same since Redis 4',
  SUBSTR: 'GETRANGE does the same since Redis 2',
  ZREVRANGE: 'ZRANGE REV since Redis 6.2',
  ZREVRANGEBYLEX: 'ZRANGE BYLEX REV since Redis 6.2',
  ZREVRANGEBYSCORE: 'ZRANGE BYSCORE REV since Redis 6.2',
  'CLIENT REPLY': 'OFF and SKIP would leave calls without an answer',
  'CLUSTER SLAVES': 'CLUSTER REPLICAS does the same since Redis 5',
  'CLUSTER SYNCSLOTS': 'between nodes',
  'CONFIG RESETSTAT': 'configResetStat; its name in capitals is spelt as in node-redis',
  DEBUG: 'for developers of the server',
  DISCARD: 'multi() sends nothing before exec()',
  EXEC: 'multi().exec()',
  PSYNC: 'between servers',
  REPLCONF: 'between servers',
  SLAVEOF: 'REPLICAOF does the same since Redis 5',
  SYNC: 'between servers',
  PFDEBUG: 'for developers of the server',
  PFSELFTEST: 'for developers of the server',
};

/** Where the table says something else than a server, and why. */
const NOT_BLOCKING = new Set(['XREAD', 'XREADGROUP', 'WAIT', 'WAITAOF']);

for (const engine of findEngines()) {
  test(`the table agrees with ${engine.name}`, async () => {
    await using server = await startServer({ engine });
    const commands = flatten(await server.command('COMMAND'));
    assert.ok(commands.length > 200);
    const missing = commands.filter(({ name }) => COMMAND_TABLE[name] === undefined).map(({ name }) => name);
    assert.deepEqual(missing, [], 'regenerate table.ts: scripts/generate-command-table.mjs');
    for (const { name, flags, keys: places } of commands) {
      const [bits, ...row] = COMMAND_TABLE[name]!;
      if (flags.includes('write'))
        assert.equal(bits & (Flag.WRITE | Flag.READONLY), Flag.WRITE, `${name}: a write is never called a read`);
      if ((bits & Flag.READONLY) !== 0) assert.ok(flags.includes('readonly'), `${name}: read`);
      if (flags.includes('blocking') && !NOT_BLOCKING.has(name)) assert.ok(bits & Flag.BLOCKING, `${name}: blocks`);
      if (flags.includes('movablekeys')) assert.ok(bits & Flag.MOVABLE_KEYS, `${name}: movable keys`);
      if (places[0] !== 0) assert.deepEqual(row, places, `${name}: first key, last key, step`);
    }
  });

  test(`every command of ${engine.name} has a method`, async () => {
    await using server = await startServer({ engine });
    const aliases: Readonly<Record<string, string>> = ALIASES;
    const methods = new Set(Object.keys(COMMANDS).map((name) => aliases[name] ?? name.toUpperCase()));
    const names = flatten(await server.command('COMMAND')).map(({ name }) => name);
    const containers = new Set(names.filter((name) => name.includes(' ')).map((name) => name.split(' ', 1)[0]));
    const lacking = names.filter(
      (name) =>
        !containers.has(name) &&
        !name.endsWith(' HELP') &&
        !methods.has(name.replace(' ', '_')) &&
        // Methods of the client itself: subscribe, watch, reset …
        ![name, name.toLowerCase()].some((method) => method in RedisClient.prototype),
    );
    assert.deepEqual(
      lacking.filter((name) => WITHOUT_METHOD[name] === undefined),
      [],
    );
    assert.deepEqual(
      Object.keys(WITHOUT_METHOD).filter((name) => methods.has(name)),
      [],
      'these have methods by now',
    );
  });

  test(`keys are where ${engine.name} finds them`, async () => {
    await using server = await startServer({ engine });
    const known = new Map(flatten(await server.command('COMMAND')).map((command) => [command.name, command]));
    const tried = [...MOVABLE, ...MOVABLE_LATER.filter(({ spec }) => known.has(spec.name))];
    for (const command of tried) {
      const words = [...command.spec.name.split(' '), ...command.args.map(String)];
      const answer = await server.command('COMMAND', 'GETKEYS', ...words);
      assert.deepEqual(keysOf(command).sort(), [...(answer as string[])].sort(), words.join(' '));
    }
    const untried = [...known.values()]
      .filter(({ name, flags }) => flags.includes('movablekeys') && !tried.some(({ spec }) => spec.name === name))
      .map(({ name }) => name);
    assert.deepEqual(untried, [], 'a command with movable keys needs a sample here');
  });
}
