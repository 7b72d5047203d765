import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { CliSandbox } from '../../testing/run-cli.js';

async function tree(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  return new Map(await Promise.all(files.sort().map(async (file) => [file, await readFile(file, 'utf8')] as const)));
}

describe('redkeep init', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  afterEach(async () => {
    await sandbox.remove();
  });

  const init = (...args: string[]) => sandbox.run(['init', '--yes', ...args]);

  test('writes a deployment whose secrets are for the owner alone', async () => {
    assert.equal((await init()).code, 0);
    for (const file of ['secrets/admin.password', 'authority/ca.key', 'pki/node-1.key', 'nodes/node-1/users.acl']) {
      assert.equal((await stat(sandbox.path('redkeep', file))).mode & 0o777, 0o600, file);
    }
    const password = await readFile(sandbox.path('redkeep/secrets/app.password'), 'utf8');
    assert.equal(Buffer.from(password, 'base64url').length, 32);
  });

  test('puts hashes, never passwords, into what servers and people read', async () => {
    await init('--topology', 'single');
    const files = await tree(sandbox.path('redkeep'));
    const passwords = [...files].filter(([file]) => file.endsWith('.password'));
    assert.ok(passwords.length >= 5);
    for (const [secretFile, password] of passwords) {
      for (const [file, text] of files)
        assert.ok(file.includes('/secrets/') || !text.includes(password), `${secretFile} in ${file}`);
    }
  });

  test('issues a node certificate for every address, by the CA it wrote', async () => {
    await init('--tls-name', 'cache.example.org', '10.1.2.3');
    const read = async (file: string) => new X509Certificate(await readFile(sandbox.path('redkeep', file)));
    const ca = await read('pki/ca.crt');
    const node = await read('pki/node-1.crt');
    assert.ok(ca.ca && node.checkIssued(ca) && node.verify(ca.publicKey));
    assert.equal(node.checkHost('cache.example.org'), 'cache.example.org');
    assert.equal(node.checkIP('10.1.2.3'), '10.1.2.3');
    assert.deepEqual(node.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.deepEqual((await read('pki/clients/app.crt')).keyUsage, ['1.3.6.1.5.5.7.3.2']);
  });

  test('changes nothing when run again', async () => {
    await init();
    const first = await tree(sandbox.path('redkeep'));
    const again = await init();
    assert.equal(again.code, 0);
    assert.match(again.err, /nothing to change/);
    assert.deepEqual(await tree(sandbox.path('redkeep')), first);
  });

  test('changes an existing deployment when that is confirmed, and only what follows from the answer', async () => {
    await init();
    const first = await tree(sandbox.path('redkeep'));
    const refused = await sandbox.run(['init', '--memory', '512']);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /REDKEEP_CONSENT_NEEDED/);
    assert.deepEqual(await tree(sandbox.path('redkeep')), first);

    assert.equal((await init('--memory', '512')).code, 0);
    const second = await tree(sandbox.path('redkeep'));
    const changed = [...first].filter(([file, text]) => second.get(file) !== text).map(([file]) => file);
    const expected = ['DECISIONS.md', 'nodes/node-1/server.conf', 'redkeep.config.json', 'redkeep.deployment.json'];
    assert.deepEqual(
      changed,
      expected.map((file) => sandbox.path('redkeep', file)),
    );
    const backups = [...second].filter(([file]) => file.includes('/backups/'));
    assert.deepEqual(
      backups.map(([, text]) => text),
      expected.map((file) => first.get(sandbox.path('redkeep', file))),
    );
  });

  test('leaves a file edited by hand alone until an answer changes it, then asks for --force', async () => {
    await init();
    const file = sandbox.path('redkeep/nodes/node-1/server.conf');
    await writeFile(file, `${await readFile(file, 'utf8')}\n# mine\n`);
    assert.match((await init()).err, /nothing to change/);
    assert.match(await readFile(file, 'utf8'), /# mine/);
    const refused = await init('--memory', '512');
    assert.equal(refused.code, 2);
    assert.match(refused.err, /nodes\/node-1\/server\.conf.*REDKEEP_FILES_CHANGED/);
    assert.equal((await init('--memory', '512', '--force')).code, 0);
    assert.doesNotMatch(await readFile(file, 'utf8'), /# mine/);
  });

  test("refuses a folder with somebody else's files, and moves it aside with --force", async () => {
    await mkdir(sandbox.path('redkeep'));
    await writeFile(sandbox.path('redkeep/thesis.txt'), 'ten years');
    const refused = await init();
    assert.equal(refused.code, 2);
    assert.match(refused.err, /REDKEEP_FOLDER_NOT_EMPTY/);
    assert.deepEqual(await readdir(sandbox.path('redkeep')), ['thesis.txt']);

    assert.equal((await init('--force')).code, 0);
    const aside = (await readdir(sandbox.folder)).find((name) => name.startsWith('redkeep.backup-'));
    assert.equal(await readFile(sandbox.path(aside!, 'thesis.txt'), 'utf8'), 'ten years');
  });

  test('refuses to issue certificates under a clock that is wrong', async () => {
    const result = await sandbox.run(['init', '--yes'], { clock: { now: () => new Date('1970-01-02') } });
    assert.equal(result.code, 4);
    assert.match(result.err, /REDKEEP_CLOCK_WRONG/);
    assert.deepEqual(await readdir(sandbox.folder), []);
  });

  test('leaves nothing behind when interrupted', async () => {
    const result = await sandbox.run(['init', '--yes'], { signal: AbortSignal.abort() });
    assert.equal(result.code, 130);
    assert.deepEqual(await readdir(sandbox.folder), []);
  });

  test('asks a person for what no flag has answered, and again after a wrong answer', async () => {
    const replies = ['prodution', 'prod', 'sentinel', 'systemd', '10.0.0.1; reboot', '10.0.0.1, 10.0.0.2 10.0.0.3'];
    const { code, err, questions } = await sandbox.run(['init', '--engine', 'redis', '--engine-version', '7.2'], {
      replies: [...replies, '10.1.0.0/16', 'shop, we"b', 'shop web', '', 'shop:*, cart:*', 'session', ''],
    });
    assert.equal(code, 0, err);
    assert.match(err, /Choose one of development, staging, production, regulated\./);
    assert.match(err, /10\.0\.0\.1; reboot|10\.0\.0\.1;: a host name or an IP address/);
    assert.match(err, /we"b: letters, digits/);
    assert.ok(!questions.some((question) => question.startsWith('Engine')));
    const config = JSON.parse(await readFile(sandbox.path('redkeep/redkeep.config.json'), 'utf8'));
    assert.deepEqual(
      [config.profile, config.topology, config.target, config.hosts, config.sources],
      ['production', 'sentinel', 'systemd', ['10.0.0.1', '10.0.0.2', '10.0.0.3'], ['10.1.0.0/16']],
    );
    assert.deepEqual(
      config.applications.map(({ name, role, keys }: Record<string, unknown>) => [name, role, keys]),
      [
        ['shop', 'application', ['shop:*', 'cart:*']],
        ['web', 'session-store', ['web:*']],
      ],
    );
  });

  test('names every wrong answer', async () => {
    const result = await init('--port', '0', '--host', 'not a host', '--app', 'we ird');
    assert.equal(result.code, 2);
    assert.match(result.err, /hosts\.0: .*port: .*applications\.0\.name: /);
  });

  test('refuses combinations that cannot work', async () => {
    for (const args of [
      ['--engine', 'dragonfly', '--topology', 'sentinel'],
      ['--profile', 'development', '--host', '10.0.0.1'],
      ['--app', 'admin'],
    ]) {
      const result = await init(...args);
      assert.equal(result.code, 2, args.join(' '));
      assert.match(result.err, /REDKEEP_COMBINATION_IMPOSSIBLE/);
    }
  });

  test('shows a plan without writing and without secrets', async () => {
    const plan = await init('--dry-run');
    assert.equal(plan.code, 0);
    assert.match(plan.out, /\+ nodes\/node-1\/server\.conf\n {4}\+ # /);
    assert.doesNotMatch(plan.out, /[0-9a-f]{64}|PRIVATE KEY/);
    assert.deepEqual(await readdir(sandbox.folder), []);
  });
});
