import { RedkeepError } from '../errors.js';
import { anyObject, checkOptions, text } from '../options/rules.js';
import type { Credentials, CredentialsSource } from './credentials.js';
import { Secret } from './secret.js';

export interface EnvNames {
  /** Variable with the user name; default `REDIS_USERNAME`. May be unset: then it is the default user. */
  username?: string;
  /** Variable with the password; default `REDIS_PASSWORD`. */
  password?: string;
}

/**
 * User and password from environment variables, read at every connect.
 *
 * Prefer {@link fromFile} where the platform offers files (container secrets): an environment is inherited by child
 * processes and shown by many tools.
 * @throws InvalidOptionError
 * @throws RedkeepError REDKEEP_CREDENTIALS_UNAVAILABLE when the password variable is unset, at connect
 * @example
 * createClient({ credentialsProvider: fromEnv({ password: 'CACHE_PASSWORD' }) });
 */
export function fromEnv(names: EnvNames = {}, env: NodeJS.ProcessEnv = process.env): CredentialsSource {
  checkOptions(names, { username: text, password: text });
  anyObject(env, 'env');
  const { username = 'REDIS_USERNAME', password = 'REDIS_PASSWORD' } = names;
  return {
    type: 'credentials-source',
    current(): Credentials {
      const value = env[password];
      if (value === undefined || value === '') {
        throw new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', `The environment variable ${password} is not set`);
      }
      return { username: env[username] || undefined, password: new Secret(value) };
    },
  };
}
