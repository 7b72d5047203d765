import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import { CliError } from '../../errors.js';
import { type Bytes, type BytesConnection, openBytes } from './bytes.js';
import { type CopyMethod, copyAll } from './copy.js';
import { type Contents, contentsOf } from './digest.js';

/** How data gets to another server. */
export type MoveMethod = 'replication' | CopyMethod;

export interface MovePlan {
  readonly method: MoveMethod;
  /** Why this one. */
  readonly because: string;
  /** What happens, in its order. */
  readonly steps: readonly string[];
  /** How to go back, decided before anything is done. */
  readonly wayBack: string;
}

export interface MoveRequest {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly method?: MoveMethod;
  /** How long writes on the source may wait, ms. */
  readonly pauseMs: number;
  /** Leave the source without writes afterwards, so that no client goes on writing there. */
  readonly closeSource: boolean;
  readonly signal: AbortSignal;
  readonly onNote: (text: string) => void;
}

export interface Moved {
  readonly method: MoveMethod;
  readonly from: Contents;
  readonly to: Contents;
  readonly equal: boolean;
  /** What the new server cannot take. */
  readonly lost: readonly string[];
  /** How long writes on the source waited. */
  readonly pausedMs: number;
}

const pollMs = 50;
const syncMs = 600_000;

/** Looks at both servers, tries one value, and says what would be done. Changes no data. */
export async function planMove(request: MoveRequest): Promise<MovePlan> {
  return withBoth(request, async (from, to) => {
    await requireEmpty(to);
    const takesFormat = await acceptsFormat(from, to);
    const returns = await acceptsFormat(to, from);
    const canReplicate =
      takesFormat && !request.from.tls && (await isSingle(from)) && (await isSingle(to)) && (await mayFollow(to));
    const method = request.method ?? (canReplicate ? 'replication' : takesFormat ? 'dump' : 'commands');
    if (method !== 'commands' && !takesFormat)
      throw new CliError(
        'REDKEEP_COMBINATION_IMPOSSIBLE',
        'The new server does not read the data format of the old one.',
        'Leave --method away: the data is then copied by commands.',
      );
    const because = {
      replication: 'the new server reads the format of the old one and can follow it',
      dump: 'the new server reads the format of the old one, but cannot follow it (TLS, a cluster, Sentinels)',
      commands: 'the new server does not read the format of the old one',
    }[method];
    const { pauseMs, closeSource } = request;
    const steps = [
      ...(method === 'replication' ? ['the new server follows the old one; clients notice nothing'] : []),
      `writes on the old server wait, for ${pauseMs / 1000} s at most`,
      method === 'replication' ? 'both have the same offset' : 'every key and function is copied',
      'keys are counted and digests compared on both',
      ...(method === 'replication' ? ['the new server stops following'] : []),
      closeSource
        ? 'the old server refuses writes from now on (min-replicas-to-write)'
        : 'writes on the old server go on',
    ];
    const wayBack = returns
      ? 'The old server keeps its data. Until clients write to the new one, point them back; afterwards move the data back with the same command.'
      : 'The old server keeps its data, and does not read the format of the new one. Until clients write to the new one, point them back; afterwards the same command copies back by commands.';
    return { method, because, steps, wayBack };
  });
}

/** Brings all data over, compares, and says what is different. Safe to repeat: what an earlier try copied is replaced. */
export async function move(request: MoveRequest, method: MoveMethod): Promise<Moved> {
  const { signal, onNote, pauseMs } = request;
  return withBoth(request, async (from, to) => {
    if (method === 'replication') await follow(request, from, to);
    else await to('FLUSHALL', 'SYNC');
    const began = performance.now();
    await from('CLIENT', 'PAUSE', String(pauseMs), 'WRITE');
    onNote('Writes on the old server wait.');
    let isPaused = true;
    try {
      let lost: readonly string[] = [];
      if (method === 'replication') await inStep(from, to, signal);
      else lost = (await copyAll(from, to, method, signal)).lost;
      const ignoreBefore = Date.now() + pauseMs;
      const fromContents = await contentsOf(from, signal, ignoreBefore);
      const toContents = await contentsOf(to, signal, ignoreBefore);
      const equal = fromContents.digest === toContents.digest;
      const pausedMs = performance.now() - began;
      if (pausedMs > pauseMs)
        throw new CliError(
          'REDKEEP_MIGRATION_UNPROVED',
          `Copying and comparing took ${Math.round(pausedMs / 1000)} s, longer than writes waited; the copies may differ.`,
          'Run it again with a larger --pause-seconds.',
        );
      if (method === 'replication') await stopFollowing(to);
      if (equal && request.closeSource) await from('CONFIG', 'SET', 'min-replicas-to-write', '99');
      await from('CLIENT', 'UNPAUSE');
      isPaused = false;
      return { method, from: fromContents, to: toContents, equal, lost, pausedMs };
    } finally {
      if (isPaused) await from('CLIENT', 'UNPAUSE').catch(() => undefined);
    }
  });
}

