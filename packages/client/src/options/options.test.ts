import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Secret } from '../credentials/secret.js';
import { InvalidOptionError } from '../errors.js';
import { type ClientOptions, resolveOptions } from './options.js';
import { parseUrl } from './url.js';

const resolve = (options: ClientOptions, env: NodeJS.ProcessEnv = {}) => resolveOptions(options, env).connection;
const refused = (options: unknown, option: string, code = 'REDKEEP_INVALID_OPTION', env: NodeJS.ProcessEnv = {}) =>
  assert.throws(
    () => resolveOptions(options as ClientOptions, env),
    (error) => error instanceof InvalidOptionError && error.option === option && error.code === code,
  );

describe('TLS is on unless plaintext is asked for', () => {
  for (const [name, options, env, on] of [
    ['nothing given', {}, {}, true],
    ['a host', { socket: { host: 'example.com' } }, {}, true],
    ['rediss://', { url: 'rediss://example.com' }, {}, true],
    ['valkeys://', { url: 'valkeys://example.com' }, {}, true],
    ['redis:// to loopback', { url: 'redis://127.0.0.1' }, {}, false],
    ['valkey:// to loopback', { url: 'valkey://localhost' }, {}, false],
    ['tls: false to loopback', { tls: false }, {}, false],
    ['socket.tls: false', { socket: { tls: false } }, {}, false],
    ['socket.path', { socket: { path: '/tmp/s' } }, {}, false],
    ['REDIS_URL', {}, { REDIS_URL: 'rediss://example.com' }, true],
    ['REDIS_TLS over redis://', { url: 'redis://example.com' }, { REDIS_TLS: 'true' }, true],
    ['REDIS_TLS=false', {}, { REDIS_TLS: 'false' }, false],
    ['NODE_ENV does not matter', {}, { NODE_ENV: 'development' }, true],
  ] as const) {
    test(name, () => assert.equal(resolve(options as ClientOptions, env as NodeJS.ProcessEnv).tls !== undefined, on));
  }

  test('certificate files come from the environment', () => {
    const { tls } = resolve({}, { REDIS_TLS_CA_FILE: '/ca', REDIS_TLS_CERT_FILE: '/cert', REDIS_TLS_KEY_FILE: '/key' });
    assert.deepEqual({ ...tls }, { caFile: '/ca', certFile: '/cert', keyFile: '/key' });
  });

  test('credentials of the environment go only to the server that the environment names', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'redkeep-options-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'password');
    await writeFile(file, 'of the file\n');
    const server = { REDIS_URL: 'rediss://cache.example' };
    const user = { REDIS_USERNAME: 'app' };
    const secrets = { REDIS_PASSWORD: 'of the environment' };
    const cases: [ClientOptions, NodeJS.ProcessEnv, string | undefined, string | undefined][] = [
      [{}, { ...server, ...user, ...secrets }, 'app', 'of the environment'],
      [{}, { ...server, ...secrets }, undefined, 'of the environment'],
      [{}, { ...server, ...user, ...secrets, REDIS_PASSWORD_FILE: file }, 'app', 'of the file'],
      [{}, { REDIS_URL: 'rediss://me:mine@cache.example', ...user, ...secrets }, 'me', 'mine'],
      [{ username: 'me', password: 'mine' }, { ...server, ...user, ...secrets }, 'me', 'mine'],
      [{ url: 'rediss://other.example' }, { ...server, ...user, ...secrets }, undefined, undefined],
      [{ socket: { host: 'other.example' } }, { ...server, ...user, ...secrets }, undefined, undefined],
      [{}, { ...user, ...secrets }, undefined, undefined],
    ];
    for (const [options, env, username, password] of cases) {
      const { credentials } = resolve(options, env);
      const { username: resolved, password: secret } = await credentials.current();
      assert.deepEqual(
        [resolved, secret && Secret.from(secret).reveal()],
        [username, password],
        JSON.stringify({ options, env }),
      );
    }
  });

  test('plaintext to another host is refused unless allowed by name', () => {
    refused({ url: 'redis://example.com' }, 'url', 'REDKEEP_PLAINTEXT_REFUSED');
    refused({ url: 'redis://127.0.0.1.example.com' }, 'url', 'REDKEEP_PLAINTEXT_REFUSED');
    refused({ url: 'redis://10.0.0.1' }, 'url', 'REDKEEP_PLAINTEXT_REFUSED');
    assert.equal(resolve({ url: 'redis://example.com', allowPlaintext: true }).tls, undefined);
  });
});

