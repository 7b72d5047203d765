import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@redkeep/testing';
import { keysFromValue } from '../encryption/providers/local.js';
import { keyA, keyB, refused, testEncryption, useServer } from '../testing/support.js';
import { AuditReader } from './audit-reader.js';
import { AuditTrail, type AuditTrailOptions } from './audit-trail.js';
import { SpoolLock } from './spool-lock.js';

const redis = useServer();
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guard-spool-'));
});
after(() => rm(folder, { recursive: true }));

/** Patient where Redis answers, quick where it hangs. */
const patient = { timeoutMs: 20_000, retryMs: 10 };
const still = { timeoutMs: 200, retryMs: 600_000 };
function trail(name: string, options: Partial<AuditTrailOptions> = {}) {
  const path = join(folder, name);
  const writer = new AuditTrail({
    client: redis.client,
    name,
    chainKey: keyA,
    spool: { path },
    ...patient,
    ...options,
  });
  const reader = new AuditReader({ client: redis.client, name, chainKey: keyA });
  const actions = async () => {
    const all: string[] = [];
    for await (const { action } of reader.entries()) all.push(action);
    return all;
  };
  return { path, writer, reader, actions };
}
const event = (action: string) => ({ actor: 'ana', action });

describe('a process that is killed', () => {
  test('loses nothing it acknowledged and doubles nothing, also when it is killed while it sends its spool', async () => {
    const path = join(folder, 'killed');
    const script = fileURLToPath(new URL('../testing/spooling-writer.js', import.meta.url));
    const acknowledged: number[] = [];
    const run = () => {
      const first = String((acknowledged.at(-1) ?? -1) + 1000);
      const child = spawn(process.execPath, [script, redis.server.url, path, keyA, first], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      createInterface({ input: child.stdout }).on('line', (line) => acknowledged.push(Number(line)));
      return child;
    };
    const more = (count: number) => {
      const wanted = acknowledged.length + count;
      return waitFor(() => acknowledged.length >= wanted);
    };
    for (let round = 0; round < 3; round++) {
      const child = run();
      await more(20);
      redis.server.pause();
      await more(20);
      redis.server.resume();
      // Kills it at another moment each time: while it waits, while it sends, after it has sent.
      for (let turn = 0; turn < round * 3; turn++) await redis.server.command('PING');
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const last = run();
    await more(5);
    last.kill('SIGKILL');
    await once(last, 'close');

    const reader = new AuditReader({ client: redis.client, chainKey: keyA });
    const stored: number[] = [];
    for await (const { details } of reader.entries()) stored.push(details?.['i'] as number);
    assert.equal((await reader.verify()).ok, true);
    assert.equal(new Set(stored).size, stored.length, 'an entry was recorded twice');
    assert.deepEqual(
      stored,
      [...stored].sort((a, b) => a - b),
      'the order was lost',
    );
    const held = new Set(stored);
    // The last process may still have had some in its spool.
    for (const line of (await readFile(path, 'utf8').catch(() => '')).split('\n').filter(Boolean))
      held.add((JSON.parse(line.replace(/^\S+ /, '')) as { details: { i: number } }).details.i);
    assert.deepEqual(
      acknowledged.filter((i) => !held.has(i)),
      [],
      'acknowledged and lost',
    );
  });

  test('leaves half a line, which goes, and keeps the whole ones', async () => {
    const { path, writer, actions } = trail('torn', still);
    redis.server.pause();
    await writer.record(event('whole'));
    await writer.close();
    redis.server.resume();
    await appendFile(path, '- {"id":"half a li');
    const next = trail('torn');
    await next.writer.record(event('next'));
    await next.writer.close();
    assert.deepEqual(await actions(), ['whole', 'next']);
    await assert.rejects(stat(path), 'nothing is left to send');
  });
});

describe('an answer that was lost', () => {
  test('does not double its entry, however much others have written since', async () => {
    const { path, writer, actions } = trail('lost', { ...still, timeoutMs: 1000 });
    await writer.record(event('first'));
    redis.server.pause();
    // Redis gets the command and runs it when it wakes up; the process has given up by then.
    await writer.record(event('second'));
    redis.server.resume();
    const other = trail('lost', { spool: 'none' }).writer;
    await waitFor(async () => (await actions()).includes('second'));
    for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 200 }, () => other.record(event('other'))));
    assert.match(await readFile(path, 'utf8'), /second/);
    await writer.close();
    const next = trail('lost').writer;
    await next.record(event('third'));
    await next.close();
    assert.equal((await actions()).filter((action) => action === 'second').length, 1);
  });
});

