import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SourceIssue } from '../facts/project-facts.js';
import { scanSource } from './source.js';

function issues(code: string, file = 'src/app.ts'): SourceIssue[] {
  return scanSource(code, file).findings.map(({ issue }) => issue);
}

const redis = "import { createClient } from 'redis';\n";
const bounded = 'commandOptions: { timeout: 1000 }';
/** A client in order, under a name that says nothing. */
const made = `${redis}const it = createClient({ ${bounded} });\n`;

describe('the source scan finds', () => {
  const cases: readonly [string, string, readonly SourceIssue[]][] = [
    ['a plaintext URL', "const url = 'redis://cache.example.com:6379';", ['plaintext-url']],
    ['a password in a URL', "const url = 'rediss://app:test-only@cache.example.com';", ['credential']],
    [
      'a URL that turns verification off',
      "const url = 'rediss://cache.example.com?tls_insecure=1';",
      ['unverified-tls'],
    ],
    [
      'verification turned off',
      `${redis}createClient({ ${bounded}, socket: { tls: true, rejectUnauthorized: false } });`,
      ['unverified-tls'],
    ],
    [
      'a replaced name check',
      `${redis}createClient({ ${bounded}, socket: { tls: true, checkServerIdentity: () => undefined } });`,
      ['unverified-tls'],
    ],
    ['verification turned off for the process', "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';", ['unverified-tls']],
    ['old TLS', `${redis}createClient({ ${bounded}, socket: { tls: true, minVersion: 'TLSv1.1' } });`, ['old-tls']],
    [
      'a constant password',
      `${redis}createClient({ ${bounded}, username: 'app', password: 'test-only' });`,
      ['credential'],
    ],
    ['the default user', `${redis}createClient({ ${bounded}, password: process.env.P });`, ['default-user']],
    [
      'a private host without a CA',
      `${redis}createClient({ ${bounded}, socket: { host: 'redis.internal', tls: true } });`,
      ['missing-ca'],
    ],
    ['no timeout', `${redis}createClient();`, ['unbounded']],
    [
      'endless retries of ioredis',
      "import Redis from 'ioredis';\nnew Redis({ commandTimeout: 1, maxRetriesPerRequest: null });",
      ['unbounded'],
    ],
    ['a script built from a value', `${made}it.eval(\`return \${x}\`);`, ['interpolated-script']],
    ['a command split from text', `${made}it.sendCommand(text.split(' '));`, ['built-command']],
    ['KEYS', `${made}await it.keys('*');`, ['dangerous-call']],
    ['FLUSHALL sent raw', `${made}it.sendCommand(['FLUSHALL']);`, ['dangerous-call']],
    ['a logged address', 'console.log(process.env.REDIS_URL);', ['logged-secret']],
  ];
  for (const [name, code, expected] of cases) test(name, () => assert.deepEqual(issues(code), expected));
});

interface Client {
  readonly name: string;
  readonly head: string;
  /** A client with these options and everything else in order. */
  readonly make: (options: string) => string;
  readonly safe: string;
  readonly faults: Readonly<Partial<Record<SourceIssue, string>>>;
}

const clients: readonly Client[] = [
  {
    name: 'node-redis',
    head: "import { createClient } from 'redis';\n",
    make: (options) => `const store = createClient({ ${bounded}, ${options} });\n`,
    safe: "username: 'app', password: env.P, socket: { host: 'redis.internal', tls: true, ca }",
    faults: {
      'plaintext-url': "socket: { host: 'cache.example.com' }",
      'unverified-tls': "socket: { host: 'cache.example.com', tls: true, rejectUnauthorized: false }",
      'missing-ca': "socket: { host: 'redis.internal', tls: true }",
      'old-tls': "socket: { tls: true, minVersion: 'TLSv1' }",
      'default-user': 'password: env.P',
      credential: "username: 'app', password: 'test-only'",
    },
  },
  {
    name: 'ioredis',
    head: "import Redis from 'ioredis';\n",
    make: (options) => `const store = new Redis({ commandTimeout: 1000, ${options} });\n`,
    safe: "username: 'app', password: env.P, host: 'redis.internal', tls: { ca }",
    faults: {
      'plaintext-url': "host: 'cache.example.com'",
      'unverified-tls': "host: 'cache.example.com', tls: { rejectUnauthorized: false }",
      'missing-ca': "host: 'redis.internal', tls: {}",
      'old-tls': "tls: { minVersion: 'TLSv1.1' }",
      'default-user': 'password: env.P',
      credential: "username: 'app', password: 'test-only'",
      unbounded: 'maxRetriesPerRequest: null',
    },
  },
  {
    name: 'valkey-glide',
    head: "import { GlideClient, Script } from '@valkey/valkey-glide';\n",
    make: (options) => `const store = await GlideClient.createClient({ ${options} });\n`,
    safe: "addresses: [{ host: 'cache.example.com' }], useTLS: true, credentials: { username: 'app', password: env.P }",
    faults: {
      'plaintext-url': "addresses: [{ host: 'cache.example.com' }]",
      'unverified-tls': 'useTLS: true, advancedConfiguration: { tlsAdvancedConfiguration: { insecure: true } }',
      credential: "useTLS: true, credentials: { username: 'app', password: 'test-only' }",
    },
  },
  {
    name: 'Redkeep',
    head: "import { createClient } from 'redkeep';\n",
    make: (options) => `const store = createClient({ ${options} });\n`,
    safe: "username: 'app', password: env.P, socket: { host: 'redis.internal' }, tls: { caFile: 'ca.crt' }",
    faults: {
      'plaintext-url': "socket: { host: 'cache.example.com', tls: false }, allowPlaintext: false",
      'unverified-tls': 'tls: { dangerouslyAcceptAnyCertificate: true }',
      'old-tls': "tls: { minVersion: 'TLSv1.1' }",
      'missing-ca': "socket: { host: 'redis.internal', tls: true }, tls: {}",
      'default-user': 'password: env.P',
      credential: "username: 'app', password: 'test-only'",
    },
  },
];

