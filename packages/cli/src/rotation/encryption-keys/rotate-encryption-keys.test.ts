/** Guard's key ring rotated on a real server while an application seals and opens; killed by SIGKILL at every moment. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Encryption, EnvelopeKeys, keysFromFile, keysFromValue, localWrapper, redisKeyStore } from '@redkeep/guard';
import { freePort, waitFor } from '@redkeep/testing';
import { RESP_TYPES, type RedisClient } from 'redkeep';
import { Journal } from '../../apply/journal.js';
import { killRedkeep } from '../../testing/killed-redkeep.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

const full = process.env['REDKEEP_ROTATION'] === 'full';
const environment = 'test';

describe('redkeep rotate encryption-keys and all', () => {
  let sandbox: CliSandbox;
  let admin: RedisClient;
  let client: RedisClient;
  const file = (...parts: string[]) => sandbox.path('redkeep', ...parts);
  const ringFile = () => file('keys', 'ring');
  const ring = async () => (await readFile(ringFile(), 'utf8')).trim().split('\n');
  const under = (...keys: string[]) => new Encryption({ keys: keysFromValue(keys), environment });
  const bytes = (name: string) =>
    admin.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get(name) as unknown as Promise<Buffer>;
  const rotate = (...args: string[]) =>
    sandbox.run(['rotate', 'encryption-keys', '--yes', '--grace', '0', '--watch', '0', ...args]);

  /** 300 strings, two with an expiry, a hash of which one field is not sealed, and a wrapped data key. */
  async function fill(key: string): Promise<string> {
    const encryption = under(key);
    for (let index = 0; index < 300; index += 1) {
      const name = `app:note:${index}`;
      const sealed = await encryption.seal(`note ${index}`, { space: 'notes', key: name });
      await client.set(name, sealed, index < 2 ? { expiration: { type: 'EX', value: 3600 } } : {});
    }
    const name = 'app:person:1';
    const email = await encryption.seal('ana@example.com', { space: 'people', key: name, field: 'email' });
    await client.hSet(name, { email, visits: '1' });
    const wrapper = localWrapper(keysFromValue([key]), environment);
    return new EnvelopeKeys({ wrapper, store: redisKeyStore(admin) }).rotate();
  }

  async function opens(key: string, dataKey: string): Promise<void> {
    const encryption = under(key);
    for (let index = 0; index < 300; index += 1) {
      const name = `app:note:${index}`;
      assert.equal(String(await encryption.open(await bytes(name), { space: 'notes', key: name })), `note ${index}`);
    }
    assert.ok((await client.ttl('app:note:0')) > 3000);
    assert.equal(await client.ttl('app:note:2'), -1);
    assert.equal(await client.hGet('app:person:1', 'visits'), '1');
    const wrapper = localWrapper(keysFromValue([key]), environment);
    const found = await new EnvelopeKeys({ wrapper, store: redisKeyStore(admin) }).find(dataKey);
    assert.equal(found?.id, dataKey);
  }

  before(async () => {
    sandbox = await CliSandbox.create();
    const args = ['--profile', 'production', '--topology', 'single', '--port', String(await freePort())];
    assert.equal((await sandbox.run(['init', '--yes', ...args, '--app', 'app=app:*'])).code, 0);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    const { connect } = await openDeployment(sandbox);
    admin = await connect('admin');
    client = await connect('app');
    await mkdir(file('keys'));
    await writeFile(ringFile(), `# the first\n${randomBytes(32).toString('base64')}\n`);
    await chmod(ringFile(), 0o640);
    await writeFile(
      file('encryption.yaml'),
      [
        `environment: ${environment}`,
        'keyFile: keys/ring',
        'rate: 100000',
        'values:',
        "  - { match: 'app:note:*', space: notes }",
        "  - { match: 'app:live:*', space: live }",
        "  - { match: 'app:person:*', space: people, fields: [email] }",
        'wrapped: {}',
      ].join('\n'),
    );
  });
  after(async () => {
    for (const each of [admin, client]) if (each?.isOpen) each.destroy();
    await sandbox.remove();
  });

  test('seals everything anew while an application works, and the old key ends outside the ring', async () => {
    const [, old] = await ring();
    const dataKey = await fill(old!);
    const planned = await sandbox.run(['rotate', 'encryption-keys', '--dry-run']);
    assert.match(planned.out, /seal 302 values anew/);
    assert.deepEqual(await Journal.list(file(), 'rotate-encryption-keys'), [], 'a dry run begins nothing');
    const stop = new AbortController();
    const failures: string[] = [];
    let commands = 0;
    // Two processes that read the ring at different moments: each opens what the other sealed.
    const processes = [0, 1].map(
      () => new Encryption({ keys: keysFromFile(ringFile(), { checkEveryMs: 100 }), environment }),
    );
    const load = (async () => {
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        const name = `app:live:${turn % 20}`;
        const place = { space: 'live', key: name };
        await (async () => {
          await client.set(name, await processes[turn % 2]!.seal(`turn ${turn}`, place));
          assert.equal(String(await processes[(turn + 1) % 2]!.open(await bytes(name), place)), `turn ${turn}`);
        })().catch((error: Error) => failures.push(`${turn}: ${error.message}`));
        commands += 1;
        await delay(2);
      }
    })();
    const result = await rotate('--grace', '3', '--watch', '2', '--json');
    stop.abort();
    await load;
    assert.equal(result.code, 0, result.err);
    assert.deepEqual(failures, []);
    assert.ok(commands > 100, `${commands} commands`);
    const now = await ring();
    assert.equal(now.length, 1);
    assert.notEqual(now[0], old);
    assert.equal((await stat(ringFile())).mode & 0o777, 0o640);
    await opens(now[0]!, dataKey);
    assert.ok(JSON.parse(result.out).renewed >= 301, result.out);
    assert.ok(!`${result.out}${result.err}`.includes(now[0]!));
    const [journal] = await Journal.list(file(), 'rotate-encryption-keys');
    assert.equal((await journal!.kept('old-ring'))?.trim(), old);
    assert.equal(await journal!.kept('new-key'), undefined);
  });

  test('ends in the same state when it is killed at every moment of the journal', async () => {
    const [old] = await ring();
    const dataKey = await fill(old!);
    const steps = [
      'keep the ring and make the new key',
      'add the new key after the current one',
      'wait until every process can open with it',
      'put the new key first',
      'wait until every process seals with it',
      'seal anew',
      'count',
      'remove the old keys',
    ];
    const args = ['rotate', 'encryption-keys', '--yes', '--grace', '0', '--watch', '0'];
    for (const step of full ? steps : steps.filter((_, index) => index % 3 === 2))
      for (const state of ['begun', 'done']) await killRedkeep(sandbox, args, `${step}:${state}`);
    const status = await sandbox.run(['rotate', 'status']);
    assert.match(status.err + status.out, /rotate-encryption-keys-\S+ has not ended/);
    const result = await rotate('--resume');
    assert.equal(result.code, 0, result.err);
    const now = await ring();
    assert.equal(now.length, 1);
    assert.notEqual(now[0], old);
    await opens(now[0]!, dataKey);
    assert.equal((await rotate('--resume')).code, 2, 'nothing is left to resume');
  });

  test('keeps the old key while anything needs it, listed or not, and tells where without names', async () => {
    const [old] = await ring();
    const sealed = await under(old!).seal('in a list', { space: 'queue', key: 'app:queue:ana' });
    await client.rPush('app:queue:ana', [sealed]);
    const result = await rotate();
    assert.equal(result.code, 1, result.err);
    assert.match(result.err, /1 below app:\*/);
    assert.ok(!result.err.includes('ana'));
    assert.deepEqual((await ring())[1], old);
    await client.del('app:queue:ana');
    assert.equal((await rotate()).code, 0);
    assert.equal((await ring()).length, 1);
  });

  test('keeps the old key while a wrapped key of a person needs it, in whatever form and place it is stored', async () => {
    const [old] = await ring();
    const wrapper = localWrapper(keysFromValue([old!]), environment);
    const wrapped = await wrapper.wrap(randomBytes(32), 'app:other:1');
    const forms = [wrapped, JSON.stringify({ id: 'x', wrapped }), Buffer.from(wrapped, 'base64').toString('hex')];
    for (const [index, form] of forms.entries()) await client.hSet('app:other', String(index), form);
    await client.set('app:keys:person', forms[1]!);
    const result = await rotate();
    assert.equal(result.code, 1, result.err);
    assert.match(result.err, /4 below app:\*/);
    assert.deepEqual((await ring())[1], old);
    await client.del(['app:other', 'app:keys:person']);
    assert.equal((await rotate()).code, 0);
  });

  test('puts the old key back when a process still seals with it', async () => {
    const [old] = await ring();
    const late = under(old!);
    const running = rotate('--watch', '2');
    await waitFor(async () => !(await ring()).includes(old!), { message: 'the old key to leave', timeout: 30_000 });
    await client.set('app:live:late', await late.seal('late', { space: 'live', key: 'app:live:late' }));
    const result = await running;
    assert.equal(result.code, 1, result.err);
    const both = await ring();
    assert.equal(both[1], old);
    assert.equal((await rotate()).code, 0);
    assert.deepEqual(await ring(), [both[0]]);
    const place = { space: 'live', key: 'app:live:late' };
    assert.equal(String(await under(both[0]!).open(await bytes('app:live:late'), place)), 'late');
  });

  test('goes back to the old key, with what the new one has sealed, until the old one has left', async () => {
    const before = await ring();
    const args = ['rotate', 'encryption-keys', '--yes', '--grace', '0', '--watch', '0'];
    for (const moment of full ? ['add the new key after the current one:done', 'count:begun'] : ['count:begun']) {
      const dataKey = await fill(before[0]!);
      await killRedkeep(sandbox, args, moment);
      assert.equal((await ring()).length, 2);
      await killRedkeep(sandbox, [...args, '--abort'], 'back: put the old keys first:done');
      const onward = await rotate();
      assert.equal(onward.code, 2, 'a rotation that is being taken back does not go on');
      const result = await rotate('--abort');
      assert.equal(result.code, 0, result.err);
      assert.deepEqual(await ring(), before);
      await opens(before[0]!, dataKey);
    }
    await killRedkeep(sandbox, args, 'remove the old keys:done');
    assert.equal((await rotate('--abort')).code, 2);
    assert.equal((await rotate()).code, 0);
  });

  test('refuses a ring that somebody else changed, and files that say nothing', async () => {
    const before = await ring();
    const args = ['rotate', 'encryption-keys', '--yes', '--grace', '0', '--watch', '0'];
    await killRedkeep(sandbox, args, 'add the new key after the current one:done');
    const changed = `${randomBytes(32).toString('hex')}\n${before[0]}\n`;
    const during = await readFile(ringFile(), 'utf8');
    await writeFile(ringFile(), changed);
    const result = await rotate();
    assert.equal(result.code, 2);
    assert.match(result.err, /a key that this rotation does not know/);
    assert.equal(await readFile(ringFile(), 'utf8'), changed);
    await writeFile(ringFile(), during);
    assert.equal((await rotate('--abort')).code, 0);
    await writeFile(sandbox.path('empty.yaml'), 'environment: test\n');
    assert.equal((await rotate('--encryption', sandbox.path('empty.yaml'))).code, 2);
    await writeFile(sandbox.path('short'), 'c2hvcnQ=\n');
    await writeFile(sandbox.path('bad.yaml'), 'environment: test\nkeyFile: short\n');
    const bad = await rotate('--encryption', sandbox.path('bad.yaml'), '--dry-run');
    assert.equal(bad.code, 2);
    assert.ok(!bad.err.includes('c2hvcnQ='));
  });

  test('rotates all, goes on where it was killed, and takes back what has not ended', async () => {
    const password = async () => (await readFile(file('secrets/app.password'), 'utf8')).trim();
    const authority = () => readFile(file('pki/ca.crt'), 'utf8');
    const before = { password: await password(), authority: await authority(), ring: await ring() };
    const args = ['rotate', 'all', '--yes', '--grace', '0', '--watch', '0'];
    await killRedkeep(sandbox, args, 'passwords:done');
    const rotated = await password();
    assert.notEqual(rotated, before.password);
    await killRedkeep(sandbox, args, 'make the new CA:done');
    assert.equal(await password(), rotated, 'what had ended is not rotated again');
    const result = await sandbox.run([...args.filter((each) => each !== '--yes'), '--resume']);
    assert.equal(result.code, 0, result.err);
    assert.equal(await password(), rotated);
    assert.notEqual(await authority(), before.authority);
    assert.notDeepEqual(await ring(), before.ring);
    assert.equal((await sandbox.run(['rotate', 'status'])).code, 0);
    const middle = { authority: await authority(), ring: await ring() };
    await killRedkeep(sandbox, args, 'issue node-1:begun');
    const aborted = await sandbox.run([...args, '--abort']);
    assert.equal(aborted.code, 0, aborted.err);
    assert.match(aborted.err + aborted.out, /what had ended stays rotated: passwords/);
    assert.equal(await authority(), middle.authority);
    assert.deepEqual(await ring(), middle.ring);
    assert.equal((await sandbox.run(['rotate', 'status'])).code, 0);
    assert.equal((await sandbox.run(['certs', 'check'])).code, 0);
  });
});
