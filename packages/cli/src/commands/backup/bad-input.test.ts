import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import fs, { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findEngines, freePort, type Server, startServer, waitFor } from '@redkeep/testing';
import { type Entry, entrySchema } from '../../backup/format/entry.js';
import { publicKeyText, readSigned, sha256Of, signLine } from '../../backup/format/signed.js';
import { loadEntries } from '../../backup/restore/load-entries.js';
import { ArchiveHarness } from '../../backup/testing/archive-harness.js';
import { archivedUpTo, offsetOf, restored } from '../../backup/testing/trials.js';
import { ExitCode } from '../../exit-codes.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

const engines = findEngines();
const newer = engines.find(({ name }) => name === 'redis-8.0');
const older = engines.find(({ name }) => name === 'redis-7.0');
const engine = newer ?? engines[0]!;

/** All files below a folder with their content. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.sort().map(async (file) => [file, sha256Of(await readFile(file))] as const)));
}

/** What a reader keeps stays in the sandbox. */
const state = ['--state', 'reader'] as const;

async function flipByte(file: string): Promise<void> {
  const content = await readFile(file);
  content[content.length >> 1]! ^= 1;
  await writeFile(file, content);
}

/** Until it is disposed of, the disk has no room for more than the first byte of a file whose path begins so. */
function fullDisk(beginning: string): Disposable {
  const open = fs.open;
  const replaced = mock.method(fs, 'open', async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    if (String(args[0]).startsWith(beginning))
      handle.writeFile = async () => {
        await handle.write('x');
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
      };
    return handle;
  });
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]() {
      replaced.mock.restore();
      syncBuiltinESMExports();
    },
  };
}

