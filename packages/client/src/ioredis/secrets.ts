/** Options as clients show them. */
import { Secret } from '../credentials/secret.js';
import type { RedisOptions } from './options.js';

/** A copy that can be printed, and that still makes a client. */
export function withSecrets(given: RedisOptions): RedisOptions {
  const options: RedisOptions = { ...given };
  for (const name of ['password', 'sentinelPassword'] as const) {
    const value = options[name];
    if (typeof value === 'string' && value !== '') options[name] = Secret.from(value);
  }
  for (const name of ['tls', 'sentinelTLS'] as const) {
    const tls = options[name];
    if (typeof tls !== 'object' || tls === null) continue;
    const { key, passphrase } = tls;
    options[name] = {
      ...tls,
      ...(key === undefined ? {} : { key: key instanceof Secret ? key : Secret.from(key.toString()) }),
      ...(passphrase === undefined ? {} : { passphrase: Secret.from(passphrase) }),
    };
  }
  return options;
}