describe('what is wrong is refused when the client is created', () => {
  test('verification turned off by accident', () => {
    refused({ tls: { rejectUnauthorized: false } }, 'tls.rejectUnauthorized');
    refused({ socket: { tls: true, rejectUnauthorized: false } }, 'socket.rejectUnauthorized');
  });
  test('contradictions', () => {
    refused({ url: 'redis://localhost', tls: true }, 'tls');
    refused({ url: 'rediss://localhost', tls: false }, 'tls');
    refused({ url: 'redis://localhost', socket: { caFile: '/x' } }, 'tls');
    refused({ tls: { certFile: '/x' } }, 'tls.keyFile');
    refused({ tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' } }, 'tls.maxVersion');
  });
  test('old protocol versions', () => refused({ tls: { minVersion: 'TLSv1.1' } }, 'tls.minVersion'));
  test('unknown options, with the nearest name', () => {
    assert.throws(() => resolveOptions({ usrname: 'x' } as never, {}), /did you mean username\?/);
    assert.throws(() => resolveOptions({ socket: { conectTimeout: 1 } } as never, {}), /did you mean connectTimeout\?/);
    assert.throws(() => resolveOptions({ tls: { caFiel: 'x' } } as never, {}), /did you mean caFile\?/);
  });
  test('databases that are not whole numbers', () => {
    for (const url of [
      'redis://localhost/-1',
      'redis://localhost/1.5',
      'redis://localhost/0x10',
      'redis://localhost/a',
    ])
      refused({ url }, 'url');
    refused({ database: -1 }, 'database');
    refused({ database: 1.5 }, 'database');
  });
  test('URLs with options in them, of other kinds, or broken; none shows its password', () => {
    for (const url of [
      'rediss://u:s3cret@h?tls=false',
      'rediss://u:s3cret@h/?path=/x',
      'http://u:s3cret@h',
      'rediss://u:s3cret@h:99999',
      'rediss://u:%zz@h',
      '://',
    ]) {
      assert.throws(
        () => resolveOptions({ url }, {}),
        (error) => error instanceof InvalidOptionError && !String(error.stack).includes('s3cret'),
        url,
      );
    }
  });
  test('timeouts and bounds', () => {
    refused({ socket: { connectTimeout: -1 } }, 'socket.connectTimeout');
    refused({ commandsQueueMaxLength: 0 }, 'commandsQueueMaxLength');
    refused({ commandPolicy: 'open' }, 'commandPolicy');
  });
});

test('parseUrl', () => {
  assert.deepEqual(parseUrl('rediss://us%40er:p%3Aw@[::1]:7000/3'), {
    endpoint: { kind: 'tcp', host: '::1', port: 7000 },
    tls: true,
    username: 'us@er',
    password: 'p:w',
    database: 3,
  });
  assert.deepEqual(parseUrl('unix://u:p@/run/redis.sock').endpoint, { kind: 'unix', path: '/run/redis.sock' });
  assert.deepEqual(parseUrl('cache.internal').endpoint, { kind: 'tcp', host: 'cache.internal', port: 6379 });
});

test('defaults are bounded', () => {
  const { connectTimeout, commandTimeout, keepAliveInitialDelay, maxRetries, maxQueueBytes, maxCommands } = resolve({});
  assert.deepEqual(
    { connectTimeout, commandTimeout, keepAliveInitialDelay, maxRetries },
    { connectTimeout: 5_000, commandTimeout: 5_000, keepAliveInitialDelay: 30_000, maxRetries: 3 },
  );
  assert.ok(Number.isFinite(maxQueueBytes) && Number.isFinite(maxCommands));
});
