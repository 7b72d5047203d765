import { setTimeout as delay } from 'node:timers/promises';
import type { Ask } from '../audit/gather/live.js';
import type { KeySample, SampledKey } from './evidence.js';
import { keyPattern } from './key-pattern.js';

export interface SampleOptions {
  readonly keys: number;
  readonly showKeys: boolean;
  readonly signal: AbortSignal;
}

/** Keys asked about in one go. */
const BATCH = 50;
/** After each batch the sampler rests this many times as long as the batch took: at most 5 % of one connection's time. */
const REST = 19;

const sizeCommand: Readonly<Record<string, string>> = {
  string: 'STRLEN',
  list: 'LLEN',
  set: 'SCARD',
  zset: 'ZCARD',
  hash: 'HLEN',
  stream: 'XLEN',
};

/**
 * Looks at keys in the order of SCAN, which follows the hash of their names and so is as good as random.
 * Reads sizes and expiry, never values. `complete` says that every key was seen; else a kind of key that makes up less
 * than 3/n of all keys can have been missed (the rule of three, with 95 % confidence).
 */
export async function sampleKeys(ask: Ask, options: SampleOptions): Promise<KeySample> {
  const total = Number(await ask('DBSIZE'));
  const keys: SampledKey[] = [];
  const readUse = await useCommand(ask);
  let cursor = '0';
  let finished = false;
  do {
    const started = performance.now();
    const reply = await ask('SCAN', cursor, 'COUNT', String(BATCH));
    const [next, names] = Array.isArray(reply) ? [String(reply[0]), reply[1] as unknown[]] : ['0', []];
    cursor = next;
    finished = cursor === '0';
    const wanted = names.slice(0, options.keys - keys.length).map(String);
    const looked = await Promise.all(wanted.map((name) => lookAt(ask, name, options.showKeys, readUse)));
    keys.push(...looked.filter((key) => key !== undefined));
    if (!finished && keys.length < options.keys)
      await delay((performance.now() - started) * REST, undefined, { signal: options.signal }).catch(() => undefined);
  } while (!finished && keys.length < options.keys && !options.signal.aborted);
  return { keys, total, complete: finished };
}

/** OBJECT FREQ works under an LFU policy, OBJECT IDLETIME under the others; the answer for an unknown key shows which. */
async function useCommand(ask: Ask): Promise<'FREQ' | 'IDLETIME'> {
  const policy = /maxmemory_policy:(\S+)/.exec(String(await ask('INFO', 'memory')))?.[1] ?? '';
  return policy.includes('lfu') ? 'FREQ' : 'IDLETIME';
}

async function lookAt(
  ask: Ask,
  name: string,
  showKeys: boolean,
  use: 'FREQ' | 'IDLETIME',
): Promise<SampledKey | undefined> {
  const refused = (): undefined => undefined;
  const [type, bytes, expiry, used] = await Promise.all([
    ask('TYPE', name).then(String),
    ask('MEMORY', 'USAGE', name, 'SAMPLES', '5').then(Number, refused),
    ask('PTTL', name).then(Number),
    ask('OBJECT', use, name).then(Number, refused),
  ]);
  if (type === 'none') return undefined;
  const size = sizeCommand[type];
  const elements = size ? await ask(size, name).then(Number, refused) : undefined;
  return {
    pattern: showKeys ? name : keyPattern(name),
    type,
    bytes: bytes ?? 0,
    elements: elements ?? 0,
    expires: expiry >= 0,
    ...(used !== undefined && (use === 'FREQ' ? { frequency: used } : { idleSeconds: used })),
  };
}
