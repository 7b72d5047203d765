import { type Evidence, numberOf, type SampledKey } from '../evidence.js';
import { bytes, count, percent, type Rule } from '../finding.js';

const MiB = 1024 * 1024;

/** How far the sample can be trusted, in words. */
export function sampleError({ keys }: Evidence): string {
  if (!keys) return '';
  if (keys.complete) return `all ${count(keys.keys.length, 'key')} looked at`;
  const missed = keys.keys.length === 0 ? 1 : 3 / keys.keys.length;
  return `${keys.keys.length.toLocaleString('en')} of ${count(keys.total, 'key')} sampled: a kind of key below ${percent(missed)} of all can be missed`;
}

function largestPattern(keys: readonly SampledKey[]): { pattern: string; keys: SampledKey[] } | undefined {
  const groups = new Map<string, SampledKey[]>();
  for (const key of keys) groups.set(key.pattern, [...(groups.get(key.pattern) ?? []), key]);
  const [largest] = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return largest && { pattern: largest[0], keys: largest[1] };
}

const bigKey: Rule = (evidence) => {
  const sampled = evidence.keys?.keys ?? [];
  const [worst] = [...sampled].sort((a, b) => b.bytes - a.bytes);
  if (!worst || (worst.bytes < 10 * MiB && worst.elements < 100_000)) return undefined;
  const big = sampled.filter((key) => key.bytes >= 10 * MiB || (key.type !== 'string' && key.elements >= 100_000));
  const held = big.reduce((sum, key) => sum + key.bytes, 0);
  return {
    id: 'big-key',
    kind: 'slow',
    title: 'One key is very big',
    measured: `${worst.pattern} (${worst.type}): ${bytes(worst.bytes)}${worst.type === 'string' ? '' : `, ${count(worst.elements, 'element')}`}; ${sampleError(evidence)}`,
    threshold:
      '10 MiB or 100,000 elements: deleting or reading it whole stops the server, and it cannot be spread over shards',
    share: held / Math.max(1, numberOf(evidence.after, 'used_memory_dataset') ?? held),
    shareOf: 'of data',
    fix: 'Split it (by day, by user, by hash of the member); delete it with UNLINK.',
    risk: 'The application has to change with the data.',
    undo: 'Copy the parts back.',
  };
};

const immortal: Rule = (evidence) => {
  const sampled = evidence.keys?.keys ?? [];
  const stale = sampled.filter(({ expires, idleSeconds = 0 }) => !expires && idleSeconds > 7 * 86_400);
  const share = stale.length / Math.max(1, sampled.length);
  const most = largestPattern(stale);
  if (sampled.length < 100 || share < 0.2 || !most) return undefined;
  return {
    id: 'idle-keys-without-expiry',
    kind: 'waste',
    title: 'Many keys have no expiry and are not used',
    measured: `${percent(share)} of the sample not used for a week, most as ${most.pattern}; ${sampleError(evidence)}`,
    threshold: '20 % of at least 100 keys',
    share,
    shareOf: 'of keys',
    fix: `Set an expiry where ${most.pattern} is written; for what exists, EXPIRE in a SCAN loop.`,
    risk: 'What expires is gone: be sure that it can be made again.',
    undo: 'PERSIST before it expires.',
  };
};

const noExpiry: Rule = (evidence) => {
  const sampled = evidence.keys?.keys ?? [];
  const groups = new Map<string, SampledKey[]>();
  for (const key of sampled) groups.set(key.pattern, [...(groups.get(key.pattern) ?? []), key]);
  // A pattern where most keys expire and some do not: a path of the application forgets the expiry.
  const [leak] = [...groups]
    .map(([pattern, keys]) => ({ pattern, keys, forever: keys.filter(({ expires }) => !expires).length }))
    .filter(({ keys, forever }) => keys.length >= 50 && forever >= 5 && forever / keys.length < 0.5)
    .sort((a, b) => b.forever - a.forever);
  if (!leak) return undefined;
  return {
    id: 'expiry-forgotten',
    kind: 'next',
    title: 'Some keys of a kind never expire, while most do',
    measured: `${leak.forever} of ${leak.keys.length} sampled ${leak.pattern} have no expiry; ${sampleError(evidence)}`,
    threshold: 'at least 5 of 50, and fewer than half: one path of the application forgets it',
    share: leak.forever / sampled.length,
    shareOf: 'of keys',
    fix: `Find the write without an expiry: SET without EX, INCR on a new key, or HSET after the key expired.`,
  };
};

const hotKey: Rule = (evidence) => {
  const sampled = (evidence.keys?.keys ?? []).filter(({ frequency }) => frequency !== undefined);
  const [hottest] = [...sampled].sort((a, b) => b.frequency! - a.frequency!);
  if (!hottest || hottest.frequency! < 100 || sampled.length < 20) return undefined;
  const others = sampled.filter(({ frequency }) => frequency! > hottest.frequency! / 2).length;
  if (others > sampled.length / 20 + 1) return undefined;
  return {
    id: 'hot-key',
    kind: 'next',
    title: 'One key gets most of the traffic',
    measured: `${hottest.pattern}: access counter ${hottest.frequency} of 255, ${others - 1} others come near; ${sampleError(evidence)}`,
    threshold: 'counter 100 (about 100,000 accesses lately), with hardly another key above half of it',
    share: 1 / others,
    shareOf: 'of hot keys',
    fix: 'Keep a copy in the application (client-side caching of Redkeep is invalidated by the server), or split it.',
    risk: 'A cached copy may be milliseconds old.',
    undo: 'Turn the cache off.',
  };
};

export const keyRules: readonly Rule[] = [bigKey, immortal, noExpiry, hotKey];
