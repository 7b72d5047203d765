import { readFile } from 'node:fs/promises';
import { isLoopback } from 'redkeep';
import { CliError } from '../../errors.js';
import type { SecretReceiver } from '../secret-receivers.js';

export interface VaultReceiverOptions {
  readonly address: string;
  readonly tokenFile: string;
  /** Where a KV version 2 engine is mounted. */
  readonly mount: string;
  /** Secrets are named `prefix/USER`. */
  readonly prefix: string;
}

const answerMs = 10_000;

interface KvReply {
  readonly data?: {
    readonly data?: Readonly<Record<string, unknown>> | null;
    readonly metadata?: { readonly version?: number };
  };
}

/**
 * HashiCorp Vault, KV version 2. The write names the version that was read (check-and-set), so that somebody else's
 * change in between is not overwritten; a password that is there already is not written again.
 */
export function vaultReceiver({ address, tokenFile, mount, prefix }: VaultReceiverOptions): SecretReceiver {
  const base = new URL(address);
  if (base.protocol !== 'https:' && !isLoopback(base.hostname))
    throw new CliError(
      'REDKEEP_USAGE',
      'The address of Vault is not https: passwords would be readable on the way.',
      'Use https://.',
    );
  return {
    name: 'vault',
    async put({ user, password, stage }) {
      if (stage !== 'current') return;
      const token = (await readFile(tokenFile, 'utf8')).trim();
      const name = [...prefix.split('/'), user].map(encodeURIComponent).join('/');
      const url = new URL(`/v1/${encodeURIComponent(mount)}/data/${name}`, base);
      const ask = (method: string, body?: unknown) =>
        fetch(url, {
          method,
          headers: { 'x-vault-token': token, 'x-vault-request': 'true' },
          redirect: 'error',
          signal: AbortSignal.timeout(answerMs),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
      const found = await ask('GET');
      if (!found.ok && found.status !== 404) throw refused(found.status);
      const { data } = (await found.json()) as KvReply;
      if (data?.data?.['password'] === password) return;
      const written = await ask('POST', {
        data: { ...data?.data, username: user, password },
        options: { cas: data?.metadata?.version ?? 0 },
      });
      await written.body?.cancel();
      if (!written.ok) throw refused(written.status);
    },
  };
}

/** Vault's answer is not repeated: it may hold secrets. */
function refused(status: number): CliError {
  return new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `Vault answered ${status} and did not take the new password.`,
    'Check its policy (read and update of the secret), then run the rotation again: it goes on.',
  );
}
