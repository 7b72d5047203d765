import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Engine, type Server, startCluster, startSentinel, startServer, waitFor } from '@redkeep/testing';
import type { RedisClient } from 'redkeep';
import type { ServerProgram } from '../../engine/server-program.js';
import { runOnce } from '../archive/archive-run.js';
import type { Entry } from '../format/entry.js';
import { loadEntries } from '../restore/load-entries.js';
import { cutsOf, planRestore, type RestoreTarget } from '../restore/plan-restore.js';
import { ScratchServer } from '../restore/scratch-server.js';
import { verifyObjects } from '../restore/verify-objects.js';
import { writeDataFolder } from '../restore/write-data-folder.js';
import { connectEndpoint } from '../source/connect-endpoint.js';
import { ArchiveHarness } from './archive-harness.js';

export function programOf(engine: Engine): ServerProgram {
  const version = engine.version.split('.').slice(0, 2).join('.');
  return { path: engine.server, engine: { name: engine.kind, version }, fullVersion: engine.version };
}

/** Restores one shard of a harness's store and hands the loaded server to `look`. */
export async function restored<T>(
  harness: ArchiveHarness,
  engine: Engine,
  target: RestoreTarget,
  look: (client: RedisClient) => Promise<T>,
  shard?: string,
): Promise<T> {
  const { entries, problems } = await loadEntries(harness.store, {});
  assert.deepEqual(problems, []);
  const plan = planRestore(entries, 'test', target, shard === undefined ? {} : { shard });
  const folder = await mkdtemp(harness.path('restored-'));
  const signal = AbortSignal.timeout(120_000);
  await writeDataFolder(folder, plan.shards[0]!, { store: harness.store, identities: [harness.identity], signal });
  const server = await ScratchServer.start(programOf(engine), folder, signal);
  try {
    return await look(server.client);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function client(server: Server): Promise<RedisClient> {
  return connectEndpoint({ host: server.host, port: server.port }, undefined);
}

/** Writes `counter` as `number:milliseconds` as fast as answers come, and remembers what was acknowledged. */
class CounterWriter {
  readonly acknowledged: { readonly value: number; readonly at: number }[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(to: RedisClient) {
    this.#done = this.#write(to);
  }

  async #write(to: RedisClient): Promise<void> {
    for (let value = 1; !this.#stopped; value++) {
      const at = Date.now();
      try {
        await to.set('counter', `${value}:${at}`);
      } catch {
        return;
      }
      this.acknowledged.push({ value, at });
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }
}

function counterOf(text: string | null): { readonly value: number; readonly at: number } {
  const [value = '0', at = '0'] = (text ?? '0:0').split(':');
  return { value: Number(value), at: Number(at) };
}

export interface Loss {
  readonly lostWrites: number;
  readonly lostMs: number;
}

/** Kills the server at a random moment under load; says how much of what it acknowledged the archive lacks. */
export async function killServer(engine: Engine): Promise<Loss> {
  const harness = await ArchiveHarness.create();
  await using server = await startServer({ engine });
  try {
    const running = harness.start(harness.options(harness.source({ s1: [server] }), { sealMs: 1000 }));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    const connection = await client(server);
    const writer = new CounterWriter(connection);
    await delay(200 + randomInt(1500));
    await server.kill();
    await writer.stop();
    await waitFor(() => harness.events.some(({ kind }) => kind === 'disconnected'), { message: 'the loss' });
    await running.stop();
    const last = writer.acknowledged.at(-1)!;
    const kept = counterOf(await restored(harness, engine, { kind: 'latest' }, (loaded) => loaded.get('counter')));
    const keptAt = kept.value === 0 ? writer.acknowledged[0]!.at : kept.at;
    return { lostWrites: Math.max(0, last.value - kept.value), lostMs: Math.max(0, last.at - keptAt) };
  } finally {
    await harness.remove();
  }
}

const bin = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));

/** An archive in a process of its own, as a service runs it. */
export function spawnArchive(harness: ArchiveHarness, server: Server, more: readonly string[] = []): ChildProcess {
  const args = [
    ...[bin, 'backup', 'archive', '--from', server.url, '--source', 'test', '--recipient', harness.recipient],
    ...['--store', harness.storeFolder, '--state', harness.path('state'), '--seal-seconds', '0.3', '--json', ...more],
  ];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: harness.folder });
}

