/**
 * Rotations ended by SIGKILL before and after each write of the journal, change of a file and change of a server, then resumed or
 * taken back, while an application works. `npm run test:rotation` does all of it on three nodes and three sentinels.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
import { freePort } from '@redkeep/testing';
import { RESP_TYPES, type RedisClient } from 'redkeep';
import { Journal } from '../apply/journal.js';
import { killEverywhere, runRedkeep } from '../testing/killed-redkeep.js';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';
import { Application } from './testing/application.js';

const full = process.env['REDKEEP_ROTATION'] === 'full';
const chosen = process.env['REDKEEP_ROTATION_OF']?.split(',');

interface Kind {
  readonly args: readonly string[];
  readonly journal: string;
  /** What is changed by it, below the deployment's folder. */
  readonly files: readonly string[];
  /** In `npm test`: the effects after which it is ended. Without, it is not part of that. */
  readonly short?: string;
  /** The effects of the long form; default: all. */
  readonly long?: string;
}

// An application that has read a secret a moment ago has to have the time to use it.
const times = ['--grace', '1', '--watch', '0'];
const names = full ? ['app', 'replication', 'sentinel'] : ['app', 'monitoring'];
const passwords = names.map((name) => `secrets/${name}.password`);
const pairs = ['pki/ca.crt', 'pki/client-ca.crt', 'pki/node-1.crt', 'pki/clients/app.crt', 'pki/clients/app.key'];
const kinds: Readonly<Record<string, Kind>> = {
  users: {
    args: ['users', ...names, ...times],
    journal: 'rotate-users',
    files: passwords,
    // Proofs compare rules by users of their own, which change nothing.
    long: '^(?!ACL .* in .*prove)',
    short: '^(?:rename secrets/app.password|ACL SETUSER .* in no step).*#1',
  },
  certificates: {
    args: ['certificates', '--all'],
    journal: 'rotate-certificates',
    files: pairs,
    long: '^(?!ACL)',
  },
  ca: {
    args: ['ca', '--grace', '1'],
    journal: 'rotate-ca',
    files: [...pairs, 'authority/ca.key'],
    long: '^(?!ACL)',
  },
  'encryption-keys': { args: ['encryption-keys', ...times], journal: 'rotate-encryption-keys', files: ['keys/ring'] },
  all: {
    args: ['all', ...times],
    journal: 'rotate-all',
    files: [...passwords, ...pairs, 'authority/ca.key', 'keys/ring'],
    // What happens within a part is in the tests of the parts.
    long: '^journal "(?:passwords|the CA and its certificates|encryption keys)"|rename rotate-all',
  },
};
const wanted = Object.entries(kinds).filter(([name, { short }]) =>
  chosen ? chosen.includes(name) : full || short !== undefined,
);

