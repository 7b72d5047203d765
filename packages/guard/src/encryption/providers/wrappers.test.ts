import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { KMS } from '@aws-sdk/client-kms';
import { keyA, refused, useServer } from '../../testing/support.js';
import { EnvelopeKeys } from '../envelope-keys.js';
import { redisKeyStore } from '../key-store.js';
import { awsKms, vaultTransit } from './wrappers.js';

const redis = useServer();

describe('Vault and KMS', () => {
  test('Vault is asked over the transit API with the token in a header, and its errors quote nothing', async () => {
    const requests: { url: string | undefined; token: unknown; body: Record<string, string> }[] = [];
    let status = 200;
    const vault = await listening((request, text) => {
      const body = JSON.parse(text) as Record<string, string>;
      requests.push({ url: request.url, token: request.headers['x-vault-token'], body });
      const { plaintext, ciphertext, associated_data } = body;
      const data = plaintext
        ? { ciphertext: `vault:v1:${associated_data}:${plaintext}` }
        : { plaintext: ciphertext?.split(':')[3] };
      return [status, { data }];
    });
    try {
      const transit = vaultTransit({ address: vault.address, keyName: 'redis', token: 'hvs.secret' });
      const key = Buffer.from(keyA, 'hex');
      const wrapped = await transit.wrap(key, 'id-1');
      assert.deepEqual(await transit.unwrap(wrapped, 'id-1'), key);
      assert.deepEqual(
        requests.map(({ url }) => url),
        ['/v1/transit/encrypt/redis', '/v1/transit/decrypt/redis'],
      );
      assert.ok(requests.every(({ token }) => token === 'hvs.secret'));
      assert.equal(requests[0]?.body['associated_data'], Buffer.from('id-1').toString('base64'));
      status = 403;
      const error = await refused(() => transit.wrap(key, 'id-1'), 'REDKEEP_ENCRYPTION_PROVIDER');
      assert.match(error.message, /403/);
      assert.ok(!error.message.includes('hvs'));
    } finally {
      vault.close();
    }
    await refused(
      () => vaultTransit({ address: 'http://vault.internal', keyName: 'k', token: 't' }),
      'REDKEEP_GUARD_OPTION',
    );
  });

  test('the official SDK asks KMS with the key id as encryption context, and KMS refuses another', async () => {
    // What KMS does with a context, behind its own protocol: the SDK is the real one.
    const targets: unknown[] = [];
    const kms = await listening((request, body) => {
      targets.push(request.headers['x-amz-target']);
      const { Plaintext, CiphertextBlob, EncryptionContext } = JSON.parse(body) as Record<string, string>;
      const context = JSON.stringify(EncryptionContext);
      if (Plaintext) return [200, { CiphertextBlob: base64(`${context}|${Plaintext}`), KeyId: 'alias/redis' }];
      const [bound, plaintext] = Buffer.from(CiphertextBlob!, 'base64').toString().split('|');
      return bound === context
        ? [200, { Plaintext: plaintext, KeyId: 'alias/redis' }]
        : [400, { __type: 'InvalidCiphertextException' }];
    });
    const sdk = new KMS({
      region: 'eu-west-1',
      endpoint: kms.address,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    try {
      const wrapper = awsKms({ kms: sdk, keyId: 'alias/redis' });
      const key = Buffer.from(keyA, 'hex');
      const wrapped = await wrapper.wrap(key, 'id-1');
      assert.deepEqual(await wrapper.unwrap(wrapped, 'id-1'), key);
      await assert.rejects(wrapper.unwrap(wrapped, 'id-2'), { name: 'InvalidCiphertextException' });
      assert.deepEqual(targets.slice(0, 2), ['TrentService.Encrypt', 'TrentService.Decrypt']);
      // Inside a key ring its failure has our code.
      const store = redisKeyStore(redis.client, 'kms:');
      const ring = new EnvelopeKeys({ wrapper, store });
      const { id } = await ring.current();
      const moved = (await redis.client.get(`kms:dek:${id}`))!;
      await redis.client.set('kms:dek:0123456789abcdef', moved);
      await refused(() => new EnvelopeKeys({ wrapper, store }).find('0123456789abcdef'), 'REDKEEP_ENCRYPTION_PROVIDER');
    } finally {
      sdk.destroy();
      kms.close();
    }
  });
});

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A server on loopback that answers JSON. */
async function listening(answer: (request: IncomingMessage, body: string) => [number, object]) {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const [status, body] = answer(request, text);
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