export async function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

/** Waits until the store covers an offset. */
export async function archivedUpTo(harness: ArchiveHarness, offset: number): Promise<readonly Entry[]> {
  return waitFor(
    async () => {
      const { entries } = await loadEntries(harness.store, {});
      const covers = entries.some(({ body }) => 'to' in body && body.to >= offset);
      return covers ? entries : undefined;
    },
    { timeout: 60_000, interval: 50, message: `an archive up to offset ${offset}` },
  );
}

export async function offsetOf(server: Server): Promise<number> {
  return Number((await server.info('replication'))['master_repl_offset']);
}

export interface ArchiverKills {
  readonly kills: number;
  readonly gaps: number;
  readonly fullSyncs: number;
  readonly digestEqual: boolean;
  readonly writes: number;
}

/** Kills the archiver again and again under load, and compares what it has in the end with the server. */
export async function killArchiver(engine: Engine, kills: number): Promise<ArchiverKills> {
  const harness = await ArchiveHarness.create();
  await using server = await startServer({
    engine,
    config: ['enable-debug-command local', 'repl-backlog-size 64mb'],
  });
  let child: ChildProcess | undefined;
  try {
    const connection = await client(server);
    child = spawnArchive(harness, server);
    await waitFor(async () => (await loadEntries(harness.store, {})).entries.length > 0, { message: 'a base' });
    let writing = true;
    let writes = 0;
    const load = (async () => {
      while (writing) {
        await Promise.all([
          connection.set(`key:${randomInt(500)}`, `value ${writes}`),
          connection.multi().incr('left').incr('right').exec(),
          connection.rPush('list', String(writes)),
        ]);
        writes += 4;
        if (writes % 400 === 0) await delay(1);
      }
    })();
    for (let kill = 0; kill < kills; kill++) {
      await delay(100 + randomInt(900));
      await stopped(child, 'SIGKILL');
      child = spawnArchive(harness, server);
    }
    await delay(500);
    writing = false;
    await load;
    const entries = await archivedUpTo(harness, await offsetOf(server));
    const digest = String(await server.command('DEBUG', 'DIGEST'));
    const found = await restored(harness, engine, { kind: 'latest' }, (loaded) =>
      loaded.sendCommand(['DEBUG', 'DIGEST']),
    );
    connection.destroy();
    return {
      kills,
      gaps: entries.filter(({ body }) => body.kind === 'gap').length,
      fullSyncs: Number((await server.info('stats'))['sync_full']),
      digestEqual: String(found) === digest,
      writes,
    };
  } finally {
    if (child) await stopped(child, 'SIGKILL');
    await harness.remove();
  }
}

export interface SecondsRestored {
  readonly seconds: number;
  readonly exact: number;
  /** The widest distance of a restored last write from the end of its second. */
  readonly widestMs: number;
}

/**
 * Writes for a while, then restores random seconds. A restored second is exact when it has every write that was sent
 * in it or before, and none that was sent after it; writes that were under way at the border may be on either side.
 */
