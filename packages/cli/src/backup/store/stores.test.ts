import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '@redkeep/testing';
import S3rver from 's3rver';
import { CliError } from '../../errors.js';
import { openStore } from './open-store.js';
import { ObjectExists, ObjectMissing, readObject, type Store } from './store.js';

const execute = promisify(execFile);

/** The program that docs/backup.md shows for a command store. */
const script = `#!/bin/sh
set -eu
file="$STORE_FOLDER/\${2:-}"
case $1 in
  put) mkdir -p "$(dirname "$file")"; [ ! -e "$file" ] || exit 17; cat > "$file.part"; mv "$file.part" "$file" ;;
  get) [ -e "$file" ] || exit 2; cat "$file" ;;
  list) [ -d "$file" ] || exit 0; cd "$STORE_FOLDER"; find "$2" -type f -printf '%s %p\\n' ;;
  remove) rm -f "$file" ;;
esac
`;

describe('stores', () => {
  let folder: string;
  let s3: S3rver;
  const stores: { readonly name: string; readonly open: () => Promise<Store> }[] = [];
  const environment = { ...process.env };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'redkeep-stores-'));
    const program = path.join(folder, 'keep.sh');
    await writeFile(program, script);
    await chmod(program, 0o755);
    process.env['STORE_FOLDER'] = path.join(folder, 'by-command');
    const port = await freePort();
    s3 = new S3rver({
      ...{ port, address: '127.0.0.1', silent: true, directory: path.join(folder, 's3') },
      configureBuckets: [{ name: 'backups', configs: [] }],
    });
    await s3.run();
    Object.assign(process.env, {
      ...{ AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, AWS_REGION: 'us-east-1' },
      ...{ AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
    });
    const options = { cwd: folder, env: process.env };
    stores.push({ name: 'folder', open: () => openStore('in-folder', options) });
    stores.push({ name: 'command', open: () => openStore(`command:${program}`, options) });
    stores.push({ name: 's3', open: () => openStore('s3://backups/deep/prefix', options) });
    const rclone = await execute('rclone', ['version']).then(
      () => true,
      () => false,
    );
    if (rclone) stores.push({ name: 'rclone', open: () => openStore(`rclone:${folder}/by-rclone`, options) });
  });
  after(async () => {
    process.env = environment;
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('put once, get, list below a prefix and remove, all the same way', async () => {
    assert.ok(stores.length >= 3);
    for (const { name, open } of stores) {
      const store = await open();
      const large = randomBytes(20 * 1024 * 1024);
      const file = path.join(folder, 'large');
      await writeFile(file, large);
      assert.deepEqual(await store.list('entries/a/'), [], name);
      await store.put('entries/a/1.json', { data: Buffer.from('one') });
      await store.put('data/a/large.age', { file, bytes: large.length });
      await assert.rejects(store.put('entries/a/1.json', { data: Buffer.from('two') }), ObjectExists, name);
      assert.equal(String(await readObject(store, 'entries/a/1.json', 100)), 'one', name);
      assert.ok((await readObject(store, 'data/a/large.age', large.length))?.equals(large), name);
      assert.equal(await readObject(store, 'entries/a/1.json', 2), undefined, name);
      await assert.rejects(readObject(store, 'entries/a/2.json', 100), ObjectMissing, name);
      assert.deepEqual(await store.list('entries/a/'), [{ name: 'entries/a/1.json', bytes: 3 }], name);
      await store.remove('entries/a/1.json');
      assert.deepEqual(await store.list('entries/a/'), [], name);
    }
  });

  test('say what failed when they are away, and never that it worked', async () => {
    const options = { cwd: folder, env: process.env };
    const gone = await openStore('command:/nonexistent/program', options);
    await assert.rejects(gone.put('entries/a/1.json', { data: Buffer.from('x') }), CliError);
    await assert.rejects(gone.list('entries/'), CliError);
    await assert.rejects(openStore('ftp://somewhere', options), /no store of the kind/);
    const bucket = await openStore('s3://no-such-bucket/x', options);
    await assert.rejects(bucket.put('entries/a/1.json', { data: Buffer.from('x') }), CliError);
  });

  test('refuse a bucket whose lock does not hold', async () => {
    // s3rver takes the lock's headers and does nothing with them, as a bucket without object lock may.
    const options = { cwd: folder, env: process.env, lockDays: 1 };
    await assert.rejects(
      openStore('s3://backups/locked', options),
      /not proven that s3:\/\/backups\/locked locks objects: the bucket keeps no versions/,
    );
  });
});
