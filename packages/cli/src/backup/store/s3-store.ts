import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { CliError } from '../../errors.js';
import { type ObjectContent, ObjectExists, ObjectMissing, type Store, type StoredObject } from './store.js';

/** Larger objects go up in parts, in constant memory. */
const onePartBytes = 16 * 1024 * 1024;
const partBytes = 16 * 1024 * 1024;
const dayMs = 86_400_000;
/** How long the probe of a lock stays. */
const lockProbeMs = 60_000;

export interface S3StoreOptions {
  /** Objects cannot be removed by anybody for so many days (object lock, compliance mode). */
  readonly lockDays?: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/**
 * An S3-compatible bucket, by the official SDK, which is an optional peer dependency. Endpoint, region and credentials
 * come from where the SDK takes them: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and so on.
 */
export class S3Store implements Store {
  readonly description: string;
  readonly isOffHost = true;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #lockDays: number | undefined;

  private constructor(sdk: Sdk, bucket: string, prefix: string, { lockDays, env }: S3StoreOptions) {
    this.#sdk = sdk;
    this.#bucket = bucket;
    this.#prefix = prefix === '' ? '' : `${prefix.replace(/\/+$/, '')}/`;
    this.#lockDays = lockDays;
    this.description = `s3://${bucket}/${prefix}`;
    // A server under an address of its own has no name for each bucket.
    this.#client = new sdk.S3Client({ forcePathStyle: env['AWS_ENDPOINT_URL'] !== undefined });
  }

  static async open(spec: string, options: S3StoreOptions): Promise<S3Store> {
    const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(spec) ?? [];
    if (!bucket) throw new CliError('REDKEEP_USAGE', 'The store is not s3://bucket/prefix.', 'Check --store.');
    const store = new S3Store(await loadSdk(), bucket, prefix, options);
    if (options.lockDays !== undefined) await store.#proveLock();
    return store;
  }

  async put(name: string, content: ObjectContent): Promise<void> {
    const lock =
      this.#lockDays === undefined
        ? {}
        : {
            ObjectLockMode: 'COMPLIANCE' as const,
            ObjectLockRetainUntilDate: new Date(Date.now() + this.#lockDays * dayMs),
          };
    const place = { Bucket: this.#bucket, Key: this.#prefix + name, ...lock };
    try {
      // Not every server minds If-None-Match, so it is asked as well.
      if (await this.#has(name)) throw new ObjectExists(name);
      if ('file' in content && content.bytes > onePartBytes) {
        const { Upload } = await import('@aws-sdk/lib-storage');
        const params = { ...place, Body: createReadStream(content.file), IfNoneMatch: '*' };
        await new Upload({ client: this.#client, params, partSize: partBytes, queueSize: 2 }).done();
        return;
      }
      const body = 'file' in content ? await readFile(content.file) : content.data;
      await this.#client.send(new this.#sdk.PutObjectCommand({ ...place, Body: body, IfNoneMatch: '*' }));
    } catch (error) {
      throw this.#explain(error, 'put', name);
    }
  }

  async get(name: string): Promise<AsyncIterable<Buffer>> {
    try {
      const key = { Bucket: this.#bucket, Key: this.#prefix + name };
      const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand(key));
      return Body as unknown as AsyncIterable<Buffer>;
    } catch (error) {
      throw this.#explain(error, 'get', name);
    }
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    let token: string | undefined;
    try {
      do {
        const page = await this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            ...{ Bucket: this.#bucket, Prefix: this.#prefix + prefix },
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        for (const { Key, Size } of page.Contents ?? []) {
          if (Key !== undefined) found.push({ name: Key.slice(this.#prefix.length), bytes: Size ?? 0 });
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    } catch (error) {
      throw this.#explain(error, 'list', prefix);
    }
    return found;
  }

  async remove(name: string): Promise<void> {
    try {
      await this.#client.send(new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + name }));
    } catch (error) {
      throw this.#explain(error, 'remove', name);
    }
  }

  async #has(name: string): Promise<boolean> {
    const listing = { Bucket: this.#bucket, Prefix: this.#prefix + name, MaxKeys: 1 };
    const { Contents } = await this.#client.send(new this.#sdk.ListObjectsV2Command(listing));
    return Contents?.some(({ Key }) => Key === this.#prefix + name) ?? false;
  }

  /**
   * Writes an object under lock, asks for its retention, and tries to remove that version. Either alone proves nothing:
   * a bucket without object lock takes the headers, and a login that may not remove anything is refused as well.
   */
  async #proveLock(): Promise<void> {
    const key = { Bucket: this.#bucket, Key: `${this.#prefix}lock-probe/${Date.now()}` };
    const until = new Date(Date.now() + lockProbeMs);
    let version: string | undefined;
    try {
      const { VersionId } = await this.#client.send(
        new this.#sdk.PutObjectCommand({
          ...{ ...key, Body: 'probe', ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until },
        }),
      );
      version = VersionId;
    } catch (error) {
      throw this.#explain(error, 'lock', 'a probe');
    }
    if (version === undefined) throw this.#unproved('the bucket keeps no versions');
    const probe = { ...key, VersionId: version };
    const kept = await this.#client.send(new this.#sdk.GetObjectRetentionCommand(probe)).then(
      ({ Retention }) => Retention?.Mode === 'COMPLIANCE',
      (error: unknown) => nameOf(error),
    );
    if (kept !== true) {
      throw this.#unproved(kept === false ? 'the object has no retention' : `its retention cannot be read (${kept})`);
    }
    const refusal = await this.#client.send(new this.#sdk.DeleteObjectCommand(probe)).then(
      () => undefined,
      (error: unknown) => nameOf(error),
    );
    if (refusal === undefined) throw this.#unproved('a locked object could be removed');
    if (refusal !== 'AccessDenied') throw this.#unproved(`removing it ended with ${refusal}`);
  }

  #unproved(reason: string): CliError {
    return new CliError(
      'REDKEEP_BACKUP_STORE_FAILED',
      `It is not proven that ${this.description} locks objects: ${reason}.`,
      'Make the bucket with versioning and object lock, allow s3:GetObjectRetention, or leave --lock-days away.',
    );
  }

  #explain(error: unknown, what: string, name: string): unknown {
    if (error instanceof ObjectExists) return error;
    if (!(error instanceof Error)) return error;
    if (error.name === 'PreconditionFailed') return new ObjectExists(name);
    if (error.name === 'NoSuchKey' || error.name === 'NotFound') return new ObjectMissing(name);
    return new CliError(
      'REDKEEP_BACKUP_STORE_FAILED',
      `${this.description} failed to ${what}: ${error.name}${error.message ? `, ${error.message}` : ''}.`.slice(0, 300),
      'Check bucket, region, credentials and endpoint (AWS_… variables).',
      { cause: error },
    );
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'an error';
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (error) {
    throw new CliError(
      'REDKEEP_USAGE',
      'The store s3:// needs the AWS SDK, which is not installed.',
      'Run: npm install @aws-sdk/client-s3 @aws-sdk/lib-storage',
      { cause: error },
    );
  }
}
