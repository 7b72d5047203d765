/** What is measured. A case does one operation; the worker keeps `callers` of them going. */
import type { Peer } from './peers.js';

export interface Case {
  readonly name: string;
  readonly callers: number;
  readonly tls?: boolean;
  /** Commands (or values) that one operation stands for. */
  readonly weight?: number;
  /** Ratio to reach against node-redis as shipped, and against the fastest peer in its best setting. */
  readonly goal?: { readonly nodeRedis?: number; readonly best?: number };
  run(peer: Peer): Promise<unknown>;
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
  { name: 'GET over TLS, 1 caller', callers: 1, tls: true, goal: { best: 1 }, run: get },
  { name: 'GET over TLS, 50 callers', callers: 50, tls: true, goal: { nodeRedis: 8, best: 2 }, run: get },
  { name: 'GET over TLS, 1000 callers', callers: 1000, tls: true, goal: { nodeRedis: 8, best: 3 }, run: get },
  { name: 'pipeline of 100 GET', callers: 10, weight: 100, goal: { best: 1 }, run: (peer) => peer.pipeline(KEYS) },
  { name: 'MGET of 100', callers: 10, weight: 100, goal: { best: 1 }, run: (peer) => peer.mGet(KEYS) },
  { name: 'HGETALL of 100', callers: 10, weight: 100, goal: { best: 1 }, run: (peer) => peer.hGetAll('bench:hash') },
  { name: 'LRANGE of 1000', callers: 10, weight: 1000, goal: { best: 2 }, run: (peer) => peer.lRange('bench:list') },
  { name: 'GET of 1 MB as Buffer', callers: 4, goal: { best: 1 }, run: (peer) => peer.getBuffer('bench:1mb') },
];