export async function restoreSeconds(engine: Engine, writeMs: number, count: number): Promise<SecondsRestored> {
  const harness = await ArchiveHarness.create();
  await using server = await startServer({ engine });
  try {
    const running = harness.start(harness.options(harness.source({ s1: [server] }), { baseMs: writeMs / 3 }));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    const connection = await client(server);
    const log: { readonly value: number; readonly sent: number; readonly done: number }[] = [];
    const end = Date.now() + writeMs;
    for (let value = 1; Date.now() < end; value++) {
      const sent = Date.now();
      await connection.set('counter', `${value}:${sent}`);
      log.push({ value, sent, done: Date.now() });
      if (value % 20 === 0) await delay(1);
    }
    await archivedUpTo(harness, await offsetOf(server));
    await running.stop();
    connection.destroy();
    const first = Math.ceil(log[0]!.sent / 1000);
    const last = Math.floor(log.at(-1)!.sent / 1000);
    let exact = 0;
    let widestMs = 0;
    for (let trial = 0; trial < count; trial++) {
      const second = first + randomInt(last - first);
      const border = (second + 1) * 1000;
      const text = await restored(harness, engine, { kind: 'second', second }, (loaded) => loaded.get('counter'));
      const kept = counterOf(text);
      // The archive stamps what it receives: between sending and stamping a write may cross the border.
      const lagMs = 250;
      const mustHave = log.findLast(({ done }) => done < border - lagMs)?.value ?? 0;
      const mayHave = log.findLast(({ sent }) => sent < border)?.value ?? 0;
      if (kept.value >= mustHave && kept.value <= mayHave) exact += 1;
      widestMs = Math.max(widestMs, border - kept.at);
    }
    return { seconds: count, exact, widestMs };
  } finally {
    await harness.remove();
  }
}

export interface CutTrial {
  readonly cuts: number;
  readonly oneMoment: number;
  readonly widestSkew: number;
  /** Cuts in which an effect was there without its cause. */
  readonly effectsWithoutCause: number;
  readonly pausesMs: readonly number[];
}

/** Three servers and a writer that writes each number to all of them in order; cuts, and what they hold. */
export async function cutShards(engine: Engine, cuts: number): Promise<CutTrial> {
  const harness = await ArchiveHarness.create();
  const servers = await Promise.all([1, 2, 3].map(() => startServer({ engine })));
  try {
    const [a, b, c] = servers as [Server, Server, Server];
    const source = harness.source({ a: [a], b: [b], c: [c] });
    const running = harness.start({ ...harness.options(source, { sealMs: 300 }), cutMs: 100 });
    await waitFor(() => harness.events.filter(({ kind }) => kind === 'base').length === 3, { message: 'three bases' });
    const connections = await Promise.all(servers.map(client));
    let writing = true;
    const load = (async () => {
      for (let value = 1; writing; value++) {
        for (const connection of connections) await connection.set('counter', `${value}:0`);
      }
    })();
    await waitFor(() => harness.events.filter(({ kind }) => kind === 'cut').length >= cuts, {
      timeout: 300_000,
      message: `${cuts} cuts`,
    });
    writing = false;
    await load;
    await running.stop();
    const { entries } = await loadEntries(harness.store, {});
    const taken = cutsOf(entries, 'test').slice(0, cuts);
    let widestSkew = 0;
    let effectsWithoutCause = 0;
    for (const cut of taken) {
      const values: number[] = [];
      for (const shard of ['a', 'b', 'c']) {
        const text = await restored(harness, engine, { kind: 'cut', cut }, (loaded) => loaded.get('counter'), shard);
        values.push(counterOf(text).value);
      }
      widestSkew = Math.max(widestSkew, Math.max(...values) - Math.min(...values));
      if (values[0]! < values[1]! || values[1]! < values[2]!) effectsWithoutCause += 1;
    }
    return {
      cuts: taken.length,
      oneMoment: taken.filter(({ body }) => body.oneMoment).length,
      ...{ widestSkew, effectsWithoutCause },
      pausesMs: taken.map(({ body }) => body.pausedMs),
    };
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    await harness.remove();
  }
}

export interface DamageTrial {
  readonly tried: number;
  readonly found: number;
  readonly missed: readonly string[];
}

