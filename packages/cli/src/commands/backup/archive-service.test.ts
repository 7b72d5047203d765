import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, waitFor } from '@redkeep/testing';
import type { RedisClient } from 'redkeep';
import { parse } from 'yaml';
import { archiveFiles } from '../../deployment/render/archive-service.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

const execute = promisify(execFile);

describe('the archive as a service', () => {
  let sandbox: CliSandbox;
  let admin: RedisClient;
  let recipient: string;

  before(async () => {
    sandbox = await CliSandbox.create();
    const init = await sandbox.run(['init', '--yes', '--port', String(await freePort())]);
    assert.equal(init.code, 0, init.err);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    recipient = (await sandbox.run(['backup', 'key', 'new', 'identity.txt'])).out.trim();
    admin = await (await openDeployment(sandbox)).connect('admin');
    // A server waits for more replicas before it sends a snapshot; here there are none.
    await admin.configSet('repl-diskless-sync-delay', '0');
    await admin.set('key', 'value');
  });
  after(async () => {
    admin?.destroy();
    await sandbox.remove();
  });

  test('needs the files that its units and manifests give it, and no other secret', async () => {
    const { deployment } = await openDeployment(sandbox);
    const files = archiveFiles(deployment);
    for (const file of files) {
      await mkdir(path.dirname(sandbox.path('elsewhere', file)), { recursive: true });
      await cp(sandbox.path('redkeep', file), sandbox.path('elsewhere', file));
    }
    await mkdir(sandbox.path('elsewhere/backup'));
    const config = { store: 'store', recipients: [recipient] };
    await writeFile(sandbox.path('elsewhere/backup/backup.json'), JSON.stringify(config));
    const stop = new AbortController();
    const archived = await sandbox.run(['backup', 'archive', '--dir', 'elsewhere', '--seal-seconds', '0.2'], {
      signal: stop.signal,
      onText: (text) => {
        if (text.includes('base of')) {
          void admin.set('later', '1').then(() => setTimeout(() => stop.abort(), 1500));
        }
      },
    });
    assert.equal(archived.code, 0, archived.err);
    const restored = await sandbox.run([
      ...['backup', 'prove', '--dir', 'elsewhere', '--identity', 'identity.txt', '--json'],
    ]);
    assert.equal(restored.code, 0, restored.err);
    assert.equal(JSON.parse(restored.out).shards[0].keys, 2);
    for (const secret of ['admin', 'app', 'replication'])
      assert.ok(!files.some((file) => file.includes(`/${secret}.`)));
    // What it wrote is not in git.
    assert.match(await readFile(sandbox.path('redkeep/.gitignore'), 'utf8'), /^\/backup\/state\/$/m);
  });

  test('is proved against the running server, which list, metrics, audit and evidence then say', async () => {
    const config = { store: 'store', recipients: [recipient] };
    await mkdir(sandbox.path('redkeep/backup'), { recursive: true });
    await writeFile(sandbox.path('redkeep/backup/backup.json'), JSON.stringify(config));
    await admin.sendCommand([
      'ZADD',
      'scores',
      ...Array.from({ length: 300 }, (_, index) => [`${index}`, `m${index}`]).flat(),
    ]);
    const live = ['backup', 'prove', '--identity', 'identity.txt', '--live', '50', '--json'];
    const stop = new AbortController();
    let proving: ReturnType<CliSandbox['run']> | undefined;
    const archived = sandbox.run(['backup', 'archive', '--seal-seconds', '0.2'], {
      signal: stop.signal,
      onText: (text) => {
        if (!text.includes('base of')) return;
        const isThere = async () => (await sandbox.run(['backup', 'list'])).code === 0;
        proving = waitFor(isThere, { message: 'the base in the store' })
          .then(() => sandbox.run(live))
          .finally(() => stop.abort());
      },
    });
    assert.equal((await archived).code, 0, (await archived).err);
    const proved = await proving!;
    assert.equal(proved.code, 0, proved.err);
    const proof = JSON.parse(proved.out);
    assert.ok(proof.shards[0].live.compared >= 1);
    const listed = JSON.parse((await sandbox.run(['backup', 'list', '--json'])).out);
    assert.equal(listed.histories.at(-1).provedAt, proof.at);
    assert.equal(listed.histories.at(-1).provedLive, true);
    const audited = await sandbox.run([
      ...['audit', '--profile', 'production', '--evidence', 'evidence', '--evidence-key', 'evidence.pem', '--json'],
    ]);
    const { checks } = JSON.parse(audited.out) as { checks: { id: string }[] };
    assert.match(JSON.stringify(checks.find(({ id }) => id === 'BKP-005')), new RegExp(proof.at));
    const bundle = await readdir(sandbox.path('evidence'), { recursive: true });
    const texts = await Promise.all(
      bundle.filter((name) => name.endsWith('.json')).map((name) => readFile(sandbox.path('evidence', name), 'utf8')),
    );
    assert.ok(texts.some((text) => text.includes(proof.at)));
  });

  test('logs in with three commands, which the server itself says', async () => {
    const rules = String(await admin.sendCommand(['ACL', 'LIST']));
    const line = /user backup [^,]*/.exec(rules)?.[0] ?? '';
    assert.match(line, /-@all/);
    assert.deepEqual(new Set(line.match(/\+\S+/g)), new Set(['+ping', '+psync', '+replconf']));
  });

  test('is written for every target', async () => {
    for (const target of ['systemd', 'compose', 'kubernetes']) {
      const init = await sandbox.run(['init', '--yes', '--target', target, '--dir', target, '--profile', 'production']);
      assert.equal(init.code, 0, init.err);
      const read = (file: string) => readFile(sandbox.path(target, 'backup', file), 'utf8');
      assert.match(await read('redkeep-archive.service'), /ExecStart=\/usr\/bin\/env redkeep backup archive --dir/);
      if (target === 'compose') {
        const { services } = parse(await read('compose.archive.yaml'));
        assert.equal(services.archive.read_only, true);
        assert.ok(
          services.archive.volumes.some(({ source }: { source: string }) => source === './secrets/backup.password'),
        );
      }
      if (target === 'kubernetes') {
        const { spec } = parse(await read('archive.yaml'));
        assert.equal(spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem, true);
      }
    }
    const units = ['redkeep-archive.service', 'redkeep-prove.service', 'redkeep-prove.timer'];
    const paths = units.map((unit) => sandbox.path('systemd/backup', unit));
    const verified = await execute('systemd-analyze', ['verify', ...paths]).catch((error) => error);
    if (verified.code !== 'ENOENT') assert.doesNotMatch(String(verified.stderr), /redkeep-(archive|prove)\.\w+:\d+/);
  });
});