/** Calls that are the same for every client, on a variable whose name says nothing. */
const calls: readonly [SourceIssue, string][] = [
  ['dangerous-call', "await store.keys('*');"],
  ['dangerous-call', 'await store.flushall();'],
  ['dangerous-call', "await store.customCommand(['FLUSHALL']);"],
  ['interpolated-script', 'await store.eval(`return redis.call("GET", "${' + 'name}")`);'],
  ['interpolated-script', "await store.eval('return ' + name);"],
  ['built-command', "await store.sendCommand(line.split(' '));"],
  ['built-command', 'await store.call(`GET ${' + 'name}`);'],
];

for (const client of clients) {
  describe(`sources that use ${client.name}`, () => {
    for (const [issue, options] of Object.entries(client.faults))
      test(`${issue}: ${options}`, () => {
        assert.deepEqual(issues(client.head + client.make(options)), [issue]);
      });
    for (const [issue, code] of calls)
      test(`${issue}: ${code}`, () => {
        assert.deepEqual(issues(client.head + client.make(client.safe) + code), [issue]);
      });
    test('finds nothing in a client that is in order, and names its library', () => {
      const found = scanSource(
        `${client.head}${client.make(client.safe)}await store.set('a', value);\nfor await (const key of store.scanIterator()) use(key);`,
        'src/app.ts',
      );
      assert.deepEqual(found.findings, []);
      assert.equal(found.clients.length, 1);
    });
  });
}

describe('the source scan knows', () => {
  const cases: readonly [string, string, readonly SourceIssue[]][] = [
    [
      'scripts of valkey-glide',
      "import { Script } from '@valkey/valkey-glide';\nnew Script(`return ${" + 'x}`);',
      ['interpolated-script'],
    ],
    [
      'commands defined with ioredis',
      "import Redis from 'ioredis';\nconst r = new Redis({ commandTimeout: 1 });\nr.defineCommand('f', { lua: `return ${" +
        'x}` });',
      ['interpolated-script'],
    ],
    [
      'port and host of ioredis',
      "import Redis from 'ioredis';\nnew Redis(6379, 'cache.example.com', { commandTimeout: 1 });",
      ['plaintext-url'],
    ],
    [
      'CommonJS',
      "const { createClient } = require('redis');\nconst s = createClient({ commandOptions: {} });\ns.flushAll();",
      ['dangerous-call'],
    ],
    [
      'a client in a property, connected at once',
      `${redis}class A { async open() { this.s = await createClient({ ${bounded} }).on('error', log).connect(); } all() { return this.s.keys('*'); } }`,
      ['dangerous-call'],
    ],
    ['JSX', `${made}export const A = () => <p onClick={() => it.flushAll()} />;`, ['dangerous-call']],
    ['decorators and types', `${made}@x class A { f(r: Other): void { it.flushAll(); } }`, ['dangerous-call']],
  ];
  for (const [name, code, expected] of cases)
    test(name, () => assert.deepEqual(issues(code, name === 'JSX' ? 'src/app.tsx' : 'src/app.ts'), expected));
});

describe('the source scan leaves alone', () => {
  const cases: readonly [string, string][] = [
    ['loopback', "const url = 'redis://localhost:6379';"],
    ['comments', '// redis://cache.example.com and client.keys()'],
    ['text that only looks like code', "const help = 'client.flushall() empties the server';"],
    ['a constant script', `${made}it.eval('return 1', { keys: ['a'] });`],
    ['Object.keys and Map keys', `${redis}Object.keys({}); new Map().keys(); cacheMap.keys();`],
    [
      'other clients and stores',
      "import axios from 'axios';\nclient.save(); http.client.monitor('x'); db.keys('a'); // redis",
    ],
    ['maps in a file that uses Redis', `${redis}const m = new Map(); m.keys(); cache.keys();`],
    ['tests', `${made}const url = 'redis://cache.example.com'; it.flushAll();`],
    ['values as arguments of a script', `${made}it.eval(script, { keys: [key], arguments: [value] });`],
    ['a raw command with its arguments apart', `${made}it.sendCommand(['GET', name]);`],
    ['a client with its limits', `${redis}createClient({ ${bounded}, url: process.env.REDIS_URL });`],
  ];
  for (const [name, code] of cases)
    test(name, () => assert.deepEqual(issues(code, name === 'tests' ? 'src/app.test.ts' : 'src/app.ts'), []));

  test('never repeats a password', () => {
    const { findings } = scanSource("const url = 'redis://app:test-only-secret@cache.example.com';", 'a.js');
    assert.ok(findings.length > 0);
    assert.doesNotMatch(JSON.stringify(findings), /test-only-secret/);
  });
});
