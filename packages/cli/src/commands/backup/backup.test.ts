import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Engine, findEngines, type Server, startServer } from '@redkeep/testing';
import { Decrypter } from 'age-encryption';
import { recordsSchema } from '../../audit/gather/records.js';
import { ScratchServer } from '../../backup/restore/scratch-server.js';
import { CliSandbox } from '../../testing/run-cli.js';

const execute = promisify(execFile);

async function hasAge(): Promise<boolean> {
  return execute('age', ['--version']).then(
    () => true,
    () => false,
  );
}

/** A file opened without Redkeep: with the program age, or the library of age's author. */
async function openByHand(file: string, identityFile: string): Promise<Buffer> {
  if (await hasAge()) {
    const options = { encoding: 'buffer', maxBuffer: 1 << 30 } as const;
    return (await execute('age', ['--decrypt', '--identity', identityFile, file], options)).stdout;
  }
  const decrypter = new Decrypter();
  decrypter.addIdentity((await readFile(identityFile, 'utf8')).split('\n').find((line) => line.startsWith('AGE-'))!);
  return Buffer.from(await decrypter.decrypt(await readFile(file)));
}

async function filesBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

function program(engine: Engine) {
  const version = engine.version.split('.').slice(0, 2).join('.');
  return { path: engine.server, engine: { name: engine.kind, version }, fullVersion: engine.version };
}

