import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { replaceFile, replaceFiles } from './replace-file.js';

const real = { open: fs.promises.open, rename: fs.promises.rename };

/** Notes what reaches the disk and, like a crash, lets nothing happen from the step with the number `crashAt` on. */
async function steps(work: () => Promise<void>, crashAt = Number.POSITIVE_INFINITY): Promise<string[]> {
  const done: string[] = [];
  const handles: fs.promises.FileHandle[] = [];
  let crash = () => {};
  const crashed = new Promise<void>((resolve) => {
    crash = resolve;
  });
  const step = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    if (done.length < crashAt) {
      done.push(name);
      return act();
    }
    crash();
    return new Promise(() => {});
  };
  fs.promises.open = async (file, ...rest) => {
    const at = path.basename(String(file)).replace(/\.[0-9a-f]{12}\.new$/, ' beside it');
    const handle = await step(`open ${at}`, () => real.open(file, ...rest));
    handles.push(handle);
    for (const name of ['writeFile', 'chmod', 'sync'] as const) {
      const method = handle[name] as (...given: unknown[]) => Promise<void>;
      Object.assign(handle, {
        [name]: (...given: unknown[]) => step(`${name} ${at}`, () => method.apply(handle, given)),
      });
    }
    return handle;
  };
  fs.promises.rename = (from, to) => step(`rename ${path.basename(String(to))}`, () => real.rename(from, to));
  syncBuiltinESMExports();
  try {
    await Promise.race([work(), crashed]);
    return done;
  } finally {
    Object.assign(fs.promises, real);
    syncBuiltinESMExports();
    for (const handle of handles) await handle.close().catch(() => undefined);
  }
}

describe('replaceFile', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'redkeep-replace-'));
    file = path.join(folder, 'secret');
    await writeFile(file, 'old', { mode: 0o640 });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('flushes the content before the rename, and the folder after it', async () => {
    assert.deepEqual(await steps(() => replaceFile(file, 'new')), [
      'open secret beside it',
      'writeFile secret beside it',
      'chmod secret beside it',
      'sync secret beside it',
      'rename secret',
      `open ${path.basename(folder)}`,
      `sync ${path.basename(folder)}`,
    ]);
    assert.equal(await readFile(file, 'utf8'), 'new');
    assert.deepEqual(await readdir(folder), ['secret']);
  });

  test('a crash at any step leaves the old content or the new one, whole', async () => {
    const all = await steps(() => replaceFile(file, 'new'));
    for (const crashAt of all.keys()) {
      await writeFile(file, 'old');
      const done = await steps(() => replaceFile(file, 'new'), crashAt);
      assert.equal(await readFile(file, 'utf8'), done.includes('rename secret') ? 'new' : 'old', `step ${crashAt}`);
      // Another run does not need what the crash left.
      await replaceFile(file, 'newer');
      assert.equal(await readFile(file, 'utf8'), 'newer');
    }
  });

  test('no file of a pair is renamed before both are on disk', async () => {
    const other = path.join(folder, 'certificate');
    const done = await steps(() =>
      replaceFiles([
        { file, content: 'key' },
        { file: other, content: 'certificate', mode: 0o644 },
      ]),
    );
    const flushed = done.lastIndexOf('sync certificate beside it');
    assert.ok(done.indexOf('sync secret beside it') < flushed && flushed < done.indexOf('rename secret'));
    assert.ok(done.includes('rename certificate'));
  });

  test('gives the mode that was asked for, whatever the umask and the file before', async () => {
    const umask = process.umask(0o077);
    try {
      await replaceFile(file, 'new');
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      await replaceFile(file, 'new', { mode: 0o644 });
      assert.equal((await stat(file)).mode & 0o777, 0o644);
      const nested = path.join(folder, 'made', 'too');
      await replaceFile(nested, 'new');
      assert.equal((await stat(path.dirname(nested))).mode & 0o777, 0o700);
    } finally {
      process.umask(umask);
    }
  });

  test('a write that fails leaves the old file and nothing beside it', async () => {
    await assert.rejects(replaceFile(path.join(file, 'below'), 'new'), { code: 'REDKEEP_FILE_SYSTEM' });
    await assert.rejects(
      replaceFiles([
        { file, content: 'new' },
        { file: folder, content: 'not a file' },
      ]),
    );
    assert.deepEqual((await readdir(folder)).sort(), ['secret']);
  });
});