async function withBoth<T>(request: MoveRequest, work: (from: Bytes, to: Bytes) => Promise<T>): Promise<T> {
  const opened: BytesConnection[] = [];
  try {
    for (const endpoint of [request.from, request.to]) opened.push(await openBytes(endpoint));
    return await work(opened[0]!.ask, opened[1]!.ask);
  } finally {
    for (const connection of opened) connection.close();
  }
}

async function requireEmpty(to: Bytes): Promise<void> {
  const keyspace = String(await to('INFO', 'keyspace'));
  const replication = String(await to('INFO', 'replication'));
  if (!/^db\d+:/m.test(keyspace) || /^role:slave/m.test(replication)) return;
  throw new CliError(
    'REDKEEP_USAGE',
    'The new server has data, which the move would replace.',
    'Name an empty server; after a move that was cut off, empty it first (FLUSHALL).',
  );
}

/** A value in the server's own format, tried under a name of its own. */
async function acceptsFormat(from: Bytes, to: Bytes): Promise<boolean> {
  const probe = Buffer.from(`redkeep:move-probe:${process.pid}`);
  await from('SET', probe, 'x', 'PX', '60000');
  try {
    const dump = await from('DUMP', probe);
    if (!Buffer.isBuffer(dump)) return false;
    await to('RESTORE', probe, '60000', dump, 'REPLACE');
    await to('DEL', probe);
    return true;
  } catch {
    return false;
  } finally {
    await from('DEL', probe);
  }
}

async function isSingle(ask: Bytes): Promise<boolean> {
  return !/^cluster_enabled:1/m.test(String(await ask('INFO', 'cluster')));
}

/** Sentinels take a primary of theirs that becomes a replica for one that is down, and fail over. */
async function mayFollow(ask: Bytes): Promise<boolean> {
  try {
    await ask('CONFIG', 'GET', 'masteruser');
    return !/ name=sentinel-/.test(String(await ask('CLIENT', 'LIST')));
  } catch {
    return false;
  }
}

async function follow({ from: source, onNote, signal }: MoveRequest, from: Bytes, to: Bytes): Promise<void> {
  await to('CONFIG', 'SET', 'masteruser', source.username ?? '', 'masterauth', source.password ?? '');
  await to('REPLICAOF', source.host, String(source.port));
  onNote('The new server copies the old one.');
  const end = performance.now() + syncMs;
  while (performance.now() < end) {
    signal.throwIfAborted();
    if (/^master_link_status:up/m.test(String(await to('INFO', 'replication')))) return;
    if (/^role:slave/m.test(String(await from('INFO', 'replication')))) onNote('The old server is a replica itself.');
    await delay(pollMs, undefined, { signal });
  }
  await stopFollowing(to);
  throw new CliError(
    'REDKEEP_MIGRATION_UNPROVED',
    'The new server did not copy the old one within 10 minutes.',
    'Its log says why; it must reach the address that you gave for the old one. Or use --method dump.',
  );
}

async function inStep(from: Bytes, to: Bytes, signal: AbortSignal): Promise<void> {
  const field = (text: string, name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? '';
  for (;;) {
    signal.throwIfAborted();
    const [source, copy] = [String(await from('INFO', 'replication')), String(await to('INFO', 'replication'))];
    const offset =
      field(source, 'role') === 'slave' ? field(source, 'slave_repl_offset') : field(source, 'master_repl_offset');
    if (offset !== '' && offset === field(copy, 'slave_repl_offset')) return;
    await delay(pollMs, undefined, { signal });
  }
}

async function stopFollowing(to: Bytes): Promise<void> {
  await to('REPLICAOF', 'NO', 'ONE');
  await to('CONFIG', 'SET', 'masteruser', '', 'masterauth', '');
}
