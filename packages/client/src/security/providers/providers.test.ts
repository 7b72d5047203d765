import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../../client.js';
import type { Credentials, CredentialsSource } from '../credentials.js';
import { Secret } from '../secret.js';
import { fromAwsSecretsManager } from './from-aws-secrets-manager.js';
import { fromCallback } from './from-callback.js';
import { fromEnv } from './from-env.js';
import { fromFile } from './from-file.js';
import { fromVault } from './from-vault.js';

const shown = async (source: CredentialsSource) => {
  const { username, password } = await source.current();
  return [username, password instanceof Secret ? password.reveal() : password];
};
const unavailable = { code: 'REDKEEP_CREDENTIALS_UNAVAILABLE' };

test('fromEnv reads at every connect and names the variable that is missing', async () => {
  const env: NodeJS.ProcessEnv = { REDIS_USERNAME: 'app', REDIS_PASSWORD: 'one' };
  const source = fromEnv({}, env);
  assert.deepEqual(await shown(source), ['app', 'one']);
  env.REDIS_PASSWORD = 'two';
  assert.deepEqual(await shown(source), ['app', 'two']);
  await assert.rejects(async () => fromEnv({ password: 'OTHER' }, {}).current(), { ...unavailable, message: /OTHER/ });
});

test('fromFile sees a replaced file; live connections re-authenticate in place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-'));
  const file = join(folder, 'password');
  await writeFile(file, 'first\n', { mode: 0o600 });
  try {
    await using server = await startServer({
      users: ['user default on >first ~* &* +@all', 'user admin on >admin ~* &* +@all'],
      admin: { username: 'admin', password: 'admin' },
    });
    await using client = createClient({
      url: server.url,
      credentialsProvider: fromFile({ password: file, pollInterval: 20 }),
    });
    await client.connect();
    await server.command('ACL', 'SETUSER', 'default', '>second', '<first');
    const before = String(await server.command('INFO', 'commandstats'));
    await writeFile(`${file}.new`, 'second\n', { mode: 0o600 });
    await rename(`${file}.new`, file);
    const auths = (info: string) => Number(/cmdstat_auth:calls=(\d+)/.exec(info)?.[1] ?? 0);
    await waitFor(async () => auths(await client.sendCommand<string>(['INFO', 'commandstats'])) > auths(before), {
      message: 'AUTH on the live connection',
    });
    assert.equal(client.socketEpoch, 1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('fromFile names the file that cannot be read', async () => {
  await assert.rejects(async () => fromFile({ password: '/nonexistent/secret' }).current(), {
    ...unavailable,
    message: /\/nonexistent\/secret.*ENOENT/,
  });
});

test('fromCallback asks once for all who wait, and again before the token ends', async () => {
  let calls = 0;
  const source = fromCallback(async () => ({
    username: 'u',
    password: `token-${++calls}`,
    expiresAt: new Date(Date.now() + 1000),
  }));
  assert.deepEqual(await Promise.all([shown(source), shown(source)]), [
    ['u', 'token-1'],
    ['u', 'token-1'],
  ]);
  const changed = new Promise<Credentials>((resolve, reject) => {
    const stop = source.watch!((credentials) => {
      stop();
      resolve(credentials);
    }, reject);
  });
  // The renewal's timer does not keep the process alive; this one does.
  const alive = setInterval(() => {}, 1000);
  assert.equal(Secret.from((await changed).password!).reveal(), 'token-2');
  clearInterval(alive);
});

test('fromAwsSecretsManager reads JSON or plain secrets through the SDK that it is given', async () => {
  const client = (SecretString?: string) => ({ getSecretValue: async () => ({ SecretString }) });
  assert.deepEqual(
    await shown(fromAwsSecretsManager({ client: client('{"username":"app","password":"p"}'), secretId: 's' })),
    ['app', 'p'],
  );
  assert.deepEqual(await shown(fromAwsSecretsManager({ client: client('plain'), secretId: 's' })), [
    undefined,
    'plain',
  ]);
  await assert.rejects(shown(fromAwsSecretsManager({ client: client('{"password":5}'), secretId: 's' })), unavailable);
});

describe('fromVault (against a scripted HTTP server that answers as Vault documents)', () => {
  async function vault(answer: (path: string, request: IncomingMessage, body: string) => [number, object]) {
    const seen: string[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push(`${request.method} ${request.url} ${request.headers['x-vault-token'] ?? '-'}`);
      const [status, json] = answer(request.url!, request, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      seen,
      [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
    };
  }

  test('KV version 2 with a token', async () => {
    await using server = await vault(() => [200, { data: { data: { username: 'app', password: 'p' }, metadata: {} } }]);
    const source = fromVault({ address: server.address, path: 'secret/data/redis', auth: { token: 't0ken' } });
    assert.deepEqual(await shown(source), ['app', 'p']);
    assert.deepEqual(server.seen, ['GET /v1/secret/data/redis t0ken']);
  });

  test('AppRole logs in once; a leased secret is fetched again at two thirds of its lease', async () => {
    let n = 0;
    await using server = await vault((path, _, body) => {
      if (path !== '/v1/auth/approle/login')
        return [200, { lease_duration: 1, data: { username: `v-${++n}`, password: `p-${n}` } }];
      assert.deepEqual(JSON.parse(body), { role_id: 'r', secret_id: 's' });
      return [200, { auth: { client_token: 'issued', lease_duration: 3600 } }];
    });
    const source = fromVault({
      address: server.address,
      path: 'database/creds/app',
      auth: { roleId: 'r', secretId: 's' },
    });
    assert.deepEqual(await shown(source), ['v-1', 'p-1']);
    await waitFor(async () => (await shown(source))[0] === 'v-2', { message: 'a new lease' });
    assert.deepEqual(server.seen.slice(0, 2), ['POST /v1/auth/approle/login -', 'GET /v1/database/creds/app issued']);
    assert.equal(server.seen.filter((line) => line.includes('login')).length, 1);
  });

  test('a refusal is told without what Vault said', async () => {
    await using server = await vault(() => [403, { errors: ['permission denied for s3cret'] }]);
    const source = fromVault({ address: server.address, path: 'secret/data/x', auth: { token: 't0ken' } });
    await assert.rejects(
      shown(source),
      (error: Error & { code: string }) =>
        error.code === unavailable.code && !/s3cret|t0ken/.test(`${error.stack}${JSON.stringify(error)}`),
    );
  });

  test('plain http to another host is refused', () => {
    assert.throws(() => fromVault({ address: 'http://vault.example', path: 'x' }), {
      ...unavailable,
      message: /https/,
    });
  });
});