describe('a spool', () => {
  test('belongs to one trail and one process', async () => {
    const { path, writer, actions } = trail('shared');
    await writer.record(event('mine'));
    const error = await refused(() => trail('shared').writer.record(event('theirs')), 'REDKEEP_AUDIT_SPOOL');
    assert.match(error.message, /another trail of this process/);
    await writer.close();
    // The test runner's parent is alive and not us.
    await writeFile(`${path}.lock`, String(process.ppid));
    await refused(() => trail('shared').writer.record(event('theirs')), 'REDKEEP_AUDIT_SPOOL');
    for (const stale of ['999999999', '', String(process.pid)]) {
      await writeFile(`${path}.lock`, stale);
      const next = trail('shared').writer;
      await next.record(event('ours'));
      await next.close();
    }
    assert.deepEqual(await actions(), ['mine', 'ours', 'ours', 'ours']);
  });

  test('belongs to one container and one machine: another pid 1 is another process', async () => {
    const { path, writer } = trail('container');
    await writer.record(event('mine'));
    const held = await readFile(`${path}.lock`, 'utf8');
    await writer.close();
    // The lock of a live pid 1 in another process namespace, and of a process that had our number before.
    const elsewhere = { ...JSON.parse(held), token: 'theirs', pid: 1, where: 'another kernel pid:[1]' };
    await writeFile(`${path}.lock`, JSON.stringify(elsewhere));
    const error = await refused(() => trail('container').writer.record(event('theirs')), 'REDKEEP_AUDIT_SPOOL');
    assert.match(error.message, /process 1\b/);
    const silent = new Date(Date.now() - 60_000);
    await utimes(`${path}.lock`, silent, silent);
    const after = trail('container').writer;
    await after.record(event('after'));
    // Somebody took us for gone: we write no more.
    redis.server.pause();
    await writeFile(`${path}.lock`, JSON.stringify(elsewhere));
    const late = trail('container', { timeoutMs: 50 });
    try {
      await refused(() => late.writer.record(event('late')), 'REDKEEP_AUDIT_SPOOL');
    } finally {
      redis.server.resume();
    }
    await writeFile(
      `${path}.lock`,
      JSON.stringify({ ...JSON.parse(held), token: 'old', started: '1', pid: process.ppid }),
    );
    await after.close();
    const reused = trail('container').writer;
    await reused.record(event('reused'));
    await reused.close();
  });

  test('shows signs of life by the clock of its file system, and only into its own lock', async () => {
    const lock = new SpoolLock(join(folder, 'beating'));
    const path = join(folder, 'beating.lock');
    const age = async () => Date.now() - (await stat(path)).mtimeMs;
    const silent = new Date(Date.now() - 60_000);
    await lock.acquire();
    const own = await readFile(path, 'utf8');
    await utimes(path, silent, silent);
    await lock.beat();
    assert.ok((await age()) < 30_000);
    assert.equal(await readFile(path, 'utf8'), own);
    // We were stopped, another took it over and has gone: its lock must not live on by us.
    await writeFile(path, JSON.stringify({ ...JSON.parse(own), token: 'theirs' }));
    await utimes(path, silent, silent);
    await lock.beat();
    assert.ok((await age()) >= 30_000);
    await lock.release();
    assert.match(await readFile(path, 'utf8'), /theirs/);
  });

  test('that cannot be written is noticed before it is needed', async () => {
    const errors: unknown[] = [];
    const path = join(folder, 'no', 'such', 'folder');
    const { writer } = trail('unwritable', { spool: { path }, onError: (error) => errors.push(error) });
    await refused(() => writer.record(event('x')), 'REDKEEP_AUDIT_SPOOL');
    assert.ok(errors.length > 0);
  });

  test('with lines that nobody can read puts them aside and sends the others', async () => {
    const errors: unknown[] = [];
    const { path, writer } = trail('unreadable', { ...still, spoolEncryption: testEncryption() });
    redis.server.pause();
    await writer.record(event('good'));
    await writer.close();
    redis.server.resume();
    const good = await readFile(path, 'utf8');
    await writeFile(path, `no line of ours\n- ${Buffer.from('{"forged":1}').toString('base64')}\n${good}`);
    const next = trail('unreadable', { spoolEncryption: testEncryption(), onError: (error) => errors.push(error) });
    await next.writer.record(event('next'));
    await next.writer.close();
    assert.deepEqual(await next.actions(), ['good', 'next']);
    assert.equal((await readFile(`${path}.unreadable`, 'utf8')).split('\n').length, 3);
    assert.match(String(errors), /2 unreadable lines/);
  });

  test('whose key is not known keeps its lines', async () => {
    const { path, writer } = trail('keyless', { ...still, spoolEncryption: testEncryption() });
    redis.server.pause();
    await writer.record(event('sealed'));
    await writer.close();
    redis.server.resume();
    const other = testEncryption({ keys: keysFromValue([keyB]) });
    const next = trail('keyless', { spoolEncryption: other }).writer;
    await next.record(event('next'));
    await next.close();
    assert.equal((await readFile(`${path}.unreadable`, 'utf8')).split('\n').length, 2);
  });
});

