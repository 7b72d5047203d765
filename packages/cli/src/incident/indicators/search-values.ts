import { setTimeout as delay } from 'node:timers/promises';
import type { Ask } from '../../audit/gather/live.js';
import { keyPattern } from '../../doctor/key-pattern.js';
import { attackKeys } from './attack-keys.js';
import { lookedAtBytes, lookedAtElements, payloadIn } from './payloads.js';
import type { ValueSearch } from './scene.js';

const batchKeys = 100;
/** After each batch the search rests for this many times what it took. */
const rest = 4;

/** How a part of a value is read, by its type; a value is matched here and forgotten. */
const reads: Readonly<Record<string, (key: string) => readonly (readonly string[])[]>> = {
  string: (key) => [
    ['GETRANGE', key, '0', String(lookedAtBytes - 1)],
    ['GETRANGE', key, String(-lookedAtBytes), '-1'],
  ],
  list: (key) => [
    ['LRANGE', key, '0', String(lookedAtElements - 1)],
    ['LRANGE', key, String(-lookedAtElements), '-1'],
  ],
  set: (key) => [['SRANDMEMBER', key, String(lookedAtElements)]],
  zset: (key) => [['ZRANGE', key, '0', String(lookedAtElements - 1)]],
  hash: (key) => [['HRANDFIELD', key, String(lookedAtElements), 'WITHVALUES']],
  stream: (key) => [['XRANGE', key, '-', '+', 'COUNT', String(lookedAtElements)]],
};

/** Reads up to `limit` keys of all databases, in the order of SCAN, and looks for payloads in their values. */
export async function searchValues(ask: Ask, limit: number, signal: AbortSignal): Promise<ValueSearch> {
  const keyspace = String(await ask('INFO', 'keyspace'));
  const databases = [...keyspace.matchAll(/^db(\d+):keys=(\d+)/gm)].map(([, name, keys]) => ({
    name: name!,
    keys: Number(keys),
  }));
  const total = databases.reduce((sum, { keys }) => sum + keys, 0);
  const found: ValueSearch['found'][number][] = [];
  let looked = 0;
  try {
    for (const { name: database } of databases) {
      // A cluster has one database, and refuses SELECT.
      if (databases.length > 1 || database !== '0') await ask('SELECT', database);
      let cursor = '0';
      do {
        const began = performance.now();
        const reply = await ask('SCAN', cursor, 'COUNT', String(batchKeys));
        const [next, names] = Array.isArray(reply) ? [String(reply[0]), reply[1] as unknown[]] : ['0', []];
        cursor = next;
        const keys = names.map(String).slice(0, limit - looked);
        looked += keys.length;
        const payloads = await Promise.all(keys.map((key) => lookAt(ask, key)));
        for (const [index, payload] of payloads.entries()) {
          const key = keys[index]!;
          if (payload) found.push({ key: attackKeys.includes(key) ? key : keyPattern(key), database, payload });
        }
        if (cursor !== '0') await delay((performance.now() - began) * rest, undefined, { signal });
      } while (cursor !== '0' && looked < limit);
    }
  } finally {
    if (databases.some(({ name }) => name !== '0')) await ask('SELECT', '0');
  }
  return { looked, total, found };
}

async function lookAt(ask: Ask, key: string): Promise<ReturnType<typeof payloadIn>> {
  const type = String(await ask('TYPE', key));
  for (const words of reads[type]?.(key) ?? []) {
    const reply = await ask(...words).catch(() => '');
    // Each by itself: elements that only stand beside each other are not a line.
    for (const text of flat(reply)) {
      const payload = payloadIn(text);
      if (payload) return payload;
    }
  }
  return undefined;
}

function flat(reply: unknown): string[] {
  if (Array.isArray(reply)) return reply.flatMap(flat);
  if (reply !== null && typeof reply === 'object' && !Buffer.isBuffer(reply))
    return Object.entries(reply).flatMap(flat);
  return [String(reply ?? '')];
}
