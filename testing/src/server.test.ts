import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import { createPki } from './pki.js';
import { rawCommand, rawCommands } from './raw-command.js';
import { RawError } from './resp.js';
import { ServerFailed, startServer } from './server.js';
import { waitFor } from './wait-for.js';

describe('startServer', () => {
  test('starts a server that keeps its files in a folder of its own and goes with it', async () => {
    const server = await startServer({ config: { maxmemory: '12mb' } });
    assert.equal(await server.command('SET', 'key', 'value'), 'OK');
    assert.equal(await server.command('GET', 'key'), 'value');
    assert.deepEqual(await server.command('CONFIG', 'GET', 'maxmemory'), ['maxmemory', String(12 << 20)]);
    assert.equal(statSync(server.dir).mode & 0o777, 0o700);
    assert.equal(Number((await server.info())['process_id']), server.pid);
    await server[Symbol.asyncDispose]();
    assert.equal(server.isUp, false);
    assert.equal(existsSync(server.dir), false);
  });

  test('serves TLS only, with a certificate that its CA vouches for', async () => {
    await using server = await startServer({ tls: true });
    assert.equal(server.port, 0);
    assert.match(server.url, /^rediss:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(await server.command('PING'), 'PONG');
  });

  test('asks clients for a certificate with `clientCertificates`', async () => {
    await using server = await startServer({ tls: { clientAuth: 'required' } });
    assert.equal(await server.command('PING'), 'PONG');
    const withoutCertificate = { port: server.tlsPort, tls: { ca: server.pki?.ca ?? '' } };
    await assert.rejects(rawCommand(withoutCertificate, ['PING']));
  });

  for (const [certificate, code] of [
    ['expired', 'CERT_HAS_EXPIRED'],
    ['wrongName', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['otherServer', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ] as const) {
    test(`serves a bad certificate on request: ${certificate}`, async () => {
      const pki = await createPki();
      await using server = await startServer({ tls: { pki, certificate } });
      const socket = connect({ port: server.tlsPort, host: '127.0.0.1', ca: pki.ca });
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
      assert.equal(error.code, code);
    });
  }

  test('knows passwords and ACL users', async () => {
    await using server = await startServer({
      users: ['user default off', 'user admin on >admin-secret ~* &* +@all', 'user app on >app-secret ~app:* +get'],
      admin: { username: 'admin', password: 'admin-secret' },
    });
    assert.equal(await server.command('ACL', 'WHOAMI'), 'admin');
    const app = { port: server.port, username: 'app', password: 'app-secret' };
    const [read, write] = await rawCommands(app, [
      ['GET', 'app:1'],
      ['SET', 'app:1', 'x'],
    ]);
    assert.equal(read, null);
    assert.ok(write instanceof RawError && write.message.startsWith('NOPERM'));
    await assert.rejects(rawCommand({ port: server.port }, ['PING']), /NOAUTH/);
  });

  test('keeps data over a restart and after being killed', async () => {
    await using server = await startServer({ appendonly: true, config: { appendfsync: 'always' } });
    await server.command('SET', 'key', 'value');
    const before = server.pid;
    await server.restart();
    assert.notEqual(server.pid, before);
    assert.equal(await server.command('GET', 'key'), 'value');
    await server.kill();
    assert.equal(server.pid, undefined);
    await server.start();
    assert.equal(await server.command('GET', 'key'), 'value');
  });

  test('freezes and goes on', async () => {
    await using server = await startServer();
    server.pause();
    let answered = false;
    const reply = server.command('PING').then((value) => {
      answered = true;
      return value;
    });
    await waitFor(async () => (await processState(server.pid)) === 'T');
    assert.equal(answered, false);
    server.resume();
    assert.equal(await reply, 'PONG');
  });

  test('replicates from another server, over TLS and with a password', async () => {
    await using primary = await startServer({ tls: true, password: 'secret' });
    await using replica = await startServer({ tls: true, password: 'secret', replicaOf: primary });
    await primary.command('SET', 'key', 'value');
    assert.equal(await primary.command('WAIT', '1', '0'), 1);
    assert.equal(await replica.command('GET', 'key'), 'value');
  });

  test('says what the server said when it does not start', async () => {
    await assert.rejects(startServer({ config: ['no-such-directive 1'] }), (error: unknown) => {
      assert.ok(error instanceof ServerFailed);
      return /no-such-directive/.test(error.message);
    });
  });
});

async function processState(pid: number | undefined): Promise<string | undefined> {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]);
  return stdout.trim()[0];
}