describe('redkeep backup and restore', () => {
  let sandbox: CliSandbox;
  let server: Server;
  let recipient: string;
  let store: string[];
  const engine = findEngines()[0]!;

  before(async () => {
    sandbox = await CliSandbox.create();
    server = await startServer({ engine, password: 'secret', config: ['enable-debug-command local'] });
    await writeFile(sandbox.path('password'), 'secret\n', { mode: 0o600 });
    const made = await sandbox.run(['backup', 'key', 'new', 'identity.txt']);
    assert.equal(made.code, 0, made.err);
    recipient = made.out.trim();
    store = ['--store', 'store', '--state', 'state', '--source', 'shop'];
    for (let key = 0; key < 300; key++) await server.command('SET', `key:${key}`, `value ${key}`);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await sandbox?.remove();
  });

  const take = () => [
    ...['backup', 'run', ...store, '--from', server.url, '--password-file', 'password'],
    ...['--recipient', recipient],
  ];

  test('backs up, lists, verifies, proves and restores', async () => {
    const run = await sandbox.run(take());
    assert.equal(run.code, 0, run.err);
    const unproved = await sandbox.run(['backup', 'list', ...store]);
    assert.match(unproved.out, /unproved/);
    const verify = await sandbox.run(['backup', 'verify', ...store]);
    assert.equal(verify.code, 0, verify.err + verify.out);
    const prove = await sandbox.run([
      ...['backup', 'prove', ...store, '--identity', 'identity.txt', '--server', engine.server, '--json'],
    ]);
    assert.equal(prove.code, 0, prove.err);
    const proof = JSON.parse(prove.out);
    assert.equal(proof.shards[0].keys, 300);
    assert.equal(proof.shards[0].digest, String(await server.command('DEBUG', 'DIGEST')));
    const listed = JSON.parse((await sandbox.run(['backup', 'list', ...store, '--json'])).out);
    assert.equal(listed.histories[0].provedAt, proof.at);

    const records = recordsSchema.parse(JSON.parse((await sandbox.run(['backup', 'list', ...store, '--records'])).out));
    assert.equal(records.restoreTest, proof.at);
    assert.equal(records.backups?.[0]?.offHost, false);
    await sandbox.run(['backup', 'list', ...store, '--metrics', 'backup.prom']);
    const metrics = await readFile(sandbox.path('backup.prom'), 'utf8');
    assert.match(metrics, /^redkeep_backup_proved_timestamp_seconds\{source="shop"\} \d{10}/m);

    const restored = await sandbox.run(['restore', ...store, '--identity', 'identity.txt', '--out', 'restored']);
    assert.equal(restored.code, 0, restored.err);
    const scratch = await ScratchServer.start(program(engine), sandbox.path('restored'), AbortSignal.timeout(30_000));
    assert.equal(await scratch.client.get('key:299'), 'value 299');
    await scratch.stop();
    const again = await sandbox.run(['restore', ...store, '--identity', 'identity.txt', '--out', 'restored']);
    assert.match(again.err, /REDKEEP_FOLDER_NOT_EMPTY/);
  });

  test('is restored without Redkeep: age, gunzip and the server', async () => {
    const objects = await filesBelow(sandbox.path('store', 'data'));
    const base = objects.find((file) => /-base\.rdb(\.gz)?\.age$/.test(file))!;
    const opened = await openByHand(base, sandbox.path('identity.txt'));
    const folder = sandbox.path('by-hand');
    await mkdir(path.join(folder, 'appendonlydir'), { recursive: true });
    const rdb = base.endsWith('.gz.age') ? gunzipSync(opened) : opened;
    await writeFile(path.join(folder, 'appendonlydir', 'base.rdb'), rdb);
    await writeFile(path.join(folder, 'appendonlydir', 'appendonly.aof.manifest'), 'file base.rdb seq 1 type b\n');
    const scratch = await ScratchServer.start(program(engine), folder, AbortSignal.timeout(30_000));
    assert.equal(await scratch.client.get('key:7'), 'value 7');
    await scratch.stop();
  });

  test('restores to just before a command, from an archive', async () => {
    const stop = new AbortController();
    const archive = sandbox.run(
      [
        ...['backup', 'archive', ...store, '--from', server.url, '--password-file', 'password'],
        ...['--recipient', recipient, '--seal-seconds', '0.2'],
      ],
      {
        signal: stop.signal,
        onText: (text) => {
          if (!text.includes('base of')) return;
          void (async () => {
            await server.command('SET', 'order:1', 'paid');
            await server.command('DEL', 'key:1', 'key:2');
            await server.command('FLUSHALL');
            await server.command('SET', 'after', 'the flush');
            setTimeout(() => stop.abort(), 1500);
          })();
        },
      },
    );
    assert.equal((await archive).code, 0, (await archive).err);
    const restore = async (before: string, out: string) => {
      const flags = ['--identity', 'identity.txt', '--before', before, '--out', out];
      const result = await sandbox.run(['restore', ...store, ...flags]);
      assert.equal(result.code, 0, result.err);
      const scratch = await ScratchServer.start(program(engine), sandbox.path(out), AbortSignal.timeout(30_000));
      const values = [
        await scratch.client.get('order:1'),
        await scratch.client.get('key:1'),
        await scratch.client.get('after'),
      ];
      await scratch.stop();
      return values;
    };
    assert.deepEqual(await restore('FLUSHALL', 'before-flush'), ['paid', null, null]);
    assert.deepEqual(await restore('DEL key:*', 'before-del'), ['paid', 'value 1', null]);
    const none = await sandbox.run([
      'restore',
      ...store,
      '--identity',
      'identity.txt',
      '--before',
      'SWAPDB',
      '--out',
      'x',
    ]);
    assert.match(none.err, /REDKEEP_BACKUP_NOT_FOUND/);
  });

  test('an archive is restored without Redkeep, and the checker of the engine accepts its files', async () => {
    const files = await filesBelow(sandbox.path('store', 'data'));
    const segments = files.filter((file) => /\.aof(\.gz)?\.age$/.test(file));
    assert.ok(segments.length > 0);
    const folder = path.dirname(segments[0]!);
    const base = files.find((file) => path.dirname(file) === folder && /-base\.rdb/.test(file))!;
    const open = async (file: string) => {
      const opened = await openByHand(file, sandbox.path('identity.txt'));
      return file.endsWith('.gz.age') ? gunzipSync(opened) : opened;
    };
    const target = sandbox.path('archive-by-hand', 'appendonlydir');
    await mkdir(target, { recursive: true });
    await writeFile(path.join(target, 'base.rdb'), await open(base));
    await writeFile(path.join(target, 'incr.aof'), Buffer.concat(await Promise.all(segments.map(open))));
    const manifest = path.join(target, 'appendonly.aof.manifest');
    await writeFile(manifest, 'file base.rdb seq 1 type b\nfile incr.aof seq 1 type i\n');
    if (engine.checkAof) await execute(engine.checkAof, [manifest]);
    const scratch = await ScratchServer.start(program(engine), path.dirname(target), AbortSignal.timeout(30_000));
    assert.equal(await scratch.client.get('after'), 'the flush');
    assert.equal(Number(await scratch.client.dbSize()), 1);
    await scratch.stop();
  });

  test('says what is wrong in one line: key, writer, source, store', async () => {
    await sandbox.run(['backup', 'key', 'new', 'other.txt']);
    const wrongKey = await sandbox.run(['restore', ...store, '--identity', 'other.txt', '--out', 'never']);
    assert.equal(wrongKey.code, 2);
    assert.match(wrongKey.err, /REDKEEP_BACKUP_KEY_WRONG/);
    const elsewhere = ['--store', 'store', '--state', 'elsewhere', '--source', 'shop', '--identity', 'identity.txt'];
    const stranger = await sandbox.run(['restore', ...elsewhere, '--out', 'never']);
    assert.equal(stranger.code, 3);
    assert.match(stranger.err, /REDKEEP_BACKUP_WRITER_UNKNOWN/);
    const keys = /named: (.+)\.$/m.exec(stranger.err.replace(/ \[.*\]/, ''))![1]!.split(', ');
    const told = await sandbox.run(['restore', ...elsewhere, '--trust', ...keys, '--out', 'told']);
    assert.equal(told.code, 0, told.err);
    // Beside a writer that is believed, another one is passed over and cannot prevent the restore.
    const one = await sandbox.run(['restore', ...elsewhere, '--trust', keys[0]!, '--out', 'one']);
    assert.equal(one.code, 0, one.err);
    assert.match(one.err, /Passing over a writer/);
    const none = await sandbox.run(['backup', 'list', '--store', 'nowhere', '--state', 'state']);
    assert.match(none.err, /REDKEEP_BACKUP_NOT_FOUND/);
    const noSecret = [wrongKey, stranger, none].every(({ out, err }) => !/AGE-SECRET|secret\n/.test(out + err));
    assert.ok(noSecret);
  });
});
