import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { CliError } from '../../errors.js';
import type { SecretReceiver } from '../secret-receivers.js';

export interface AwsReceiverOptions {
  /** Secrets are named `prefix/USER`. */
  readonly prefix: string;
  /** Default: from where the SDK takes it (`AWS_REGION`, the profile). */
  readonly region?: string | undefined;
}

interface Version {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * AWS Secrets Manager, by the official SDK, which is an optional peer dependency. A password that is to come is a version
 * under `AWSPENDING`, which nobody reads by accident; when every server accepts it, `AWSCURRENT` moves to that version and
 * `AWSPREVIOUS` to the one of before. Put again, a password gets no second version. A secret is not made here: its key and
 * its policy are the operator's choice.
 */
export function awsReceiver({ prefix, region }: AwsReceiverOptions): SecretReceiver {
  let client: Promise<SecretsManager> | undefined;
  const connected = () => {
    client ??= open(region);
    return client;
  };
  return {
    name: 'aws',
    async put({ user, password, stage }) {
      const secrets = await connected();
      const SecretId = `${prefix}/${user}`;
      const find = (label: string) => versionOf(secrets, SecretId, label);
      try {
        const current = await find('AWSCURRENT');
        if (current?.fields['password'] === password) return;
        let pending = await find('AWSPENDING');
        if (pending?.fields['password'] !== password) {
          const fields = { ...current?.fields, username: user, password };
          // A label is on one version at most: what was pending before has none after this.
          const { VersionId } = await secrets.putSecretValue({
            SecretId,
            SecretString: JSON.stringify(fields),
            VersionStages: ['AWSPENDING'],
          });
          pending = { id: VersionId!, fields };
        }
        // The first version of a secret is current at once, whatever its label.
        if (stage === 'pending' || (await find('AWSCURRENT'))?.id === pending!.id) return;
        await secrets.updateSecretVersionStage({
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: pending!.id,
          ...(current === undefined ? {} : { RemoveFromVersionId: current.id }),
        });
      } catch (error) {
        throw refused(SecretId, error);
      }
    },
  };
}

/** The version that has a label; undefined where none has, or where there is no secret. */
async function versionOf(secrets: SecretsManager, SecretId: string, label: string): Promise<Version | undefined> {
  try {
    const { VersionId, SecretString } = await secrets.getSecretValue({ SecretId, VersionStage: label });
    return VersionId === undefined ? undefined : { id: VersionId, fields: fieldsOf(SecretString) };
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** A secret that is text, not JSON, is the password: what `fromAwsSecretsManager` takes it for. */
function fieldsOf(text = ''): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Not JSON.
  }
  return { password: text };
}

/** The name of AWS's error says what is missing; its message may name accounts and is kept as the cause only. */
function refused(secret: string, error: unknown): CliError {
  const name = error instanceof Error ? error.name : 'an unknown error';
  return new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `AWS Secrets Manager did not take the new password of ${secret}: ${name}.`,
    name === 'ResourceNotFoundException'
      ? 'Make the secret first (aws secretsmanager create-secret), then run the rotation again: it goes on.'
      : 'Check region, credentials and policy (GetSecretValue, PutSecretValue, UpdateSecretVersionStage), then run it again: it goes on.',
    { cause: error },
  );
}

async function open(region: string | undefined): Promise<SecretsManager> {
  const sdk = await import('@aws-sdk/client-secrets-manager').catch((error: unknown) => {
    throw new CliError(
      'REDKEEP_USAGE',
      'The receiver aws needs the AWS SDK, which is not installed.',
      'Run: npm install @aws-sdk/client-secrets-manager',
      { cause: error },
    );
  });
  return new sdk.SecretsManager(region === undefined ? {} : { region });
}
