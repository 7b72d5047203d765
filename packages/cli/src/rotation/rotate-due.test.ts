/** `redkeep rotate all --due`: what schedules run, as `init` renders it for every target. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import { CronJob } from 'kubernetes-models/batch/v1';
import { parse } from 'yaml';
import { Journal } from '../apply/journal.js';
import { createAuthority, issueCertificate } from '../pki/authority.js';
import { killRedkeep } from '../testing/killed-redkeep.js';
import { openDeployment } from '../testing/open-deployment.js';
import { renderAnswers } from '../testing/render-answers.js';
import { CliSandbox } from '../testing/run-cli.js';
import { targetNames } from '../vocabulary/names.js';

const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs);
const rotateDue = /^redkeep rotate all --due --yes /;

describe('the schedule of rotations', () => {
  for (const target of targetNames) {
    test(`${target}: a timer, a line for cron and a CronJob rotate what is due, not all at one moment`, async () => {
      const moments = new Set<string>();
      for (const port of [7001, 7002, 7003, 7004]) {
        const files = await renderAnswers({ target, profile: 'production', port });
        const text = (name: string) => files.find(({ path }) => path === `rotation/${name}`)?.content ?? '';
        assert.match(/^ExecStart=\/usr\/bin\/env (.*)$/m.exec(text('redkeep-rotate.service'))![1]!, rotateDue);
        assert.match(text('redkeep-rotate.timer'), /^RandomizedDelaySec=12h$/m);
        assert.match(text('redkeep-rotate.timer'), /^Persistent=true$/m);
        const [, moment, command] = /^(\d+ \d+ \* \* \d) (redkeep .*)$/m.exec(text('redkeep-rotate.cron'))!;
        assert.match(command!, rotateDue);
        moments.add(moment!);
        if (target !== 'kubernetes') continue;
        const job = parse(text('rotate-cronjob.yaml'));
        new CronJob(job).validate();
        assert.equal(job.spec.schedule, moment);
        assert.equal(job.spec.concurrencyPolicy, 'Forbid');
        assert.match(job.spec.jobTemplate.spec.template.spec.containers[0].command.join(' '), rotateDue);
      }
      assert.equal(moments.size, 4);
    });
  }
});

describe('redkeep rotate all --due', () => {
  let sandbox: CliSandbox;
  let scheduled: readonly string[];
  const file = (...parts: string[]) => sandbox.path('redkeep', ...parts);
  const text = (name: string) => readFile(file(name), 'utf8');
  const secrets = ['secrets/admin.password', 'secrets/app.password', 'pki/ca.crt', 'pki/clients/app.crt', 'keys/ring'];
  const texts = async () => new Map(await Promise.all(secrets.map(async (name) => [name, await text(name)] as const)));
  const run = async (...words: string[]) => {
    const result = await sandbox.run(words);
    assert.equal(result.code, 0, `${words.join(' ')}: ${result.err}`);
    return result;
  };
  /** The words of the timer's service, without the times that applications are given. */
  const rotate = (...words: string[]) => run(...scheduled, '--grace', '0', '--watch', '0', ...words);
  const changed = async (before: ReadonlyMap<string, string>) =>
    [...(await texts())].filter(([name, content]) => before.get(name) !== content).map(([name]) => name);
  const makeDue = {
    password: () => writeFile(file('records.json'), JSON.stringify({ rotations: { app: ago(100).toISOString() } })),
    keys: () => utimes(file('keys/ring'), ago(400), ago(400)),
    certificate: async () => {
      const { certificates } = (await openDeployment(sandbox)).deployment;
      const spec = certificates.find(({ certFile }) => certFile === 'pki/clients/app.crt')!;
      const authority = { cert: await text('pki/ca.crt'), key: await text('authority/ca.key') };
      const { cert, key } = await issueCertificate(authority, spec, { now: ago(70) });
      await writeFile(file(spec.keyFile), key);
      await writeFile(file(spec.certFile), cert);
    },
  };

  before(async () => {
    sandbox = await CliSandbox.create();
    const args = ['--yes', '--profile', 'production', '--port', String(await freePort()), '--app', 'app=app:*'];
    const { cert, key } = await createAuthority({
      commonName: 'four of five years old',
      days: 1825,
      now: ago(4 * 365),
    });
    await run('init', ...args);
    await rm(file('pki'), { recursive: true });
    await mkdir(file('pki'));
    await writeFile(file('pki/ca.crt'), cert);
    await writeFile(file('authority/ca.key'), key);
    // Issues everything again with the CA that it finds.
    await run('init', ...args);
    await run('up', '--detach');
    await mkdir(file('keys'));
    await writeFile(file('keys/ring'), `${randomBytes(32).toString('base64')}\n`);
    const lines = ['environment: test', 'keyFile: keys/ring', "values: [{ match: 'app:*', space: notes }]"];
    await writeFile(file('encryption.yaml'), lines.join('\n'));
    scheduled = /ExecStart=\/usr\/bin\/env redkeep (.*) --dir/
      .exec(await text('rotation/redkeep-rotate.service'))![1]!
      .split(' ');
  });
  after(() => sandbox.remove());

  test('rotates one of each kind that is due, ended by SIGKILL in between, and nothing else', async () => {
    await makeDue.password();
    await makeDue.keys();
    const before = await texts();
    const planned = await rotate('--dry-run');
    assert.match(planned.out, /Would rotate: app\.\n/);
    assert.deepEqual(await changed(before), []);
    await killRedkeep(sandbox, [...scheduled, '--grace', '0', '--watch', '0'], 'passwords:done');
    // Without --due: what goes on is what had begun.
    const { out, err } = await run('rotate', 'all', '--yes', '--grace', '0', '--watch', '0');
    assert.match(out + err, /Rotated: passwords, the CA and its certificates, encryption keys\./);
    assert.deepEqual(
      await changed(before),
      secrets.filter((name) => !name.includes('admin')),
    );
    await run('rotate', 'status');
  });

  test('issues a certificate that is due without a new CA', async () => {
    await makeDue.certificate();
    const before = await texts();
    const { out, err } = await rotate();
    assert.match(out + err, /Rotated: certificates\./);
    assert.deepEqual(await changed(before), ['pki/clients/app.crt']);
    await run('certs', 'check');
  });

  test('begins nothing when nothing is due, and is refused beside --emergency', async () => {
    const before = await Journal.list(file());
    assert.match((await rotate()).err, /Nothing is due/);
    assert.equal((await Journal.list(file())).length, before.length);
    const refused = await sandbox.run([...scheduled, '--emergency']);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /--due and --emergency/);
  });
});
