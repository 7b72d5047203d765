import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { describe, test } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { createAuthority, type IssueOptions } from '@redkeep/testing';
import { probeTls } from './tls-probe.js';

/** Servers of this family refuse such certificates at their start, so an own TLS server shows them. */
async function probe(issue: Partial<IssueOptions>, options: TlsOptions = {}) {
  const authority = await createAuthority('Probe CA');
  const { cert, key } = await authority.issue({ commonName: 'localhost', names: ['localhost', '127.0.0.1'], ...issue });
  const server = createServer({ cert, key, ciphers: 'DEFAULT@SECLEVEL=0', ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as { port: number };
    return await probeTls({ host: '127.0.0.1', port, tls: true, ca: authority.cert, timeoutMs: 2000 }, ['localhost']);
  } finally {
    server.close();
  }
}

describe('the TLS probe', () => {
  test('sees size and kind of keys', async () => {
    const small = await probe({ keys: { rsaBits: 1024 } });
    assert.deepEqual([small.chain[0]?.keyType, small.chain[0]?.keyBits], ['rsa', 1024]);
    const [leaf] = (await probe({})).chain;
    assert.deepEqual([leaf?.keyType, leaf?.keyBits], ['ec prime256v1', 256]);
  });

  test('sees what a certificate was signed with', async () => {
    assert.equal((await probe({ hash: 'SHA-1' })).chain[0]?.signature, 'ECDSA SHA-1');
    assert.equal((await probe({})).chain[0]?.signature, 'ECDSA SHA-256');
  });

  test('sees a renegotiation that is accepted, and one that is refused', async () => {
    assert.equal((await probe({}, { maxVersion: 'TLSv1.2' })).renegotiation, true);
    const closed = await probe({}, { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION });
    assert.equal(closed.renegotiation, false);
  });

  test('sees which versions and suites are offered', async () => {
    const only = await probe(
      {},
      { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
    );
    assert.deepEqual(only.suites, { 'TLSv1.2': ['ECDHE-ECDSA-AES128-SHA256'] });
    assert.deepEqual(only.versions, { TLSv1: false, 'TLSv1.1': false, 'TLSv1.2': true, 'TLSv1.3': false });
  });
});
