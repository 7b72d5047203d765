import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { startServer, waitFor } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import type { Credentials, CredentialsSource } from './credentials.js';
import { fromAwsSecretsManager } from './from-aws-secrets-manager.js';
import { fromCallback } from './from-callback.js';
import { fromEnv } from './from-env.js';
import { fromFile } from './from-file.js';
import { fromVault } from './from-vault.js';
import { Secret } from './secret.js';

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
      credentialsProvider: fromFile({ password: file, pollIntervalMs: 20 }),
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

describe('fromAwsSecretsManager (the official SDK, against a local HTTP server that answers as AWS documents)', () => {
  async function aws(answer: (input: { SecretId: string }) => [status: number, body: object]) {
    const seen: IncomingMessage[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      seen.push(request);
      const [status, json] = answer(JSON.parse(body));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(json));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new SecretsManager({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'aws-s3cret' },
      maxAttempts: 1,
    });
    return {
      client,
      seen,
      async [Symbol.asyncDispose]() {
        client.destroy();
        server.closeAllConnections();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      },
    };
  }

  test('JSON and plain secrets; the SDK signs the request', async () => {
    let secret = '{"username":"app","password":"p"}';
    await using server = await aws(({ SecretId }) => [200, { ARN: 'arn', Name: SecretId, SecretString: secret }]);
    const source = fromAwsSecretsManager({ client: server.client, secretId: 'prod/redis', refreshIntervalMs: 1 });
    assert.deepEqual(await shown(source), ['app', 'p']);
    const [request] = server.seen;
    assert.equal(request!.headers['x-amz-target'], 'secretsmanager.GetSecretValue');
    assert.match(
      String(request!.headers.authorization),
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/secretsmanager\/aws4_request, .*Signature=[0-9a-f]{64}$/,
    );
    secret = 'plain';
    await waitFor(async () => (await shown(source))[1] === 'plain');
  });

  test('a refusal, a secret that is not text and one without a password', async () => {
    await using server = await aws(({ SecretId }) =>
      SecretId === 'denied'
        ? [400, { __type: 'AccessDeniedException', message: 'not authorized' }]
        : [200, SecretId === 'binary' ? { SecretBinary: 'AA==' } : { SecretString: '{"password":5}' }],
    );
    for (const secretId of ['denied', 'binary', 'odd'])
      await assert.rejects(shown(fromAwsSecretsManager({ client: server.client, secretId })), (error: Error) => {
        assert.equal((error as { code?: string }).code, unavailable.code);
        return !inspect(error, { depth: 9, showHidden: true }).includes('aws-s3cret');
      });
  });
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

  test('AppRole logs in once; a lease is renewed while Vault gives time, then new credentials are fetched', async () => {
    let reads = 0;
    let renewals = 0;
    await using server = await vault((path, request, body) => {
      const json = body === '' ? undefined : JSON.parse(body);
      switch (path) {
        case '/v1/auth/approle/login':
          assert.deepEqual(json, { role_id: 'r', secret_id: 's' });
          return [200, { auth: { client_token: 'issued', renewable: true, lease_duration: 3600 } }];
        case '/v1/sys/leases/renew':
          assert.equal(request.method, 'POST');
          assert.deepEqual(json, { lease_id: `database/creds/app/${reads}`, increment: 1 });
          // The second time the lease's maximum is near.
          return [200, { lease_id: json.lease_id, renewable: true, lease_duration: ++renewals % 2 === 1 ? 1 : 0 }];
        default:
          reads++;
          return [
            200,
            {
              lease_id: `database/creds/app/${reads}`,
              renewable: true,
              lease_duration: 1,
              data: { username: `v-${reads}`, password: `p-${reads}` },
            },
          ];
      }
    });
    const source = fromVault({
      address: server.address,
      path: 'database/creds/app',
      auth: { roleId: 'r', secretId: 's' },
    });
    assert.deepEqual(await shown(source), ['v-1', 'p-1']);
    await waitFor(async () => (await shown(source))[0] === 'v-2', { message: 'new credentials' });
    assert.deepEqual(
      server.seen.map((line) => line.replace(/database\/creds.*? /, 'read ')),
      [
        'POST /v1/auth/approle/login -',
        'GET /v1/read issued',
        'POST /v1/sys/leases/renew issued',
        'POST /v1/sys/leases/renew issued',
        'GET /v1/read issued',
      ],
    );
  });

  test("an AppRole's token is renewed, and when that is refused there is a new login", async () => {
    let logins = 0;
    let renewals = 0;
    await using server = await vault((path, request) => {
      if (path === '/v1/auth/approle/login')
        return [200, { auth: { client_token: `token-${++logins}`, renewable: true, lease_duration: 1 } }];
      if (path === '/v1/auth/token/renew-self') {
        assert.equal(request.headers['x-vault-token'], `token-${logins}`);
        return ++renewals === 1
          ? [200, { auth: { client_token: `token-${logins}`, renewable: true, lease_duration: 1 } }]
          : [403, { errors: ['permission denied'] }];
      }
      return [200, { data: { data: { password: 'p' }, metadata: {} } }];
    });
    const source = fromVault({
      address: server.address,
      path: 'secret/data/redis',
      auth: { roleId: 'r', secretId: 's' },
      refreshIntervalMs: 1,
    });
    await waitFor(async () => (await shown(source)) && logins === 2, { message: 'a new login' });
    assert.equal(renewals, 2);
  });

  test('what a server refused is not given again: the lease is left and new credentials are read', async () => {
    let reads = 0;
    await using server = await vault(() => [
      200,
      { lease_id: 'l', renewable: true, lease_duration: 3600, data: { username: 'u', password: `p-${++reads}` } },
    ]);
    const source = fromVault({ address: server.address, path: 'database/creds/app', auth: { token: 't0ken' } });
    const first = await source.current();
    assert.deepEqual(await shown(source), ['u', 'p-1']);
    source.refused!(first);
    assert.deepEqual(await shown(source), ['u', 'p-2']);
  });

  test('a refusal is reported without what Vault answered', async () => {
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
