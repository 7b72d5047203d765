import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Server, startServer } from '@redkeep/testing';
import { createClient, type RedisClient } from 'redkeep';
import { Encryption, type EncryptionOptions } from '../encryption/encryption.js';
import { keysFromValue } from '../encryption/providers/local.js';
import { GuardError, type GuardErrorCode } from '../errors.js';

export const keyA = `${'11'.repeat(31)}22`;
export const keyB = `${'33'.repeat(31)}44`;

export function testEncryption(options: Partial<EncryptionOptions> = {}): Encryption {
  return new Encryption({ keys: keysFromValue([keyA]), environment: 'test', ...options });
}

/** A server and a connected client for the tests of one file. */
export function useServer(): { readonly server: Server; readonly client: RedisClient } {
  let server: Server | undefined;
  let client: RedisClient | undefined;
  before(async () => {
    server = await startServer();
    client = createClient({ url: server.url, commandPolicy: 'unrestricted' });
    client.on('error', () => undefined);
    await client.connect();
  });
  after(async () => {
    client?.destroy();
    await server?.[Symbol.asyncDispose]();
  });
  return {
    get server() {
      return server!;
    },
    get client() {
      return client!;
    },
  };
}

/** Asserts that `action` fails with `code`, and returns the error. */
export async function refused(action: () => unknown, code: GuardErrorCode): Promise<GuardError> {
  try {
    await action();
  } catch (error) {
    assert.ok(error instanceof GuardError, String((error as Error).stack));
    assert.equal(error.code, code, error.stack);
    return error;
  }
  assert.fail(`expected ${code}`);
}
