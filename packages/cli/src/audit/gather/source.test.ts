import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SourceIssue } from '../facts/project-facts.js';
import { scanSource } from './source.js';

function issues(code: string, file = 'src/app.ts'): SourceIssue[] {
  return scanSource(code, file).findings.map(({ issue }) => issue);
}

const redis = "import { createClient } from 'redis';\n";
const bounded = 'commandOptions: { timeout: 1000 }';

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
    ['a script built from a value', `${redis}client.eval(\`return \${x}\`);`, ['interpolated-script']],
    ['a command split from text', `${redis}client.sendCommand(text.split(' '));`, ['built-command']],
    ['KEYS', `${redis}await redis.keys('*');`, ['dangerous-call']],
    ['FLUSHALL sent raw', `${redis}client.sendCommand(['FLUSHALL']);`, ['dangerous-call']],
    ['a logged address', 'console.log(process.env.REDIS_URL);', ['logged-secret']],
  ];
  for (const [name, code, expected] of cases) it(name, () => assert.deepEqual(issues(code), expected));
});

describe('the source scan leaves alone', () => {
  const cases: readonly [string, string][] = [
    ['loopback', "const url = 'redis://localhost:6379';"],
    ['comments', '// redis://cache.example.com and client.keys()'],
    ['text that only looks like code', "const help = 'client.flushall() empties the server';"],
    ['a constant script', `${redis}client.eval('return 1', { keys: ['a'] });`],
    ['Object.keys and Map keys', `${redis}Object.keys({}); new Map().keys(); cacheMap.keys();`],
    ['a client with its limits', `${redis}createClient({ ${bounded}, url: process.env.REDIS_URL });`],
  ];
  for (const [name, code] of cases) it(name, () => assert.deepEqual(issues(code), []));

  it('never repeats a password', () => {
    const { findings } = scanSource("const url = 'redis://app:test-only-secret@cache.example.com';", 'a.js');
    assert.ok(findings.length > 0);
    assert.doesNotMatch(JSON.stringify(findings), /test-only-secret/);
  });
});
