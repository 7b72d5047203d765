import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createClient, type RedisClient } from 'redkeep';
import { GENERATION } from '../cache/cache-scripts.js';
import { Sessions } from '../session/sessions.js';
import { refused, testEncryption, useServer } from '../testing/support.js';
import { defineKeyspaces } from './keyspaces.js';

const redis = useServer();
const spaces = defineKeyspaces({
  notes: { prefix: 'note:', maxTtlMs: 60_000, encrypted: true },
  counters: { prefix: 'count:', maxTtlMs: 60_000 },
  settings: { prefix: 'setting:', dangerouslyWithoutExpiry: true },
  sessions: { prefix: 'sess:', use: 'sessions' },
  audit: { prefix: 'audit:', use: 'audit' },
});

describe('raw commands of a client with the validator', () => {
  let client: RedisClient;
  before(async () => {
    client = createClient({
      url: redis.server.url,
      validateCommand: spaces.validator(),
      commandPolicy: 'unrestricted',
    });
    await client.connect();
  });
  after(() => client.destroy());
  const send = (...words: string[]) => client.sendCommand(words);

  test('may use keys of a space within its time', async () => {
    await client.set('count:1', '1', { expiration: { type: 'EX', value: 60 } });
    await client.set('count:1', '2', { expiration: 'KEEPTTL', condition: 'XX' });
    await spaces.open(client, { encryption: testEncryption() }).counters.increment('n', 1, { ttlMs: 1000 });
    await client.hSet('count:hash', 'a', '1');
    await client.expire('count:1', 30);
    await client.set('setting:1', 'for ever');
    await send('SET', 'count:2', 'x', 'PXAT', String(Date.now() + 60_000));
    await send('SETEX', 'count:2', '60', 'x');
    await send('GETEX', 'count:2');
    await send('SCAN', '0', 'MATCH', 'count:*');
    await send('RPUSH', 'setting:list', '1');
    await send('SORT_RO', 'setting:list', 'BY', 'nosort', 'GET', 'setting:*', 'GET', '#');
    await send('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'count:');
    await send('CLIENT', 'TRACKING', 'OFF');
    await send('XLEN', '{audit}:stream');
    for (const words of ['PING', 'TIME', 'ROLE', 'INFO server', 'DBSIZE', 'CLIENT ID', 'PUBLISH news x', 'WAIT 0 1'])
      await send(...words.split(' '));
    assert.deepEqual(
      await client
        .multi()
        .set('count:m', '1', { expiration: { type: 'EX', value: 60 } })
        .exec(),
      ['OK'],
    );
    const sessions = new Sessions({ client, encryption: testEncryption() });
    assert.ok(await sessions.load((await sessions.create({ data: {} })).id));
  });

  test('never make a string without expiry, or with one beyond the space', async () => {
    const wrong = [
      ['SET', 'count:3', 'x'],
      ['SET', 'count:3', 'x', 'NX', 'GET'],
      ['SET', 'count:3', 'x', 'EX', '61'],
      ['SET', 'count:3', 'x', 'px', '31536000000'],
      ['SET', 'count:3', 'x', 'EXAT', '99999999999'],
      ['SET', 'count:3', 'EX', 'NX'],
      ['SETEX', 'count:3', '31536000', 'x'],
      ['PSETEX', 'count:3', '60001', 'x'],
      ['GETEX', 'count:1', 'PERSIST'],
      ['GETEX', 'count:1', 'EX', '61'],
      ['PERSIST', 'count:1'],
      ['SETNX', 'count:3', 'x'],
      ['MSET', 'setting:2', 'x', 'count:3', 'x'],
      ['GETSET', 'count:1', 'x'],
      ['EXPIRE', 'count:1', '61'],
      ['PEXPIREAT', 'count:1', '99999999999999'],
      ['SET', 'count:3', 'x', 'EX', 'NaN'],
      ['SET', 'count:3', 'x', 'EX', '1', 'EX', '61'],
      ['SET', 'count:3', 'x', 'KEEPTTL'],
      ['SET', 'count:3', 'x', 'IFNE', 'XX', 'KEEPTTL'],
      ['SET', 'count:3', 'x', 'IFDNE', 'XX', 'KEEPTTL'],
      ['SET', 'count:3', 'x', 'IFEQ', 'EX'],
      ['INCR', 'count:3'],
      ['DECRBY', 'count:3', '1'],
      ['INCRBYFLOAT', 'count:3', '1'],
      ['APPEND', 'count:3', 'x'],
      ['SETRANGE', 'count:3', '0', 'x'],
      ['SETBIT', 'count:3', '1', '1'],
      ['BITOP', 'NOT', 'count:3', 'count:1'],
      ['BITFIELD', 'count:3', 'SET', 'u8', '0', '1'],
      ['PFADD', 'count:3', 'x'],
      ['PFMERGE', 'count:3', 'count:4'],
      ['COPY', 'setting:1', 'count:3'],
      ['RENAME', 'setting:1', 'count:3'],
      ['RESTORE', 'count:3', '0', 'x'],
      ['SORT', 'count:1', 'STORE', 'count:3'],
      ['SINTERSTORE', 'count:3', 'count:4'],
    ];
    for (const words of wrong) await refused(() => send(...words), 'REDKEEP_KEYSPACE_TTL');
    assert.equal(await redis.client.exists('count:3'), 0);
  });

  test('reach no key of no space, and list no further than one', async () => {
    await refused(() => send('GET', 'other:1'), 'REDKEEP_KEYSPACE_KEY');
    await refused(() => send('EVAL', 'return 1', '1', 'other:1'), 'REDKEEP_KEYSPACE_KEY');
    for (const words of [
      ['KEYS', '*'],
      ['SCAN', '0'],
      ['SCAN', '0', 'MATCH', '*:1'],
      ['SCAN', '0', 'COUNT', '9'],
      ['SCAN', '0', 'MATCH', 'count:*', 'MATCH', '*'],
      ['SCAN', '0', 'MATCH', '*', 'MATCH', 'count:*'],
      ['EVAL', "return redis.call('SET', KEYS[1], 'x')", '1', 'count:3'],
      ['EVAL', "return redis.call('GET', 'other:1')", '0'],
      ['EVAL_RO', "return redis.call('GET', 'other:1')", '0'],
      ['FCALL', 'theirs', '0'],
      ['EVAL', GENERATION.source, '1', 'count:3', 'x'],
      ['EVALSHA', GENERATION.sha, '1', 'sess:{x}', 'x'],
      ['SORT_RO', 'count:1', 'BY', 'nosort', 'GET', 'other:*'],
      ['SORT_RO', 'count:1', 'BY', 'other:*'],
      ['SORT_RO', 'count:1', 'BY', 'nosort', 'GET', 'setting:*'],
      ['SORT_RO', 'setting:1', 'BY', 'count:*'],
      ['SORT', 'count:1', 'GET', '#', 'GET', '*'],
      ['SORT', 'count:1', 'GET', 'coun*'],
      ['CLIENT', 'TRACKING', 'ON', 'BCAST'],
      ['CLIENT', 'TRACKING', 'ON', 'bcast', 'NOLOOP'],
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'other:'],
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'count:', 'PREFIX', 'coun'],
      ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', ''],
      ['FLUSHDB'],
      ['FLUSHALL', 'ASYNC'],
      ['SWAPDB', '0', '1'],
      ['RANDOMKEY'],
      ['SELECT', '1'],
      ['FUNCTION', 'LOAD', 'REPLACE', "#!lua name=x\nredis.register_function('x', function() end)"],
      ['FUNCTION', 'FLUSH'],
      ['FUNCTION', 'RESTORE', 'x'],
      ['SCRIPT', 'LOAD', 'return 1'],
      ['SCRIPT', 'FLUSH'],
      ['DEBUG', 'RELOAD'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['MONITOR'],
      ['SLOWLOG', 'GET'],
      ['ACL', 'SETUSER', 'x'],
      ['MODULE', 'LOAD', 'x'],
      ['REPLICAOF', 'other', '6379'],
      ['SHUTDOWN'],
      ['FT.SEARCH', 'index', '*'],
      ['A.COMMAND.OF.TOMORROW', 'other:1'],
      ['SET', 'sess:{x}', 'x'],
      ['RPUSH', 'sess:{x}', 'x'],
    ])
      await refused(() => send(...words), 'REDKEEP_KEYSPACE_COMMAND');
    const lenient = createClient({
      url: redis.server.url,
      validateCommand: spaces.validator({ unknownKeys: 'allow' }),
    });
    await lenient.connect();
    assert.equal(await lenient.get('other:1'), null);
    await refused(() => lenient.sendCommand(['EVAL', 'return 1', '1', 'other:1']), 'REDKEEP_KEYSPACE_COMMAND');
    await lenient.sendCommand(['SORT_RO', 'other:list', 'BY', 'nosort', 'GET', 'other:*']);
    for (const pattern of ['*', 'setting:*', 's*'])
      await refused(
        () => lenient.sendCommand(['SORT_RO', 'other:list', 'BY', 'nosort', 'GET', pattern]),
        'REDKEEP_KEYSPACE_COMMAND',
      );
    lenient.destroy();
  });

  test('do nothing to sealed values that would only break them', async () => {
    for (const name of ['APPEND', 'SETRANGE', 'INCR', 'BITCOUNT', 'SORT'])
      await refused(() => send(name, 'note:1', '1', '1'), 'REDKEEP_KEYSPACE_COMMAND');
    await send('SETRANGE', 'setting:1', '0', '9');
  });

  test('write into an encrypted key space only what is sealed; the error says what to call', async () => {
    const plain = [
      'SET note:1 x EX 9',
      'SETEX note:1 9 x',
      'PSETEX note:1 9 x',
      'HSET note:h f x',
      'HSET note:h f x g y',
      'HMSET note:h f x',
      'HSETNX note:h f x',
      'HSETEX note:h EX 9 FIELDS 1 f x',
      'HINCRBY note:h f 1',
      'HINCRBYFLOAT note:h f 1',
      'LPUSH note:l x',
      'RPUSH note:l x y',
      'LPUSHX note:l x',
      'RPUSHX note:l x',
      'LSET note:l 0 x',
      'LINSERT note:l BEFORE a x',
      'SADD note:s x',
      'ZADD note:z 1 x',
      'ZADD note:z NX CH 1 x',
      'ZINCRBY note:z 1 x',
      'GEOADD note:g 1 1 x',
      'XADD note:x * f x',
      'XADD note:x MAXLEN ~ 10 * f x',
      'XADD note:x NOMKSTREAM 1-1 f x',
      'LMOVE count:l note:l LEFT LEFT',
      'RPOPLPUSH count:l note:l',
      'SMOVE count:s note:s x',
    ];
    for (const text of plain) {
      const error = await refused(() => send(...text.split(' ')), 'REDKEEP_KEYSPACE_COMMAND');
      assert.match(error.hint, /`set`|plainFields/, text);
    }
    const seal = (key: string) => testEncryption().seal('x', { space: 'notes', key });
    const sealed = await seal('note:1');
    await client.set('note:1', sealed, { expiration: { type: 'EX', value: 9 } });
    await client.hSet('note:h', { f: sealed, g: sealed });
    await client.sendCommand(['HSETNX', 'note:h', 'h', sealed]);
    await client.sendCommand(['RPUSH', 'note:l', sealed, sealed]);
    await client.sendCommand(['SADD', 'note:s', sealed]);
    await client.sendCommand(['ZADD', 'note:z', 'GT', '1', sealed, '2', sealed]);
    await client.sendCommand(['XADD', 'note:x', 'MAXLEN', '~', '10', '*', 'f', sealed, 'g', sealed]);
    await refused(() => client.hSet('note:h', { f: sealed, g: 'x' }), 'REDKEEP_KEYSPACE_COMMAND');
    const view = spaces.open(client, { encryption: testEncryption() }).notes;
    await view.set('2', { n: 1 }, { ttlMs: 9000 });
    assert.deepEqual(await view.get('2'), { n: 1 });
    await client.del(['note:h', 'note:l', 'note:s', 'note:z', 'note:x']);
  });
});
