import { RedkeepError } from '../errors.js';
import { checkOptions, fields, interval, required, rule, type Schema, text } from '../options/rules.js';
import type { CredentialsSource } from './credentials.js';
import { type Fetched, pollingSource } from './polling-source.js';
import { Secret } from './secret.js';

/** What is used of the official SDK: `new SecretsManager()` of `@aws-sdk/client-secrets-manager`. */
export interface SecretsManagerLike {
  getSecretValue(input: { SecretId: string; VersionStage?: string }): Promise<{ SecretString?: string }>;
}

export interface AwsSecretsManagerOptions {
  /** Made by you with the official SDK, which signs the requests and finds the role. */
  client: SecretsManagerLike;
  /** Name or ARN. */
  secretId: string;
  /** Fields of the JSON secret; default `username` and `password`. A secret that is not JSON is the password. */
  fields?: { username?: string; password?: string };
  /** Milliseconds between looks; default 60 000. */
  refreshIntervalMs?: number;
}

const SCHEMA = {
  client: required(
    rule(
      (v) => typeof (v as Partial<SecretsManagerLike> | null)?.getSecretValue === 'function',
      'must be a SecretsManager of the AWS SDK, with getSecretValue()',
    ),
  ),
  secretId: required(text),
  fields: fields(() => ({ username: text, password: text })),
  refreshIntervalMs: interval,
} satisfies Schema & Record<keyof AwsSecretsManagerOptions, unknown>;

/**
 * Credentials from AWS Secrets Manager, looked at again every `refreshIntervalMs`, so that a rotation there reaches live
 * connections. The SDK is yours: the client has no dependencies, and requests are never signed by hand.
 * @throws InvalidOptionError
 * @example
 * import { SecretsManager } from '@aws-sdk/client-secrets-manager';
 * fromAwsSecretsManager({ client: new SecretsManager(), secretId: 'prod/redis' });
 */
export function fromAwsSecretsManager(options: AwsSecretsManagerOptions): CredentialsSource {
  checkOptions(options, SCHEMA);
  const { client, secretId, fields = {} } = options;
  return pollingSource(async (): Promise<Fetched> => {
    let text: string | undefined;
    try {
      text = (await client.getSecretValue({ SecretId: secretId })).SecretString;
    } catch (error) {
      throw new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', 'AWS Secrets Manager did not give the secret', {
        cause: error,
      });
    }
    if (text === undefined)
      throw new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', 'The secret in AWS Secrets Manager is not text');
    const data = parse(text);
    if (data === undefined) return { credentials: { password: new Secret(text) } };
    const username = data[fields.username ?? 'username'];
    const password = data[fields.password ?? 'password'];
    if (typeof password !== 'string')
      throw new RedkeepError(
        'REDKEEP_CREDENTIALS_UNAVAILABLE',
        `The secret has no field ${fields.password ?? 'password'}`,
      );
    return {
      credentials: { username: typeof username === 'string' ? username : undefined, password: new Secret(password) },
    };
  }, options.refreshIntervalMs ?? 60_000);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
