import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Modules } from './modules.js';
import { scanSources } from './scan.js';
import { innocentProgram, type RandomProgram, randomProgram } from './testing/random-program.js';

/** `REDKEEP_PROGRAMS=20000` makes more of them. */
const programs = Number(process.env['REDKEEP_PROGRAMS'] ?? 400);

function issuesOf(files: ReadonlyMap<string, string>): string[] {
  const modules = new Modules(files);
  const found = scanSources(modules);
  assert.deepEqual(modules.unparsed, []);
  return [...new Set(found.findings.map(({ issue }) => issue))].sort();
}

function disagreements(make: (seed: number) => RandomProgram): string[] {
  const wrong: string[] = [];
  for (let seed = 1; seed <= programs; seed++) {
    const { files, issues } = make(seed);
    const found = issuesOf(files);
    if (found.join() !== issues.join())
      wrong.push(
        `seed ${seed}: found [${found}] instead of [${issues}]\n${[...files].map(([file, text]) => `// ${file}\n${text}`).join('')}`,
      );
  }
  return wrong;
}

describe('programs made at random', () => {
  test(`say what is wrong with ${programs} of them, however it is written`, () => {
    const wrong = disagreements(randomProgram);
    assert.equal(wrong.length, 0, `${wrong.length} of ${programs}\n${wrong.slice(0, 3).join('\n')}`);
  });

  test(`say nothing about ${programs} programs around other clients`, () => {
    const wrong = disagreements(innocentProgram);
    assert.equal(wrong.length, 0, `${wrong.length} of ${programs}\n${wrong.slice(0, 3).join('\n')}`);
  });
});

/** A client in order of each kind, called `it`. */
const nodeRedis =
  "import { createClient } from 'redis';\nconst it = createClient({ commandOptions: { timeout: 1 } });\n";
const ioredis = "import Redis from 'ioredis';\n";

describe('sources are followed', () => {
  const cases: readonly [name: string, files: Record<string, string>, issues: readonly string[]][] = [
    [
      'to the connection of BullMQ',
      {
        'a.ts':
          "import { Queue as Q } from 'bullmq';\nconst connection = { host: 'cache.example.com' };\nnew Q('mail', { connection });",
      },
      ['plaintext-url'],
    ],
    [
      'to the connection of a worker of BullMQ, the second argument but one',
      {
        'a.ts':
          "import { Worker } from 'bullmq';\nnew Worker('mail', async () => undefined, { connection: { host: 'cache.example.com' } });",
      },
      ['plaintext-url'],
    ],
    [
      'to a client that a queue needs without a limit',
      {
        'a.ts': `${ioredis}import { Worker } from 'bullmq';\nconst connection = new Redis({ host: 'localhost', maxRetriesPerRequest: null });\nnew Worker('mail', work, { connection });`,
      },
      [],
    ],
    [
      'to an URL that is given to Bull',
      { 'a.ts': "import Bull from 'bull';\nnew Bull('mail', process.env.REDIS ?? 'redis://cache.example.com');" },
      ['plaintext-url'],
    ],
    [
      'to the options of Bull',
      {
        'a.js':
          "const Queue = require('bull');\nnew Queue('mail', { redis: { host: 'cache.example.com', port: 6379 } });",
      },
      ['plaintext-url'],
    ],
    [
      'to what connect-redis is given',
      { 'a.ts': "import { RedisStore } from 'connect-redis';\nnew RedisStore({ url: 'redis://cache.example.com' });" },
      ['plaintext-url'],
    ],
    [
      'to the store of old connect-redis',
      {
        'a.js':
          "const session = require('express-session');\nconst RedisStore = require('connect-redis')(session);\nnew RedisStore({ host: 'cache.example.com' });",
      },
      ['plaintext-url'],
    ],
    [
      'to clients that Redlock is given, which are in order',
      {
        'a.ts': `${nodeRedis}import Redlock from 'redlock';\nconst lock = new Redlock([it]);\nlock.using(['a'], 1, work);`,
      },
      [],
    ],
    [
      'to a class that extends a client',
      {
        'a.ts': `${ioredis}class Store extends Redis { constructor() { super({ host: 'cache.example.com', commandTimeout: 1 }); }\n wipe() { return this.flushall(); } }\nnew Store();`,
      },
      ['dangerous-call', 'plaintext-url'],
    ],
    [
      'to a parameter by its type',
      {
        'a.ts':
          "import type { Redis } from 'ioredis';\nexport class Repository { constructor(private readonly db: Redis) {} all() { return this.db.keys('*'); } }",
      },
      ['dangerous-call'],
    ],
    [
      'to a parameter by the type of what makes it',
      {
        'a.ts':
          "import { createClient } from 'redis';\ntype Store = ReturnType<typeof createClient>;\nexport const all = (s: Store) => s.keys('*');",
      },
      ['dangerous-call'],
    ],
    [
      'to a client that is lent',
      {
        'a.ts':
          "import { createClientPool } from 'redis';\nconst pool = createClientPool({ commandOptions: { timeout: 1 } });\npool.execute((one) => one.flushAll());",
      },
      ['dangerous-call'],
    ],
    [
      'to commands in capitals and in a transaction',
      { 'a.ts': `${nodeRedis}it.multi().FLUSHALL().exec();` },
      ['dangerous-call'],
    ],
    [
      'to methods that are bound',
      {
        'a.js':
          "const { promisify } = require('util');\nconst it = require('redis').createClient({ commandOptions: {} });\nconst all = promisify(it.keys).bind(it);\nall('*');",
      },
      ['dangerous-call'],
    ],
    [
      'to options that are filled in later',
      {
        'a.ts': `${ioredis}const o: any = { commandTimeout: 1, host: 'cache.example.com', tls: {} };\no.tls.rejectUnauthorized = false;\nnew Redis(o);`,
      },
      ['unverified-tls'],
    ],
    [
      'to the elements of a cluster',
      {
        'a.ts': `${ioredis}new Redis.Cluster([{ host: 'one.example.com' }], { redisOptions: { commandTimeout: 1 } });`,
      },
      ['plaintext-url'],
    ],
    [
      'to an address of which a part is from the environment',
      {
        'a.ts': `${nodeRedis}createClient({ commandOptions: {}, url: \`redis://:\${process.env.SECRET}@cache.example.com\` });`,
      },
      ['default-user', 'plaintext-url'],
    ],
    [
      'to a variable that holds a password, when it is logged',
      {
        'a.ts': `${ioredis}const secret = process.env.STORE_KEY;\nnew Redis({ host: 'localhost', commandTimeout: 1, username: 'a', password: secret });\nconsole.log('key', secret);`,
      },
      ['logged-secret'],
    ],
    [
      'to options that are logged whole',
      {
        'a.ts': `${ioredis}const o = { host: 'localhost', commandTimeout: 1, username: 'a', password: process.env.STORE_KEY };\nnew Redis(o);\nlogger.info({ o });`,
      },
      ['logged-secret'],
    ],
    [
      'to what a constructor of old JavaScript keeps',
      {
        'a.js':
          "var redis = require('redis');\nfunction Store() { this.client = redis.createClient({ commandOptions: {} }); }\nStore.prototype.clear = function () { this.client.flushdb(); };\nmodule.exports = Store;",
        'b.js': "var Store = require('./a');\nvar store = new Store();\nstore.client.keys('*');",
      },
      ['dangerous-call'],
    ],
    [
      'to one of two environments',
      {
        'a.ts': `${ioredis}const o = process.env.CI ? { host: 'localhost' } : { host: 'cache.example.com' };\nnew Redis({ commandTimeout: 1, ...o });`,
      },
      ['plaintext-url'],
    ],
  ];
  for (const [name, files, issues] of cases)
    test(name, () => assert.deepEqual(issuesOf(new Map(Object.entries(files))), issues));
});

