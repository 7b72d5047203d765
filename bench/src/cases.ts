/** What is measured. A case does one operation; the worker keeps `callers` of them going. */
import { connect, type Socket } from 'node:net';
import type { Peer, Target } from './peers.js';

/** `node`: that node of the cluster which has the key, spoken to as if it were alone. */
export type TargetName = 'plain' | 'tls' | 'node' | 'cluster';

export interface Case {
  readonly name: string;
  readonly callers: number;
  /** Default `plain`. */
  readonly on?: TargetName;
  /** Commands (or values) that one operation stands for. */
  readonly weight?: number;
  readonly goal?: Goal;
  run(peer: Peer, target: Target): Promise<unknown>;
}

/** Ratios to reach. */
export interface Goal {
  /** To node-redis as shipped. */
  readonly nodeRedis?: number;
  /** To the fastest peer in its best setting. */
  readonly best?: number;
  /** The CPU a command of the peer that needs the least, over ours: where the server is what limits the rate. */
  readonly cpuBest?: number;
  /** To the fastest peer in another case: TLS against plaintext. */
  readonly bestOf?: { readonly case: string; readonly ratio: number };
  /** Our CPU a command to our CPU in another case, at most. */
  readonly cpuOf?: { readonly case: string; readonly ratio: number };
}

const KEYS = Array.from({ length: 100 }, (_, i) => `bench:${i}`);
const get = (peer: Peer) => peer.get('bench:value');

/** Written once before anything is measured. */
export async function prepare(peer: Peer, send: (args: string[]) => Promise<unknown>): Promise<void> {
  await peer.set('bench:value', 'x'.repeat(32));
  await peer.set('bench:1mb', Buffer.alloc(1024 * 1024, 97));
  for (const key of KEYS) await peer.set(key, `value of ${key}`);
  await send(['DEL', 'bench:hash', 'bench:list']);
  await send(['HSET', 'bench:hash', ...KEYS.flatMap((key) => [key, `value of ${key}`])]);
  await send(['RPUSH', 'bench:list', ...Array.from({ length: 1000 }, (_, i) => `element ${i}`)]);
}

export const CASES: readonly Case[] = [
  { name: 'GET, 1 caller', callers: 1, goal: { best: 1 }, run: get },
  { name: 'GET, 50 callers', callers: 50, goal: { nodeRedis: 8, best: 2 }, run: get },
  { name: 'GET, 1000 callers', callers: 1000, goal: { nodeRedis: 15, best: 3 }, run: get },
  { name: 'SET, 1 caller', callers: 1, goal: { best: 1 }, run: (peer) => peer.set('bench:set', 'y'.repeat(32)) },
  {
    name: 'SET, 50 callers',
    callers: 50,
    goal: { nodeRedis: 8, best: 2 },
    run: (peer) => peer.set('bench:set', 'y'.repeat(32)),
  },
  {
    name: 'SET, 1000 callers',
    callers: 1000,
    goal: { nodeRedis: 15, best: 3 },
    run: (peer) => peer.set('bench:set', 'y'.repeat(32)),
  },
  { name: 'GET over TLS, 1 caller', callers: 1, on: 'tls', goal: { best: 1 }, run: get },
  {
    name: 'GET over TLS, 50 callers',
    callers: 50,
    on: 'tls',
    goal: { nodeRedis: 8, best: 1, bestOf: { case: 'GET, 50 callers', ratio: 1 } },
    run: get,
  },
  {
    name: 'GET over TLS, 1000 callers',
    callers: 1000,
    on: 'tls',
    goal: { nodeRedis: 8, best: 1, bestOf: { case: 'GET, 1000 callers', ratio: 1 } },
    run: get,
  },
  // A server is slower as a cluster's node, and a client that waits more costs more a command: only the same server
  // shows what the cluster client itself costs.
  { name: 'GET from a node alone, 50 callers', callers: 50, on: 'node', run: get },
  {
    name: 'GET on a cluster, 50 callers',
    callers: 50,
    on: 'cluster',
    goal: { best: 1, cpuOf: { case: 'GET from a node alone, 50 callers', ratio: 1.15 } },
    run: get,
  },
  { name: 'GET from a node alone, 1000 callers', callers: 1000, on: 'node', run: get },
  {
    name: 'GET on a cluster, 1000 callers',
    callers: 1000,
    on: 'cluster',
    goal: { best: 1, cpuOf: { case: 'GET from a node alone, 1000 callers', ratio: 1.15 } },
    run: get,
  },
  { name: 'pipeline of 100 GET', callers: 10, weight: 100, goal: { best: 1 }, run: (peer) => peer.pipeline(KEYS) },
  { name: 'MGET of 100', callers: 10, weight: 100, goal: { best: 1 }, run: (peer) => peer.mGet(KEYS) },
  { name: 'HGETALL of 100', callers: 10, weight: 100, goal: { best: 1 }, run: (peer) => peer.hGetAll('bench:hash') },
  { name: 'LRANGE of 1000', callers: 10, weight: 1000, goal: { best: 2 }, run: (peer) => peer.lRange('bench:list') },
  { name: 'GET of 1 MB as Buffer', callers: 4, goal: { best: 1 }, run: (peer) => peer.getBuffer('bench:1mb') },
  { name: 'messages of a subscription', callers: 1, weight: 1000, goal: { best: 1, cpuBest: 2 }, run: messages },
];

/** One flood a peer: what publishes is the same for all, a script on a plain socket. */
const floods = new WeakMap<Peer, Promise<() => Promise<void>>>();
const FLOOD = "for i = 1, 1000 do redis.call('PUBLISH', KEYS[1], ARGV[1]) end";

async function messages(peer: Peer, target: Target): Promise<void> {
  let flood = floods.get(peer);
  if (flood === undefined) {
    flood = subscribe(peer, target);
    floods.set(peer, flood);
  }
  await (await flood)();
}

async function subscribe(peer: Peer, target: Target): Promise<() => Promise<void>> {
  if (peer.subscribe === undefined) throw new Error('this client is not measured here');
  const channel = `bench:channel:${process.pid}`;
  let awaited = 0;
  let done: (() => void) | undefined;
  await peer.subscribe(channel, () => {
    if (--awaited === 0) done?.();
  });
  const publisher: Socket = await new Promise((resolve, reject) => {
    const socket = connect(target.port, '127.0.0.1', () => resolve(socket)).on('error', reject);
  });
  publisher.resume();
  const words = ['EVAL', FLOOD, '1', channel, 'x'.repeat(32)];
  const request = `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
  return () =>
    new Promise((resolve) => {
      awaited = 1000;
      done = resolve;
      publisher.write(request);
    });
}
