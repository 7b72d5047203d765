/** The official SDK against a local HTTP server that keeps versions and labels as AWS documents. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { CliError } from '../../errors.js';
import type { SecretHandover, SecretReceiver } from '../secret-receivers.js';
import { readSecretReceivers } from '../secrets-file.js';

interface Version {
  readonly text: string;
  readonly labels: Set<string>;
}

type Request = Readonly<Record<string, unknown>> & { readonly SecretId: string };

const secretId = 'redkeep/test/app';
const settings = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'of-the-test',
  AWS_MAX_ATTEMPTS: '1',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** What AWS documents of GetSecretValue, PutSecretValue and UpdateSecretVersionStage. */
class SecretsServer {
  readonly secrets = new Map<string, Map<string, Version>>();
  /** Requests that reach AWS before one is cut: before it has an effect, or after. */
  cut: { readonly at: number; readonly when: 'before' | 'after' } | undefined;
  requests = 0;

  readonly http: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const now = this.requests;
      this.requests += 1;
      if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) return response.writeHead(403).end();
      const cutNow = this.cut?.at === now;
      if (cutNow && this.cut?.when === 'before') return request.socket.destroy();
      const name = String(request.headers['x-amz-target']).split('.')[1]!;
      const answer = this.#answer(name, JSON.parse(body) as Request);
      if (cutNow) return request.socket.destroy();
      const status = '__type' in answer ? 400 : 200;
      return response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
    });
  });

  #answer(name: string, request: Request): Readonly<Record<string, unknown>> {
    const versions = this.secrets.get(request.SecretId);
    if (versions === undefined) return { __type: 'ResourceNotFoundException' };
    const withLabel = (label: unknown) => [...versions].find(([, { labels }]) => labels.has(String(label)));
    if (name === 'GetSecretValue') {
      const found = withLabel(request['VersionStage'] ?? 'AWSCURRENT');
      return found ? { VersionId: found[0], SecretString: found[1].text } : { __type: 'ResourceNotFoundException' };
    }
    if (name === 'PutSecretValue') {
      const id = String(request['ClientRequestToken']);
      const labels = (request['VersionStages'] as string[] | undefined) ?? ['AWSCURRENT'];
      for (const label of labels) withLabel(label)?.[1].labels.delete(label);
      versions.set(id, {
        text: String(request['SecretString']),
        labels: new Set([...labels, ...(versions.size === 0 ? ['AWSCURRENT'] : [])]),
      });
      return { VersionId: id };
    }
    const label = String(request['VersionStage']);
    const holder = withLabel(label);
    if (holder?.[0] !== request['RemoveFromVersionId']) return { __type: 'InvalidParameterException' };
    holder?.[1].labels.delete(label);
    if (label === 'AWSCURRENT' && holder) {
      withLabel('AWSPREVIOUS')?.[1].labels.delete('AWSPREVIOUS');
      holder[1].labels.add('AWSPREVIOUS');
    }
    versions.get(String(request['MoveToVersionId']))!.labels.add(label);
    return {};
  }

  labelled(label: string): Readonly<Record<string, unknown>> | undefined {
    const found = [...this.secrets.get(secretId)!.values()].find(({ labels }) => labels.has(label));
    return found && (JSON.parse(found.text) as Record<string, unknown>);
  }
}

describe('the receiver aws', () => {
  const before_ = { ...process.env };
  const server = new SecretsServer();
  let folder: string;

  const receiver = async (): Promise<SecretReceiver> => {
    const [found] = await readSecretReceivers({ cwd: folder } as Context, 'secrets.yaml');
    return found!;
  };
  const handover = (password: string, stage: SecretHandover['stage']): SecretHandover => ({
    loaded: {} as LoadedDeployment,
    user: 'app',
    password,
    stage,
  });

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'redkeep-aws-'));
    await writeFile(path.join(folder, 'secrets.yaml'), 'aws: { prefix: redkeep/test }\n');
    await new Promise<void>((resolve) => server.http.listen(0, '127.0.0.1', resolve));
    const { port } = server.http.address() as AddressInfo;
    Object.assign(process.env, settings, { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` });
  });
  after(async () => {
    for (const name of [...Object.keys(settings), 'AWS_ENDPOINT_URL'])
      if (before_[name] === undefined) delete process.env[name];
      else process.env[name] = before_[name];
    server.http.closeAllConnections();
    server.http.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    const first = {
      text: JSON.stringify({ host: 'redis.internal', password: 'old' }),
      labels: new Set(['AWSCURRENT']),
    };
    server.secrets.clear();
    server.secrets.set(secretId, new Map([['first', first]]));
    server.cut = undefined;
    server.requests = 0;
  });

  test('keeps the password that is to come under AWSPENDING, then moves AWSCURRENT to it', async () => {
    const aws = await receiver();
    await aws.put(handover('new', 'pending'));
    assert.equal(server.labelled('AWSCURRENT')?.['password'], 'old');
    assert.equal(server.labelled('AWSPENDING')?.['password'], 'new');
    await aws.put(handover('new', 'current'));
    assert.deepEqual(server.labelled('AWSCURRENT'), { host: 'redis.internal', username: 'app', password: 'new' });
    assert.equal(server.labelled('AWSPREVIOUS')?.['password'], 'old');
    for (const stage of ['pending', 'current'] as const) await aws.put(handover('new', stage));
    assert.equal(server.secrets.get(secretId)!.size, 2, 'no version for what is there');
    await aws.put(handover('newer', 'pending'));
    await aws.put(handover('newest', 'pending'));
    await aws.put(handover('newest', 'current'));
    assert.equal(server.labelled('AWSCURRENT')?.['password'], 'newest');
    assert.equal(server.labelled('AWSPREVIOUS')?.['password'], 'new');
  });

  test('ends in the same state when any request is cut, before or after its effect', async () => {
    const aws = await receiver();
    for (const stage of ['pending', 'current'] as const) await aws.put(handover('counted', stage));
    const requests = server.requests;
    assert.ok(requests >= 6, `${requests} requests`);
    for (let at = 0; at < requests; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const password = `new ${at} ${when}`;
        const old = server.labelled('AWSCURRENT')?.['password'];
        server.requests = 0;
        server.cut = { at, when };
        const cut = async () => {
          for (const stage of ['pending', 'current'] as const) await aws.put(handover(password, stage));
        };
        await assert.rejects(cut(), { code: 'REDKEEP_DELIVERY_FAILED' }, password);
        server.cut = undefined;
        const again = await receiver();
        for (const stage of ['pending', 'current'] as const) await again.put(handover(password, stage));
        assert.equal(server.labelled('AWSCURRENT')?.['password'], password);
        assert.equal(server.labelled('AWSPREVIOUS')?.['password'], old);
        assert.equal(server.labelled('AWSPENDING')?.['password'], password);
      }
    }
  });

  test('takes a secret without a version, refuses one that is not there, and tells no value', async () => {
    server.secrets.set(secretId, new Map());
    const aws = await receiver();
    await aws.put(handover('the-first', 'pending'));
    await aws.put(handover('the-first', 'current'));
    assert.equal(server.labelled('AWSCURRENT')?.['password'], 'the-first');
    server.secrets.clear();
    await assert.rejects(aws.put(handover('nowhere', 'pending')), (error: CliError) => {
      assert.ok(error instanceof CliError);
      assert.match(error.message, /ResourceNotFoundException/);
      assert.match(error.hint, /create-secret/);
      assert.ok(!`${error.message}${error.hint}`.includes('nowhere'));
      return true;
    });
  });
});
