import assert from 'node:assert/strict';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { findEngines, startServer, waitFor } from '@redkeep/testing';
import { CliError } from '../errors.js';
import { compareLive, makeLiveMoment } from './restore/live-moment.js';
import { loadEntries } from './restore/load-entries.js';
import type { RestoreTarget } from './restore/plan-restore.js';
import { connectEndpoint } from './source/connect-endpoint.js';
import { ObjectMissing, type Store } from './store/store.js';
import { ArchiveHarness, noise } from './testing/archive-harness.js';
import { archivedUpTo, failOver, followCluster, offsetOf, restored } from './testing/trials.js';

const engine = findEngines()[0]!;

describe('an archive and its surroundings', () => {
  test('follows a replica through a failover without a gap; no sentinel takes it for a replica', async () => {
    const { gaps, failovers, digestEqual, knownReplicas, followedPrimary } = await failOver(engine);
    assert.ok(failovers >= 1);
    assert.deepEqual(
      { gaps, digestEqual, knownReplicas, followedPrimary },
      { gaps: 0, digestEqual: true, knownReplicas: 2, followedPrimary: false },
    );
  });

  test('follows the replicas of a cluster and cuts all shards at one moment', async () => {
    assert.deepEqual(await followCluster(engine), { shards: 3, oneMoment: true, digestsEqual: true, gaps: 0 });
  });

  test('refuses a primary that would count it, and follows it where that is wanted', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine, config: ['min-replicas-to-write 1'] });
    const options = harness.options(harness.source({ s1: [server] }));
    const refused = harness.start({ ...options, onPrimary: false });
    await assert.rejects(refused.ended, (error) => {
      return error instanceof CliError && error.code === 'REDKEEP_BACKUP_SOURCE_UNSAFE';
    });
    const accepted = harness.start(options);
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    // It acknowledges nothing: a write that waits for a copy does not count it.
    const client = await connectEndpoint({ host: server.host, port: server.port }, undefined);
    // The server takes writes once it counts the archive, which is a moment after the base.
    const written = async (): Promise<boolean> => (await client.set('key', 'value').catch(() => 'refused')) === 'OK';
    await waitFor(written, { message: 'a write' });
    assert.equal(Number(await client.sendCommand(['WAIT', '1', '100'])), 0);
    client.destroy();
    await accepted.stop();
  });

  test('marks a gap where the server no longer has the stream, and restores on both sides of it', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine, config: ['repl-backlog-size 16kb'] });
    const options = harness.options(harness.source({ s1: [server] }));
    const first = harness.start(options);
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    await server.command('SET', 'key', 'before');
    await archivedUpTo(harness, await offsetOf(server));
    await first.stop();
    // The new history begins in a later second than the old one ends.
    const ended = Math.floor(Date.now() / 1000);
    await waitFor(() => Date.now() / 1000 >= ended + 1, { message: 'the next second' });
    for (let key = 0; key < 100; key++) await server.command('SET', 'filler', noise(1000));
    const second = harness.start(options);
    await waitFor(() => harness.events.some(({ kind }) => kind === 'gap'), { message: 'a gap' });
    await server.command('SET', 'key', 'after');
    await archivedUpTo(harness, await offsetOf(server));
    await second.stop();
    const { entries } = await loadEntries(harness.store, {});
    const gap = entries.find(({ body }) => body.kind === 'gap')!.body;
    assert.ok(gap.kind === 'gap' && gap.lastSecond !== undefined);
    const look = (loaded: { get(key: string): Promise<string | null> }) => loaded.get('key');
    assert.equal(await restored(harness, engine, { kind: 'second', second: gap.lastSecond }, look), 'before');
    assert.equal(await restored(harness, engine, { kind: 'latest' }, look), 'after');
  });

  test('keeps what is sealed while the store is away, says so, and uploads it afterwards', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine, config: ['enable-debug-command local'] });
    const store = new AwayStore(harness.store);
    const running = harness.start({ ...harness.options(harness.source({ s1: [server] })), store });
    await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { message: 'a base' });
    store.isAway = true;
    for (let key = 0; key < 200; key++) await server.command('SET', `key:${key}`, noise(1000));
    await waitFor(() => harness.events.some((event) => event.kind === 'store' && event.problem !== undefined), {
      message: 'the alarm',
    });
    assert.equal((await loadEntries(harness.store, {})).entries.length, 1);
    store.isAway = false;
    await archivedUpTo(harness, await offsetOf(server));
    await waitFor(() => harness.events.some((event) => event.kind === 'store' && event.problem === undefined), {
      message: 'the end of the alarm',
    });
    const digest = String(await server.command('DEBUG', 'DIGEST'));
    const look = (loaded: { sendCommand(words: [string, ...string[]]): Promise<unknown> }) =>
      loaded.sendCommand(['DEBUG', 'DIGEST']);
    assert.equal(String(await restored(harness, engine, { kind: 'latest' }, look)), digest);
    await running.stop();
  });

  test('slows the stream down instead of dropping when its spool is full', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine, config: ['enable-debug-command local'] });
    const store = new AwayStore(harness.store);
    const settings = { sealMs: 50, sealBytes: 200_000 };
    const options = { ...harness.options(harness.source({ s1: [server] }), settings), store, spoolBytes: 500_000 };
    const running = harness.start(options);
    await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { message: 'a base' });
    store.isAway = true;
    for (let key = 0; key < 3000; key++) await server.command('SET', `key:${key}`, noise(1000));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'spool-full'), { message: 'the alarm' });
    store.isAway = false;
    const entries = await archivedUpTo(harness, await offsetOf(server));
    assert.equal(entries.filter(({ body }) => body.kind === 'gap').length, 0);
    const count = await restored(harness, engine, { kind: 'latest' }, (loaded) => loaded.dbSize());
    assert.equal(Number(count), 3000);
    await running.stop();
  });

  test('refuses a state that was put back from a copy, which would write numbers twice', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine });
    const options = harness.options(harness.source({ s1: [server] }));
    const first = harness.start(options);
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    await first.stop();
    await cp(options.stateFolder, harness.path('copy'), { recursive: true });
    const second = harness.start(options);
    await server.command('SET', 'key', 'value');
    await archivedUpTo(harness, await offsetOf(server));
    await second.stop();
    await rm(options.stateFolder, { recursive: true });
    await cp(harness.path('copy'), options.stateFolder, { recursive: true });
    await assert.rejects(harness.start(options).ended, /The store has entries up to/);
  });

  test('takes seconds that never go back from a clock that jumps, and says that it did', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine });
    let shift = 0;
    const options = harness.options(harness.source({ s1: [server] }));
    const running = harness.start({ ...options, now: () => new Date(Date.now() + shift) });
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    await server.command('SET', 'key', '1');
    await archivedUpTo(harness, await offsetOf(server));
    shift = -3_600_000;
    await waitFor(() => harness.events.some(({ kind }) => kind === 'clock'), { message: 'the jump' });
    await server.command('SET', 'key', '2');
    const entries = await archivedUpTo(harness, await offsetOf(server));
    await running.stop();
    const seconds = entries.flatMap(({ body }) => ('lastSecond' in body && body.lastSecond ? [body.lastSecond] : []));
    assert.deepEqual(
      seconds,
      [...seconds].sort((a, b) => a - b),
    );
    assert.ok(entries.some(({ body }) => body.kind === 'clock' && body.byMs < -3_500_000));
  });

  test('a restore that differs from the running server in one key, or in its moment, is found', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine });
    for (let key = 0; key < 20; key++)
      await server.command('SADD', `set:${key}`, ...Array.from({ length: 600 }, (_, member) => `${member}`));
    const source = harness.source({ s1: [server] });
    const running = harness.start(harness.options(source));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    const live = (await makeLiveMoment(source, 200)).get('s1')!;
    const entries = await archivedUpTo(harness, await offsetOf(server));
    await running.stop();
    const at = entries.findLast(({ body }) => body.kind === 'base')!;
    const stops = { s1: { place: { writer: at.writer, shard: 's1', history: 1 }, offset: live.offset } };
    const look = (moment: RestoreTarget, change: string[]) =>
      restored(harness, engine, moment, async (client) => {
        if (change.length > 0) await client.sendCommand(change as [string]);
        return compareLive(client, live);
      });
    const moment = { kind: 'before', stops, second: 0 } as const;
    const equal = await look(moment, []);
    assert.ok(equal.compared > 10, `${equal.compared} keys compared`);
    assert.deepEqual(equal.differences, []);
    const key = String(live.sample[0]!.key);
    assert.match((await look(moment, ['SREM', key, '7'])).differences.join(), /a key that is not as it is live/);
    assert.match((await look(moment, ['EXPIRE', key, '1000'])).differences.join(), /a key that is not as it is live/);
    assert.match((await look({ kind: 'latest' }, [])).differences.join(), /the canary .* is missing/);
    assert.equal(Number(await server.command('EXISTS', live.canary.key)), 0);
  });

  test('an interrupted start leaves nothing behind that a later one takes for data', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer({ engine });
    const options = harness.options(harness.source({ s1: [server] }));
    await mkdir(`${options.stateFolder}/spool`, { recursive: true });
    await writeFile(`${options.stateFolder}/spool/open-1-0`, 'half');
    await writeFile(`${options.stateFolder}/spool/0000000001.object`, 'an object without its entry');
    const running = harness.start(options);
    await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { message: 'a base' });
    await running.stop();
    assert.deepEqual((await loadEntries(harness.store, {})).problems, []);
  });
});

/** A store that can be away. */
class AwayStore implements Store {
  isAway = false;
  readonly #store: Store;
  readonly description = 'a store that can be away';
  readonly isOffHost = false;

  constructor(store: Store) {
    this.#store = store;
  }

  async put(...args: Parameters<Store['put']>): Promise<void> {
    if (this.isAway) throw new Error('away');
    await this.#store.put(...args);
  }

  async get(name: string): Promise<AsyncIterable<Buffer>> {
    if (this.isAway) throw new ObjectMissing(name);
    return this.#store.get(name);
  }

  list(prefix: string) {
    return this.#store.list(prefix);
  }

  remove(name: string): Promise<void> {
    return this.#store.remove(name);
  }
}