describe('sources are left alone', () => {
  const cases: readonly [name: string, code: string][] = [
    ['that connect by what is not in them', `${ioredis}import { options } from './generated.js';\nnew Redis(options);`],
    [
      'whose options are partly unknown',
      `${ioredis}import { base } from 'settings';\nnew Redis({ ...base, host: 'cache.example.com' });`,
    ],
    [
      'that encrypt by an option beside the address',
      `${ioredis}new Redis('redis://cache.example.com', { commandTimeout: 1, tls: {} });`,
    ],
    [
      'that encrypt outside of their own machine',
      `${nodeRedis}createClient({ commandOptions: {}, url: process.env.CI ? 'redis://localhost' : 'rediss://cache.example.com' });`,
    ],
    [
      'with a connection to another service',
      "import { Client } from 'ldapts';\nnew Client({ url: 'ldap://x', tlsOptions: { rejectUnauthorized: false } }); // redis",
    ],
    [
      'with a method of the same name',
      "class Redis { keys() {} flushall() {} }\nconst redisClient = new Redis();\nredisClient.keys('*');\nredisClient.flushall();",
    ],
    ['that shadow a client', `${nodeRedis}function f(it: Map<string, string>) { return it.keys(); }\nf(new Map());`],
    [
      'with a logger',
      "import pino from 'pino';\nconst redisLogger = pino();\nredisLogger.set('a', 1);\nredisLogger.info(process.env.LOG_LEVEL);",
    ],
    ['that mask what they log', `${ioredis}console.log(process.env.REDIS_URL?.replace(/:[^@]*@/, ':***@'));`],
    [
      'that hand a client to a function of another package',
      `${nodeRedis}import wrap from 'elsewhere';\nwrap(it).monitor();`,
    ],
    [
      'with a script from a file',
      `${nodeRedis}import { readFileSync } from 'node:fs';\nit.eval(readFileSync('a.lua', 'utf8'));`,
    ],
  ];
  for (const [name, code] of cases) test(name, () => assert.deepEqual(issuesOf(new Map([['a.ts', code]])), []));
});