describe('a backup that is not as it was', () => {
  let harness: ArchiveHarness;
  let sandbox: CliSandbox;
  let server: Server;
  /** The store as it was written. */
  let original: string;
  let trusted: string;

  before(async () => {
    sandbox = await CliSandbox.create();
    harness = await ArchiveHarness.create();
    server = await startServer({ engine });
    const running = harness.start(harness.options(harness.source({ s1: [server] }), { sealMs: 50 }));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    for (let segment = 0; segment < 4; segment++) {
      await server.command('SET', `key:${segment}`, 'x'.repeat(100));
      await archivedUpTo(harness, await offsetOf(server));
    }
    await running.stop();
    original = harness.storeFolder;
    const key = await readFile(harness.path('state', 'archive', 'signer.key'), 'utf8');
    trusted = publicKeyText(createPrivateKey(key));
    await sandbox.run(['backup', 'key', 'new', 'other.txt']);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await harness?.remove();
    await sandbox?.remove();
  });

  interface Damaged {
    readonly store: string;
    readonly base: string;
    readonly segments: readonly string[];
    readonly entries: readonly string[];
  }

  let copies = 0;
  async function copy(): Promise<Damaged> {
    const store = sandbox.path(`store-${copies++}`);
    await cp(original, store, { recursive: true });
    const files = [...(await contentOf(store)).keys()];
    return {
      store,
      base: files.find((file) => file.includes('-base.rdb'))!,
      segments: files.filter((file) => file.includes('.aof')),
      entries: files.filter((file) => file.endsWith('.json')),
    };
  }

  /** A restore ends with one line that says why, a code, no folder, and a store that is as it was. */
  async function refused(store: string, code: string, exitCode: ExitCode, more: readonly string[] = []) {
    const there = path.isAbsolute(store) ? await contentOf(store) : undefined;
    const out = `out-${copies++}`;
    const identity = more.includes('--identity') ? [] : ['--identity', harness.identityFile];
    const flags = ['--store', store, '--source', 'test', '--trust', trusted, ...state, ...identity, ...more];
    const result = await sandbox.run(['restore', ...flags, '--out', out]);
    assert.equal(result.code, exitCode, result.err);
    const errors = result.err.split('\n').filter((line) => line.includes('error:'));
    assert.equal(errors.length, 1, result.err);
    assert.match(errors[0]!, new RegExp(`\\[${code}\\]`));
    assert.match(result.err, /^ +next: \S/m);
    assert.ok(!result.err.includes('AGE-SECRET-KEY'));
    const left = await readdir(sandbox.folder);
    assert.deepEqual(
      left.filter((name) => name.startsWith(out)),
      [],
    );
    if (there) assert.deepEqual(await contentOf(store), there);
  }

  const cases: readonly (readonly [string, (at: Damaged) => Promise<void>, string, ExitCode])[] = [
    ['a missing segment', ({ segments }) => rm(segments[1]!), 'REDKEEP_BACKUP_DAMAGED', ExitCode.Findings],
    [
      'two swapped segments',
      async ({ segments: [first, second] }) => {
        await rename(first!, `${first}.swap`);
        await rename(second!, first!);
        await rename(`${first}.swap`, second!);
      },
      'REDKEEP_BACKUP_DAMAGED',
      ExitCode.Findings,
    ],
    [
      'a flipped byte in a segment',
      ({ segments }) => flipByte(segments[2]!),
      'REDKEEP_BACKUP_DAMAGED',
      ExitCode.Findings,
    ],
    ['a flipped byte in the base', ({ base }) => flipByte(base), 'REDKEEP_BACKUP_DAMAGED', ExitCode.Findings],
    ['a half-written base', ({ base }) => truncate(base, 100), 'REDKEEP_BACKUP_DAMAGED', ExitCode.Findings],
    ['an empty segment', ({ segments }) => truncate(segments[0]!, 0), 'REDKEEP_BACKUP_DAMAGED', ExitCode.Findings],
    ['a missing entry', ({ entries }) => rm(entries[2]!), 'REDKEEP_BACKUP_NOT_FOUND', ExitCode.Usage],
    ['a flipped byte in an entry', ({ entries }) => flipByte(entries[2]!), 'REDKEEP_BACKUP_NOT_FOUND', ExitCode.Usage],
  ];
  for (const [what, damage, code, exitCode] of cases) {
    test(`with ${what} is refused, and verify finds it`, async () => {
      const at = await copy();
      await damage(at);
      await refused(at.store, code, exitCode);
      const verify = await sandbox.run(['backup', 'verify', '--store', at.store, '--trust', trusted, ...state]);
      assert.equal(verify.code, ExitCode.Findings, verify.out);
    });
  }

  test('is refused with another key, from a store that is away, and over the folder of a server', async () => {
    await refused(original, 'REDKEEP_BACKUP_KEY_WRONG', ExitCode.Usage, ['--identity', 'other.txt']);
    await refused('command:/nonexistent/program', 'REDKEEP_BACKUP_STORE_FAILED', ExitCode.Environment);
    await server.command('SAVE');
    const there = await contentOf(server.dir);
    const flags = [
      '--store',
      original,
      '--source',
      'test',
      '--trust',
      trusted,
      ...state,
      '--identity',
      harness.identityFile,
    ];
    const over = await sandbox.run(['restore', ...flags, '--out', server.dir]);
    assert.match(over.err, /REDKEEP_FOLDER_NOT_EMPTY/);
    assert.deepEqual(await contentOf(server.dir), there);
  });

  test('is refused by an older server, before anything is touched', async () => {
    if (!newer || !older) return;
    const prove = ['backup', 'prove', '--store', original, '--source', 'test', '--trust', trusted, ...state];
    const proved = await sandbox.run([...prove, '--identity', harness.identityFile, '--server', older.server]);
    assert.equal(proved.code, ExitCode.Environment, proved.err);
    assert.match(proved.err, /version/);
    assert.match(proved.err, /\[REDKEEP_BACKUP_INCOMPATIBLE\]/);
  });

  test('is refused by a running deployment of an older server, before anything in it is touched', async () => {
    if (!newer || !older) return;
    const made = ['--yes', '--port', String(await freePort()), '--server', older.server];
    assert.equal((await sandbox.run(['init', ...made])).code, ExitCode.Ok);
    const up = await sandbox.run(['up', '--detach', '--server', older.server]);
    assert.equal(up.code, ExitCode.Ok, up.err);
    const admin = await (await openDeployment(sandbox)).connect('admin');
    await admin.set('key', 'as it is');
    const look = async () => [
      /^# Server[\s\S]*?redis_version:(\S+)/.exec(String(await admin.sendCommand(['INFO', 'server'])))![1],
      await admin.get('key'),
      await admin.sendCommand(['KEYS', '*']),
      await admin.sendCommand(['ACL', 'LIST']),
    ];
    const before = await look();
    assert.match(String(before[0]), /^7\.0\./);
    const flags = ['--store', original, '--source', 'test', '--trust', trusted, ...state];
    for (const more of [[], ['--keys', 'key:*']]) {
      const into = [
        '--identity',
        harness.identityFile,
        '--server',
        newer.server,
        '--into',
        'redkeep',
        '--yes',
        ...more,
      ];
      const result = await sandbox.run(['restore', ...flags, ...into]);
      assert.equal(result.code, ExitCode.Environment, result.err);
      assert.match(result.err, /\[REDKEEP_BACKUP_INCOMPATIBLE\]/);
      assert.match(result.err, /Nothing was touched/);
      assert.deepEqual(await look(), before);
    }
    // There is nothing to be taken back.
    const undo = ['restore', 'undo', ...flags, '--identity', harness.identityFile, '--into', 'redkeep', '--yes'];
    assert.match((await sandbox.run(undo)).err, /\[REDKEEP_BACKUP_NOT_FOUND\]/);
    admin.destroy();
  });

  // A disk that is full is a small one of our own, where a mount is allowed.
  const canMount = spawnSync('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0;
  if (canMount) {
    test('leaves nothing on a disk that has no room for it, whichever file that is', () => {
      const script = `
        for pages in 1 2 3; do
          mount -t tmpfs -o size=$((pages * 4))k tmpfs /mnt
          "$@" && exit 10; test $? = ${ExitCode.Environment} || exit 11
          test -z "$(ls -A /mnt)" || exit 12
          umount /mnt
        done
        mount -t tmpfs -o size=1m tmpfs /mnt && "$@" && test -e /mnt/out/appendonlydir/appendonly.aof.manifest`;
      const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));
      const flags = ['--store', original, '--source', 'test', '--trust', trusted, ...state];
      const restore = ['restore', ...flags, '--identity', harness.identityFile, '--out', '/mnt/out'];
      const { status, stderr } = spawnSync(
        'unshare',
        ['--mount', 'sh', '-c', script, 'sh', process.execPath, program, ...restore],
        { cwd: sandbox.folder, encoding: 'utf8' },
      );
      assert.equal(status, 0, `exit ${status}: ${stderr}`);
      assert.equal(stderr.match(/REDKEEP_DISK_FULL/g)?.length, 3, stderr);
    });
  }

  test('is noticed by a reader that has read more of it, or another chain', async () => {
    const { store, entries } = await copy();
    const verify = () => sandbox.run(['backup', 'verify', '--store', store, '--trust', trusted, '--json', ...state]);
    assert.equal((await verify()).code, ExitCode.Ok);
    // Nothing behind the newest entry vouches for it.
    const last = entries.at(-1)!;
    const content = await readFile(last);
    await rm(last);
    const back = await verify();
    assert.equal(back.code, ExitCode.Findings);
    assert.match(back.out, /the store was set back/);
    await writeFile(last, content);
    assert.equal((await verify()).code, ExitCode.Ok);
  });

  /** What somebody with the writer's key and the right to add objects can write. */
  async function forge(store: string, change: (last: Entry) => Entry['body'], data?: Buffer): Promise<void> {
    const { entries, writers } = await loadEntries(harness.store, {});
    const last = entries.at(-1)!;
    const body = change(last);
    const entry: Entry = { ...last, seq: last.seq + 1, previous: writers[0]!.hash, body };
    const key = createPrivateKey(await readFile(harness.path('state', 'archive', 'signer.key'), 'utf8'));
    const folder = path.join(store, 'entries', 'test', last.writer);
    await writeFile(
      path.join(folder, `${String(entry.seq).padStart(10, '0')}.json`),
      signLine(JSON.stringify(entry), key),
    );
    if (data && 'object' in body) {
      await mkdir(path.dirname(path.join(store, body.object.name)), { recursive: true });
      await writeFile(path.join(store, body.object.name), data);
    }
  }

  test('keeps its past from a thief of the key: what is added in the past of the chain is not used', async () => {
    const { store, entries } = await copy();
    const read = async (file: string) => entrySchema.parse(JSON.parse(readSigned(await readFile(file))!.line)).body;
    const base = await read(entries.find((file) => file.endsWith('0001.json'))!);
    const second = await read(entries[2]!);
    assert.ok(base.kind === 'base' && second.kind === 'segment');
    const forged = [
      // A segment over one that is there, a base of long ago, and a stream that goes on long ago.
      second,
      { ...base, history: 2, second: base.second - 86_400 },
      { ...second, history: 2, lastSecond: second.lastSecond - 86_400 },
    ];
    for (const body of forged) {
      await forge(store, () => body);
      const verify = await sandbox.run(['backup', 'verify', '--store', store, '--trust', trusted, ...state]);
      assert.equal(verify.code, ExitCode.Findings);
      assert.match(verify.out, /it lies before|it is dated/);
      const { entries: used } = await loadEntries(
        new (await import('../../backup/store/folder-store.js')).FolderStore(store),
        {},
      );
      assert.deepEqual(used, (await loadEntries(harness.store, {})).entries);
    }
  });

  test('is read although somebody has put rubbish beside it', async () => {
    const { store } = await copy();
    const folder = path.join(store, 'entries', 'test', '0123456789abcdef');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, '0000000001.json'), Buffer.alloc(2_000_000, 'x'));
    await writeFile(path.join(folder, '\u001b[2J'), 'x');
    for (const where of ['proofs', 'expired']) {
      await mkdir(path.join(store, where, 'test'), { recursive: true });
      await writeFile(path.join(store, where, 'test', 'x.json'), Buffer.alloc(2_000_000, '{'));
      const key = createPrivateKey(await readFile(harness.path('state', 'archive', 'signer.key'), 'utf8'));
      await writeFile(path.join(store, where, 'test', 'y.json'), signLine('not JSON', key));
    }
    const flags = ['--store', store, '--source', 'test', '--trust', trusted, ...state];
    const listed = await sandbox.run(['backup', 'list', ...flags]);
    assert.equal(listed.code, ExitCode.Ok, listed.err);
    assert.ok(!(listed.err + listed.out).includes('\u001b[2J'));
    const back = await sandbox.run(['restore', ...flags, '--identity', harness.identityFile, '--out', 'beside']);
    assert.equal(back.code, ExitCode.Ok, back.err);
  });
});