describe('rotations that are killed', () => {
  let sandbox: CliSandbox;
  let application: Application;
  let admin: RedisClient;
  const file = (...parts: string[]) => sandbox.path('redkeep', ...parts);
  const text = (name: string) => readFile(file(name), 'utf8').catch(() => '');
  const place = (key: string) => ({ space: 'notes', key });

  /** What a rotation changes, and what must not be left behind by one. */
  async function state({ files }: Kind): Promise<Record<string, string>> {
    const texts = await Promise.all(files.map(async (name) => [name, await text(name)] as const));
    return Object.fromEntries(texts);
  }

  /** No second password, no next CA, no leftover: what a rotation that has ended, either way, looks like. */
  async function settled(kind: Kind, moment: string): Promise<void> {
    assert.deepEqual(await readdir(file('secrets/rotation')).catch(() => []), [], moment);
    assert.deepEqual((await readdir(file('authority'))).sort(), ['ca.key'], moment);
    assert.equal((await text('keys/ring')).trim().split('\n').length, 1, moment);
    assert.equal((await text('pki/ca.crt')).match(/BEGIN CERTIFICATE/g)?.length, 1, moment);
    for (const journal of await Journal.list(file()))
      assert.notEqual(journal.outcome, 'running', `${journal.id} ${moment}`);
    for (const args of [
      ['acl', 'diff'],
      ['certs', 'check'],
      ['rotate', 'status'],
      ['apply', '--dry-run'],
    ]) {
      const { code, err, out } = await sandbox.run(args);
      assert.equal(code, 0, `${moment}: ${args.join(' ')}: ${err}${out}`);
    }
    for (const journal of await Journal.list(file(), kind.journal))
      assert.equal(await journal.kept('new-key'), undefined, `${journal.id} ${moment}`);
    await opens(moment);
    assert.deepEqual(application.failures.splice(0), [], moment);
  }

  async function opens(moment: string): Promise<void> {
    const encryption = new Encryption({ keys: keysFromFile(file('keys/ring')), environment: 'test' });
    const bytes = admin.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    for (let index = 0; index < 20; index += 1) {
      const sealed = (await bytes.get(`app:note:${index}`)) as unknown as Buffer;
      assert.equal(String(await encryption.open(sealed, place(`app:note:${index}`))), `note ${index}`, moment);
    }
    const wrapper = localWrapper(keysFromFile(file('keys/ring')), 'test');
    const store = redisKeyStore(admin);
    await new EnvelopeKeys({ wrapper, store }).current();
    const persons = new PersonKeys({
      encryption,
      wrapper,
      store,
      data: admin,
      pseudonymKey: Buffer.alloc(32, 1),
      dangerouslyKeepKeysWithData: true,
    });
    const sealed = (await bytes.get('app:person:ana')) as unknown as Buffer;
    assert.equal(String(await persons.sealer('ana').open(sealed, place('app:person:ana'))), 'her data', moment);
  }

  before(async () => {
    sandbox = await CliSandbox.create();
    const topology = full ? 'sentinel' : 'single';
    const args = ['--profile', 'production', '--topology', topology, '--port', String(await freePort())];
    const init = await sandbox.run(['init', '--yes', ...args, '--app', 'app=app:*']);
    assert.equal(init.code, 0, init.err);
    const up = await sandbox.run(['up', '--detach']);
    assert.equal(up.code, 0, up.err);
    await mkdir(file('keys'));
    const key = randomBytes(32).toString('base64');
    await writeFile(file('keys/ring'), `${key}\n`);
    const values = "values: [{ match: 'app:note:*', space: notes }]";
    await writeFile(
      file('encryption.yaml'),
      `environment: test\nkeyFile: keys/ring\nrate: 100000\n${values}\nwrapped: {}\n`,
    );
    admin = await (await openDeployment(sandbox)).connect('admin');
    const keys = keysFromValue([key]);
    const encryption = new Encryption({ keys, environment: 'test' });
    for (let index = 0; index < 20; index += 1)
      await admin.set(`app:note:${index}`, await encryption.seal(`note ${index}`, place(`app:note:${index}`)));
    const wrapper = localWrapper(keys, 'test');
    const store = redisKeyStore(admin);
    await new EnvelopeKeys({ wrapper, store }).rotate();
    const pseudonymKey = Buffer.alloc(32, 1);
    const persons = new PersonKeys({
      encryption,
      wrapper,
      store,
      data: admin,
      pseudonymKey,
      dangerouslyKeepKeysWithData: true,
    });
    await admin.set('app:person:ana', await persons.sealer('ana').seal('her data', place('app:person:ana')));
    application = await Application.start(sandbox, { callers: 10, pauseMs: 10 });
  });
  after(async () => {
    await application?.stop();
    if (admin?.isOpen) admin.destroy();
    await sandbox.remove();
  });

  for (const [name, kind] of wanted) {
    test(`${name}: ends in the same state when it is resumed`, async (t) => {
      const old = await state(kind);
      const args = ['rotate', ...kind.args, '--yes'];
      const { kills, last } = await killEverywhere(sandbox, args, args, {
        name: `${name}.on`,
        only: (full ? kind.long : kind.short) ?? '',
      });
      assert.equal(last.code, 0, `${kills.at(-1)}: ${last.err}`);
      assert.ok(kills.length > 0);
      t.diagnostic(`${kills.length} kills`);
      await settled(kind, `${kills.length} kills`);
      for (const [changed, was] of Object.entries(await state(kind)))
        if (was !== '' && !changed.includes('client-ca')) assert.notEqual(was, old[changed], changed);
      assert.equal(
        (await runRedkeep(sandbox, ['rotate', kind.args[0]!, '--resume'])).code,
        2,
        'nothing is left to resume',
      );
    });

    if (!full) continue;
    test(`${name}: is as before when it is taken back`, async (t) => {
      const list = sandbox.path('moments');
      const args = ['rotate', ...kind.args, '--yes'];
      let kills = 0;
      const seen = new Set<string>();
      for (;;) {
        const old = await state(kind);
        const run = await runRedkeep(sandbox, args, {
          REDKEEP_TEST_EFFECTS: list,
          REDKEEP_TEST_EFFECTS_OF: (full ? (kind.journal === 'rotate-all' ? kind.long : '^journal') : kind.short) ?? '',
        });
        if (run.signal !== 'SIGKILL') {
          assert.equal(run.code, 0, run.err);
          break;
        }
        const moment = (await readFile(list, 'utf8')).trim().split('\n').at(-1)!;
        assert.ok(!seen.has(moment), moment);
        seen.add(moment);
        const back = ['rotate', ...kind.args.filter((arg) => !names.includes(arg) && arg !== '--all'), '--abort'];
        const chain = await killEverywhere(sandbox, back, back, {
          only: full ? 'journal|rename' : '^$',
          name: `${name}.back`,
        });
        kills += 1 + chain.kills.length;
        const { outcome } = (await Journal.list(file(), kind.journal)).at(-1) ?? {};
        // 2 says that there is nothing to take back: it had not begun, or the abort had ended; or that it is too late for that.
        assert.ok([0, 2].includes(chain.last.code!), `${moment}: ${chain.last.err}`);
        if (outcome === 'running') assert.equal((await runRedkeep(sandbox, args)).code, 0, moment);
        if (outcome === 'undone' && kind.journal !== 'rotate-all') assert.deepEqual(await state(kind), old, moment);
        await settled(kind, moment);
      }
      await rm(list, { force: true });
      t.diagnostic(`${kills} kills`);
      await settled(kind, 'at the end');
    });
  }
});