/** A small archive with several bases, segments and entries, for trials of its store. */
export async function smallArchive(engine: Engine): Promise<ArchiveHarness> {
  const harness = await ArchiveHarness.create();
  await using server = await startServer({ engine });
  const running = harness.start(harness.options(harness.source({ s1: [server] }), { sealMs: 50 }));
  await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
  for (let round = 0; round < 6; round++) {
    for (let key = 0; key < 20; key++) await server.command('SET', `key:${round}:${key}`, 'x'.repeat(50));
    await archivedUpTo(harness, await offsetOf(server));
  }
  await running.stop();
  await runOnce(
    { ...harness.options(harness.source({ s1: [server] })), stateFolder: harness.path('state', 'run') },
    neverAborted,
  );
  return harness;
}

const neverAborted = new AbortController().signal;

async function isFound(harness: ArchiveHarness): Promise<boolean> {
  const { entries, problems } = await loadEntries(harness.store, {});
  if (problems.length > 0) return true;
  const result = await verifyObjects(harness.store, 'test', entries, { gone: new Set(), share: 1 });
  return result.problems.length > 0;
}

async function storedFiles(harness: ArchiveHarness): Promise<string[]> {
  const found = await readdir(harness.storeFolder, { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** Flips random bits, one at a time, anywhere in the store, and cuts, drops and swaps files; each must be found. */
export async function damageStore(engine: Engine, flips: number): Promise<DamageTrial> {
  const harness = await smallArchive(engine);
  const missed: string[] = [];
  let tried = 0;
  const attempt = async (what: string, damage: () => Promise<void>, repair: () => Promise<void>) => {
    tried += 1;
    await damage();
    if (!(await isFound(harness))) missed.push(what);
    await repair();
  };
  try {
    assert.equal(await isFound(harness), false);
    const files = await storedFiles(harness);
    for (let flip = 0; flip < flips; flip++) {
      const file = files[randomInt(files.length)]!;
      const content = await readFile(file);
      const bit = randomInt(content.length * 8);
      const changed = Buffer.from(content);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await attempt(
        `bit ${bit} of ${file}`,
        () => writeFile(file, changed),
        () => writeFile(file, content),
      );
    }
    for (const file of files) {
      const content = await readFile(file);
      const half = content.subarray(0, content.length >> 1);
      await attempt(
        `half of ${file}`,
        () => writeFile(file, half),
        () => writeFile(file, content),
      );
      // The newest entry of a chain is all that no later one vouches for.
      if (isNewestEntry(file, files)) continue;
      await attempt(
        `without ${file}`,
        () => rename(file, `${file}.away`),
        () => rename(`${file}.away`, file),
      );
    }
    const kinds = [files.filter((file) => file.endsWith('.age')), files.filter((file) => file.endsWith('.json'))];
    for (const group of kinds) {
      for (let index = 1; index < group.length; index++) {
        const [first, second] = [group[index - 1]!, group[index]!];
        const swap = async () => {
          await rename(first, `${first}.swap`);
          await rename(second, first);
          await rename(`${first}.swap`, second);
        };
        await attempt(`swapped ${first} and ${second}`, swap, swap);
      }
    }
    return { tried, found: tried - missed.length, missed };
  } finally {
    await harness.remove();
  }
}

function isNewestEntry(file: string, files: readonly string[]): boolean {
  if (!file.endsWith('.json')) return false;
  const chain = files.filter((other) => path.dirname(other) === path.dirname(file)).sort();
  return chain.at(-1) === file;
}

export interface FailoverTrial {
  readonly gaps: number;
  readonly failovers: number;
  readonly digestEqual: boolean;
  /** Replicas that a sentinel knows; the archive must not be one of them. */
  readonly knownReplicas: number;
  readonly followedPrimary: boolean;
}

/** A primary with two replicas and three sentinels; the primary is killed while the archive follows a replica. */
export async function failOver(engine: Engine): Promise<FailoverTrial> {
  const harness = await ArchiveHarness.create();
  await using setup = await startSentinel({ engine, replicas: 2, config: ['enable-debug-command local'] });
  try {
    const { primary, servers } = setup;
    const source = { ...harness.source({ s1: servers }), topology: 'sentinel' as const };
    const running = harness.start({ ...harness.options(source), onPrimary: false });
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'), { message: 'a base' });
    const write = async (server: Server, prefix: string) => {
      const connection = await client(server);
      for (let key = 0; key < 300; key++) await connection.multi().set(`${prefix}:${key}`, 'x').incr('count').exec();
      connection.destroy();
    };
    await write(primary, 'before');
    const known = (await setup.sentinels[0]!.command('SENTINEL', 'REPLICAS', setup.name)) as unknown[];
    await primary.kill();
    const promoted = await setup.failedOver(primary);
    await write(promoted, 'after');
    const offset = await offsetOf(promoted);
    const entries = await archivedUpTo(harness, offset);
    const digest = String(await promoted.command('DEBUG', 'DIGEST'));
    await running.stop();
    const found = await restored(harness, engine, { kind: 'latest' }, (loaded) =>
      loaded.sendCommand(['DEBUG', 'DIGEST']),
    );
    const address = `${primary.host}:${primary.port}`;
    return {
      gaps: entries.filter(({ body }) => body.kind === 'gap').length,
      failovers: entries.filter(({ body }) => body.kind === 'failover').length,
      digestEqual: String(found) === digest,
      knownReplicas: known.length,
      followedPrimary: harness.events.some((event) => event.kind === 'connected' && event.address === address),
    };
  } finally {
    await harness.remove();
  }
}

export interface ClusterTrial {
  readonly shards: number;
  readonly oneMoment: boolean;
  readonly digestsEqual: boolean;
  readonly gaps: number;
}

/** A cluster of three primaries with a replica each: followed on the replicas, cut, restored shard by shard. */
export async function followCluster(engine: Engine): Promise<ClusterTrial> {
  const harness = await ArchiveHarness.create();
  await using cluster = await startCluster({ engine, replicas: 3, config: ['enable-debug-command local'] });
  try {
    const groups = Object.fromEntries(
      cluster.masters.map((master, index) => [`s${index}`, [master, cluster.replicas[index]!]]),
    );
    const running = harness.start({ ...harness.options(harness.source(groups)), cutMs: 300, onPrimary: false });
    await waitFor(() => harness.events.filter(({ kind }) => kind === 'base').length === 3, { message: 'three bases' });
    for (const [index, master] of cluster.masters.entries()) {
      const connection = await client(master);
      for (let key = 0; key < 200; key++) {
        // The tag is found by trial: each master serves a third of the slots.
        await connection.set(`key:${index}:${key}`, 'x').catch(() => undefined);
      }
      connection.destroy();
    }
    const cutsBefore = harness.events.filter(({ kind }) => kind === 'cut').length;
    await waitFor(() => harness.events.filter(({ kind }) => kind === 'cut').length > cutsBefore + 1, {
      message: 'a cut behind the writes',
    });
    const digests = await Promise.all(
      cluster.masters.map(async (master) => String(await master.command('DEBUG', 'DIGEST'))),
    );
    await running.stop();
    const { entries } = await loadEntries(harness.store, {});
    const [cut] = cutsOf(entries, 'test');
    const found: string[] = [];
    for (const shard of Object.keys(groups)) {
      const look = (loaded: RedisClient) => loaded.sendCommand(['DEBUG', 'DIGEST']);
      found.push(String(await restored(harness, engine, { kind: 'cut', cut: cut! }, look, shard)));
    }
    return {
      shards: found.length,
      oneMoment: cut!.body.oneMoment,
      digestsEqual: found.every((digest, index) => digest === digests[index]),
      gaps: entries.filter(({ body }) => body.kind === 'gap').length,
    };
  } finally {
    await harness.remove();
  }
}
