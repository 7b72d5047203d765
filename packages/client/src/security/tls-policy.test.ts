import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createPki, startScriptedServer, startServer } from '@redkeep/testing';
import { createClient } from '../client/client.js';
import type { ClientOptions } from '../options/options.js';
import type { TlsOptions } from './tls-policy.js';

const pki = createPki();

/** Connects once; the error code, or `ok`. */
async function outcome(options: ClientOptions): Promise<string> {
  const client = createClient({ ...options, socket: { ...options.socket, connectTimeout: 2000 } });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
    await client.close();
    return 'ok';
  } catch (error) {
    assert.equal(client.isOpen, false, 'a permanent error ends the client');
    return (error as { code: string }).code;
  }
}

describe('TLS', () => {
  test('the private CA alone is trusted, chain and name are verified', async () => {
    const { ca, otherCa, server, expired, wrongName } = await pki;
    await using good = await startScriptedServer({ tls: server });
    const url = (port: number) => `rediss://localhost:${port}`;
    assert.equal(await outcome({ url: url(good.port), tls: { ca: ca } }), 'ok');
    assert.equal(await outcome({ url: url(good.port), tls: { ca: otherCa } }), 'REDKEEP_CERTIFICATE_UNTRUSTED');
    assert.equal(await outcome({ url: url(good.port) }), 'REDKEEP_CERTIFICATE_UNTRUSTED');
    await using old = await startScriptedServer({ tls: expired });
    assert.equal(await outcome({ url: url(old.port), tls: { ca: ca } }), 'REDKEEP_CERTIFICATE_EXPIRED');
    await using other = await startScriptedServer({ tls: wrongName });
    assert.equal(await outcome({ url: url(other.port), tls: { ca: ca } }), 'REDKEEP_CERTIFICATE_NAME');
  });

  test('a server that does not speak TLS on this port is named as such', async () => {
    await using plain = await startServer();
    assert.equal(await outcome({ url: `rediss://127.0.0.1:${plain.port}` }), 'REDKEEP_SERVER_PLAINTEXT');
  });

  test('no credential leaves before the server is verified', async () => {
    const { otherServer, ca } = await pki;
    await using server = await startScriptedServer({ tls: otherServer });
    await outcome({ url: `rediss://user:secret@localhost:${server.port}`, tls: { ca: ca } });
    assert.deepEqual(server.received, []);
  });

  test('pins of the CA and of the public key', async () => {
    const { ca, otherCa, server } = await pki;
    await using good = await startScriptedServer({ tls: server });
    const certificate = new X509Certificate(server.cert);
    const spki = createHash('sha256')
      .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
    const other = createHash('sha256').digest('base64');
    const pinned = (tls: TlsOptions) => outcome({ url: `rediss://localhost:${good.port}`, tls: { ca: ca, ...tls } });
    assert.equal(await pinned({ pinnedSpki: spki }), 'ok');
    assert.equal(await pinned({ pinnedSpki: [other, spki] }), 'ok');
    assert.equal(await pinned({ pinnedSpki: other }), 'REDKEEP_TLS_FAILED');
    assert.equal(await pinned({ pinnedCa: new X509Certificate(ca).fingerprint256 }), 'ok');
    assert.equal(await pinned({ pinnedCa: new X509Certificate(otherCa).fingerprint256 }), 'REDKEEP_TLS_FAILED');
  });

  test('mutual TLS on a real server, from files; without a certificate the error says what is missing', async () => {
    await using server = await startServer({ tls: true, config: { 'tls-auth-clients': 'yes' } });
    const { ca, clientCert, clientKey } = server.tlsFiles!;
    const url = `rediss://127.0.0.1:${server.tlsPort}`;
    assert.equal(await outcome({ url, tls: { caFile: ca, certFile: clientCert, keyFile: clientKey } }), 'ok');
    assert.equal(await outcome({ url, tls: { caFile: ca } }), 'REDKEEP_CERTIFICATE_REQUIRED');
    assert.equal(
      await outcome({
        url,
        tls: { ca: await readFile(ca), cert: await readFile(clientCert), key: await readFile(clientKey) },
      }),
      'ok',
    );
  });

  test('files that are no certificates, or belong to another key, are named in the error', async () => {
    await using server = await startServer({ tls: true });
    const { ca, clientCert } = server.tlsFiles!;
    const url = `rediss://127.0.0.1:${server.tlsPort}`;
    const other = join(server.dir, 'server.key');
    assert.equal(await outcome({ url, tls: { caFile: '/nonexistent' } }), 'REDKEEP_INVALID_OPTION');
    assert.equal(
      await outcome({ url, tls: { caFile: ca, certFile: clientCert, keyFile: other } }),
      'REDKEEP_TLS_FAILED',
    );
    assert.equal(
      await outcome({ url, tls: { caFile: ca, certFile: server.configFile, keyFile: other } }),
      'REDKEEP_TLS_FAILED',
    );
  });

  test('a certificate near its end is announced, and how near', async () => {
    const { authority, ca } = await pki;
    for (const [days, severity] of [
      [60, undefined],
      [20, 'warning'],
      [5, 'critical'],
    ] as const) {
      const notAfter = new Date(Date.now() + (days + 0.5) * 86_400_000);
      await using server = await startScriptedServer({
        tls: await authority.issue({ commonName: 'localhost', names: ['localhost'], notAfter }),
      });
      await using client = createClient({ url: `rediss://localhost:${server.port}`, tls: { ca } });
      const events: unknown[] = [];
      client.on('certificate-expiring', (info, how) => events.push([info.daysLeft, how]));
      await client.connect();
      assert.equal(client.tlsInfo()!.daysLeft, days);
      assert.deepEqual(events, severity === undefined ? [] : [[days, severity]]);
    }
  });

  test('everything from the environment: address, mutual TLS and its files', async (t) => {
    await using server = await startServer({ tls: { clientAuth: 'required' } });
    const { ca, clientCert, clientKey } = server.tlsFiles!;
    const names = ['REDIS_URL', 'REDIS_TLS', 'REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'];
    t.after(() => {
      for (const name of names) delete process.env[name];
    });
    Object.assign(process.env, {
      // The flag wins over the scheme: turning encryption on is never wrong.
      REDIS_URL: `redis://localhost:${server.tlsPort}`,
      REDIS_TLS: 'true',
      REDIS_TLS_CA_FILE: ca,
      REDIS_TLS_CERT_FILE: clientCert,
      REDIS_TLS_KEY_FILE: clientKey,
    });
    await using client = createClient();
    await client.connect();
    assert.equal(client.tlsInfo()!.verified, true);
    delete process.env['REDIS_TLS_CERT_FILE'];
    assert.throws(() => createClient(), { option: 'tls.certFile' });
    delete process.env['REDIS_TLS_KEY_FILE'];
    assert.equal(await outcome({}), 'REDKEEP_CERTIFICATE_REQUIRED');
  });

  test('dangerouslyAcceptAnyCertificate accepts and warns', async () => {
    const { otherServer } = await pki;
    await using server = await startScriptedServer({ tls: otherServer });
    const warned = new Promise<Error & { code?: string }>((resolve) => {
      const listen = (warning: Error & { code?: string }) => {
        if (warning.code !== 'REDKEEP_ANY_CERTIFICATE') return;
        process.off('warning', listen);
        resolve(warning);
      };
      process.on('warning', listen);
    });
    assert.equal(
      await outcome({ url: `rediss://localhost:${server.port}`, tls: { dangerouslyAcceptAnyCertificate: true } }),
      'ok',
    );
    await warned;
  });
});