describe('an event', () => {
  test('is stored as it was when it was recorded', async () => {
    const { writer, reader } = trail('snapshot');
    const details = { n: 1 };
    const recorded = writer.record({ ...event('x'), details });
    details.n = 2;
    await recorded;
    for await (const entry of reader.entries()) assert.deepEqual(entry.details, { n: 1 });
    await writer.close();
  });

  test('that cannot be stored harms no other', async () => {
    const { writer, actions } = trail('bad', { maxQueue: 3 });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const good = [writer.record(event('one')), writer.record(event('two'))];
    await refused(() => writer.record({ ...event('x'), details: circular }), 'REDKEEP_GUARD_ARGUMENT');
    await refused(() => writer.record({ ...event('x'), details: { n: 1n } }), 'REDKEEP_GUARD_ARGUMENT');
    await refused(() => writer.record(event('x'.repeat(70_000))), 'REDKEEP_VALUE_TOO_LARGE');
    await Promise.all(good);
    await writer.close();
    assert.deepEqual(await actions(), ['one', 'two']);
  });

  test('finds a bounded queue when Redis is too slow', async () => {
    const { writer } = trail('queue', { spool: 'none', maxQueue: 2 });
    const waiting = [writer.record(event('one')), writer.record(event('two'))];
    await refused(() => writer.record(event('three')), 'REDKEEP_AUDIT_SPOOL_FULL');
    await Promise.all(waiting);
    await writer.close();
  });
});

test('an entry that is lost is reported, and ends no process that did not wait for it', async () => {
  const errors: string[] = [];
  const options = {
    spool: 'none' as const,
    timeoutMs: 50,
    onError: (error: unknown) => {
      errors.push((error as { code: string }).code);
      throw new Error('the handler fails, too');
    },
  };
  const { writer } = trail('unhandled', options);
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  redis.server.pause();
  try {
    void writer.record(event('lost'));
    await waitFor(() => errors.length > 0);
    await new Promise(setImmediate);
  } finally {
    redis.server.resume();
    process.off('unhandledRejection', note);
  }
  assert.deepEqual(errors, ['REDKEEP_STORE_UNAVAILABLE']);
  assert.deepEqual(unhandled, []);
  await writer.close();
});

test('a request that records ends while Redis hangs', async () => {
  const { writer, actions } = trail('request');
  const server = createServer((_request, response) => {
    void writer.record(event('request'));
    response.end('done');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  redis.server.pause();
  try {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    assert.equal(await response.text(), 'done');
  } finally {
    redis.server.resume();
    server.close();
    server.closeAllConnections();
  }
  await writer.close();
  assert.deepEqual(await actions(), ['request']);
});
