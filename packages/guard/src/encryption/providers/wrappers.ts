import { isLoopback, Secret } from 'redkeep';
import { GuardError } from '../../errors.js';
import { checked, either, having, matching, required, type Schema, text, timeout } from '../../options.js';
import { Encryption } from '../encryption.js';
import type { KeyWrapper } from '../envelope-keys.js';
import type { Awaitable, KeyRing } from '../key-ring.js';

/** Wraps data keys with a local key ring (value, environment, file). */
export function localWrapper(keys: KeyRing, environment: string): KeyWrapper {
  const encryption = new Encryption({ keys, environment });
  const place = (context: string) => ({ space: 'key-wrapping', key: context });
  return {
    async wrap(key, context) {
      return (await encryption.seal(key, place(context))).toString('base64');
    },
    async unwrap(wrapped, context) {
      return encryption.open(Buffer.from(wrapped, 'base64'), place(context));
    },
  };
}

/** Options of {@link vaultTransit}. */
export interface VaultTransitOptions {
  /** `https://vault.internal:8200`; http only to loopback. */
  readonly address: string;
  /** Name of an aes256-gcm96 or chacha20-poly1305 key of the transit engine. */
  readonly keyName: string;
  /** Token, or a function that yields a fresh one. Needs update on `<mount>/encrypt/<key>` and `decrypt/<key>`. */
  readonly token: string | Secret | (() => Awaitable<string>);
  /** Where the transit engine is mounted; default `transit`. */
  readonly mount?: string;
  readonly namespace?: string;
  /** Milliseconds; default 5000. */
  readonly timeoutMs?: number;
}

const VAULT: Schema<VaultTransitOptions> = {
  address: required(matching(/^https?:\/\/[^/]/, 'must be a URL')),
  keyName: required(text),
  token: required(either((value) => typeof value === 'function' || value instanceof Secret, text)),
  mount: text,
  namespace: text,
  timeoutMs: timeout,
};

/** Wraps data keys with HashiCorp Vault's (or OpenBao's) transit engine; the key never leaves Vault. */
export function vaultTransit(given: VaultTransitOptions): KeyWrapper {
  const options = checked(given, VAULT);
  const base = new URL(options.address);
  if (base.protocol !== 'https:' && !(base.protocol === 'http:' && isLoopback(base.hostname)))
    throw new GuardError('REDKEEP_GUARD_OPTION', 'the address of Vault must be https');
  const { token } = options;
  const held = typeof token === 'function' ? undefined : Secret.from(token);
  const ask = async (action: 'encrypt' | 'decrypt', body: object): Promise<Record<string, string>> => {
    const path = [options.mount ?? 'transit', action, options.keyName].map(encodeURIComponent).join('/');
    const response = await fetch(new URL(`/v1/${path}`, base), {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        'x-vault-token': held === undefined ? await (token as () => Awaitable<string>)() : held.reveal(),
        'x-vault-request': 'true',
        ...(options.namespace === undefined ? {} : { 'x-vault-namespace': options.namespace }),
      },
      // A redirect would carry the token to another host.
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? 5000),
    });
    // The body of an error may quote the request; its status says enough.
    if (!response.ok) throw new GuardError('REDKEEP_ENCRYPTION_PROVIDER', `Vault answered ${response.status}`);
    return ((await response.json()) as { data: Record<string, string> }).data;
  };
  const bound = (context: string) => Buffer.from(context).toString('base64');
  return {
    async wrap(key, context) {
      const data = await ask('encrypt', { plaintext: key.toString('base64'), associated_data: bound(context) });
      return data['ciphertext']!;
    },
    async unwrap(wrapped, context) {
      const data = await ask('decrypt', { ciphertext: wrapped, associated_data: bound(context) });
      return Buffer.from(data['plaintext']!, 'base64');
    },
  };
}

/** The two calls of the official SDK's `KMS` class (`@aws-sdk/client-kms`) that wrapping needs. */
export interface AwsKms {
  encrypt(input: {
    KeyId: string;
    Plaintext: Uint8Array;
    EncryptionContext: Record<string, string>;
  }): Promise<{ CiphertextBlob?: Uint8Array | undefined }>;
  decrypt(input: {
    KeyId: string;
    CiphertextBlob: Uint8Array;
    EncryptionContext: Record<string, string>;
  }): Promise<{ Plaintext?: Uint8Array | undefined }>;
}

/**
 * Wraps data keys with AWS KMS. The SDK is the application's: `awsKms({ kms: new KMS({ region }), keyId })`.
 * The data key's id is the encryption context, so it shows in CloudTrail.
 */
export function awsKms(options: { readonly kms: AwsKms; readonly keyId: string }): KeyWrapper {
  const { kms, keyId: KeyId } = checked(options, {
    kms: required(having("a KMS client of '@aws-sdk/client-kms'", 'encrypt', 'decrypt')),
    keyId: required(text),
  });
  const contextOf = (context: string) => ({ 'redkeep:key': context });
  return {
    async wrap(key, context) {
      const reply = await kms.encrypt({ KeyId, Plaintext: key, EncryptionContext: contextOf(context) });
      if (reply.CiphertextBlob === undefined) throw new GuardError('REDKEEP_ENCRYPTION_PROVIDER', 'KMS: no ciphertext');
      return Buffer.from(reply.CiphertextBlob).toString('base64');
    },
    async unwrap(wrapped, context) {
      const CiphertextBlob = Buffer.from(wrapped, 'base64');
      const reply = await kms.decrypt({ KeyId, CiphertextBlob, EncryptionContext: contextOf(context) });
      if (reply.Plaintext === undefined) throw new GuardError('REDKEEP_ENCRYPTION_PROVIDER', 'KMS: no plaintext');
      return Buffer.from(reply.Plaintext);
    },
  };
}