describe('an archive', () => {
  test('goes on without a gap when its disk was full, whichever file there was no room for', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine, config: ['enable-debug-command local'] });
    const options = harness.options(harness.source({ s1: [server] }), { sealMs: 50 });
    const running = harness.start(options);
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    const full = async (file: string) => {
      await server.command('INCR', 'count');
      await archivedUpTo(harness, await offsetOf(server));
      using _disk = fullDisk(path.join(options.stateFolder, file));
      await server.command('INCR', 'count');
      await delay(600);
    };
    await full('state.json');
    const { seq } = (await loadEntries(harness.store, {})).entries.at(-1)!;
    for (const next of [seq + 2, seq + 3]) await full(`spool/${String(next).padStart(10, '0')}.entry`);
    await server.command('INCR', 'count');
    const entries = await archivedUpTo(harness, await offsetOf(server));
    await running.stop();
    assert.ok(harness.events.some((event) => event.kind === 'disconnected' && /disk .* is full/.test(event.reason)));
    assert.deepEqual(
      entries.filter(({ body }) => body.kind === 'gap'),
      [],
    );
    const digest = String(await server.command('DEBUG', 'DIGEST'));
    const look = (loaded: { sendCommand(words: [string, ...string[]]): Promise<unknown> }) =>
      loaded.sendCommand(['DEBUG', 'DIGEST']);
    assert.equal(String(await restored(harness, engine, { kind: 'latest' }, look)), digest);
    // A later start finds the state as it left it.
    const again = harness.start(options);
    await waitFor(() => harness.events.filter(({ kind }) => kind === 'connected').length > 1, { message: 'a start' });
    await again.stop();
  });

  test('begins a new history with a gap when the server came back with another replication id', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine, config: ['appendonly yes', 'appendfsync always'] });
    const running = harness.start(harness.options(harness.source({ s1: [server] }), { sealMs: 50 }));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    await server.command('SET', 'key', 'before');
    await archivedUpTo(harness, await offsetOf(server));
    await server.kill();
    await server.restart();
    await waitFor(() => harness.events.some(({ kind }) => kind === 'gap'), { message: 'a gap', timeout: 30_000 });
    await running.stop();
    const { entries } = await loadEntries(harness.store, {});
    assert.equal(entries.filter(({ body }) => body.kind === 'base').length, 2);
    assert.equal(await restored(harness, engine, { kind: 'latest' }, (loaded) => loaded.get('key')), 'before');
  });

  test('refuses a store that lacks what was uploaded, such as the mount point of a disk that is not there', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine });
    const options = harness.options(harness.source({ s1: [server] }));
    const running = harness.start(options);
    await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { message: 'a base' });
    await running.stop();
    await rename(harness.storeFolder, `${harness.storeFolder}.away`);
    await mkdir(harness.storeFolder);
    await assert.rejects(harness.start(options).ended, /Is the store mounted|were uploaded/);
    assert.deepEqual(await readdir(harness.storeFolder), []);
  });
});
