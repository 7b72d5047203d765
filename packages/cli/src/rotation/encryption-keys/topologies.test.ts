/**
 * Encryption keys rotated on a Sentinel set and a cluster, with persons' keys on a server of their own. In `npm test` a cluster of
 * Valkey 9; `npm run test:rotation` both topologies on Valkey 9 and Redis 8.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  Encryption,
  EnvelopeKeys,
  keysFromFile,
  keysFromValue,
  localWrapper,
  PersonKeys,
  redisKeyStore,
} from '@redkeep/guard';
import { findEngine, freePort } from '@redkeep/testing';
import { RESP_TYPES, type RedisClient } from 'redkeep';
import { dataNodes } from '../../deployment/model.js';
import { connectApplication } from '../../testing/connect-application.js';
import { killRedkeep } from '../../testing/killed-redkeep.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

const full = process.env['REDKEEP_ROTATION'] === 'full';
const cases = full
  ? ['valkey-9', 'redis-8.0'].flatMap((engine) => ['sentinel', 'cluster'].map((topology) => ({ engine, topology })))
  : [{ engine: 'valkey-9', topology: 'cluster' }];
const values = full ? 2000 : 100;
const environment = 'test';
const place = (key: string) => ({ space: 'notes', key });

for (const { engine, topology } of cases) {
  describe(`redkeep rotate encryption-keys on a ${topology} of ${engine}`, () => {
    let sandbox: CliSandbox;
    let application: Awaited<ReturnType<typeof connectApplication>>;
    let keyServer: RedisClient;
    const file = (...parts: string[]) => sandbox.path('redkeep', ...parts);
    const ring = async () => (await readFile(file('keys/ring'), 'utf8')).trim().split('\n');
    const args = ['rotate', 'encryption-keys', '--yes', '--grace', '0', '--watch', '0'];
    const personsOf = (key: string) => {
      const keys = keysFromValue([key]);
      return new PersonKeys({
        encryption: new Encryption({ keys, environment }),
        wrapper: localWrapper(keys, environment),
        store: redisKeyStore(keyServer),
        data: application,
        pseudonymKey: Buffer.alloc(32, 1),
      });
    };
    const nameOf = (index: number) => `app:note:${index}`;
    const bytes = (name: string) =>
      application.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get(name) as unknown as Promise<Buffer>;

    async function opens(key: string): Promise<void> {
      const encryption = new Encryption({ keys: keysFromValue([key]), environment });
      const persons = personsOf(key);
      for (let index = 0; index < values; index += 1) {
        const name = nameOf(index);
        assert.equal(String(await encryption.open(await bytes(name), place(name))), `note ${index}`);
      }
      for (const person of ['ana', 'bo', 'cai']) {
        const name = `app:person:${person}`;
        assert.equal(String(await persons.sealer(person).open(await bytes(name), place(name))), person);
      }
      const wrapper = localWrapper(keysFromValue([key]), environment);
      assert.ok(await new EnvelopeKeys({ wrapper, store: redisKeyStore(keyServer) }).current());
    }

    before(async () => {
      sandbox = await CliSandbox.create();
      const run = async (...words: string[]) => {
        const result = await sandbox.run(words);
        assert.equal(result.code, 0, `${words.join(' ')}: ${result.err}`);
      };
      const { server } = findEngine(engine);
      const common = ['--yes', '--profile', 'production', '--server', server, '--app', 'app=app:*'];
      await run('init', ...common, '--topology', topology, '--port', String(await freePort()));
      await run('init', ...common, '--dir', 'keys', '--topology', 'single', '--port', String(await freePort()));
      for (const dir of ['redkeep', 'keys']) await run('up', '--detach', '--dir', dir);
      application = await connectApplication(file());
      keyServer = await (await openDeployment(sandbox, 'keys')).connect('admin');
      const key = randomBytes(32).toString('base64');
      await mkdir(file('keys'));
      await writeFile(file('keys/ring'), `${key}\n`);
      const lines = ['keyFile: keys/ring', `environment: ${environment}`, 'rate: 100000', 'deployments: [../keys]'];
      const listed = ["values: [{ match: 'app:note:*', space: notes }]", 'wrapped: {}'];
      await writeFile(file('encryption.yaml'), [...lines, ...listed].join('\n'));
      const encryption = new Encryption({ keys: keysFromFile(file('keys/ring')), environment });
      for (let index = 0; index < values; index += 1)
        await application.set(nameOf(index), await encryption.seal(`note ${index}`, place(nameOf(index))));
      const persons = personsOf(key);
      for (const person of ['ana', 'bo', 'cai']) {
        const name = `app:person:${person}`;
        await application.set(name, await persons.sealer(person).seal(person, place(name)));
      }
      const wrapper = localWrapper(keysFromValue([key]), environment);
      await new EnvelopeKeys({ wrapper, store: redisKeyStore(keyServer) }).rotate();
    });
    after(async () => {
      application?.destroy();
      if (keyServer?.isOpen) keyServer.destroy();
      await sandbox.run(['down', '--dir', 'keys']);
      await sandbox.remove();
    });

    test('seals and wraps everything anew on every primary and on the server of keys, resumed after kills', async () => {
      const [old] = await ring();
      for (const moment of ['seal anew:done', 'count:done', ...(full ? ['remove the old keys:done'] : [])])
        await killRedkeep(sandbox, args, moment);
      const result = await sandbox.run([...args, '--resume', '--json']);
      assert.equal(result.code, 0, result.err);
      const now = await ring();
      assert.equal(now.length, 1);
      assert.notEqual(now[0], old);
      await opens(now[0]!);
    });

    if (!full) return;

    test('keeps the old key while a replica is away, which could bring values back', async () => {
      const [old] = await ring();
      const { deployment, connect } = await openDeployment(sandbox);
      const replica = dataNodes(deployment).find(({ role }) => role === 'replica')!;
      const admin = await connect('admin', replica);
      await admin.sendCommand(['SHUTDOWN', 'NOSAVE']).catch(() => undefined);
      const stopped = await sandbox.run(args);
      assert.notEqual(stopped.code, 0);
      assert.match(stopped.err, new RegExp(replica.name));
      assert.ok((await ring()).includes(old!));
      const up = await sandbox.run(['up', '--detach']);
      assert.equal(up.code, 0, up.err);
      const result = await sandbox.run([...args, '--resume']);
      assert.equal(result.code, 0, result.err);
      const now = await ring();
      assert.equal(now.length, 1);
      await opens(now[0]!);
    });

    test('goes back to the old key on every primary', async () => {
      const before = await ring();
      await killRedkeep(sandbox, args, 'count:done');
      assert.equal((await ring()).length, 2);
      const result = await sandbox.run([...args, '--abort']);
      assert.equal(result.code, 0, result.err);
      assert.deepEqual(await ring(), before);
      await opens(before[0]!);
    });
  });
}
