import { type Evidence, growth, numberOf } from '../evidence.js';
import { bytes, count, percent, type Rule } from '../finding.js';

function used(evidence: Evidence): number {
  return numberOf(evidence.after, 'used_memory') ?? 0;
}

const MiB = 1024 * 1024;

const evictions: Rule = (evidence) => {
  const recent = growth(evidence, 'evicted_keys');
  if (recent === 0) return undefined;
  const commands = growth(evidence, 'total_commands_processed');
  return {
    id: 'evictions',
    kind: 'slow',
    title: 'Keys are evicted to make room',
    measured: `${count(recent, 'key')} in ${Math.round(evidence.seconds)} s under ${evidence.after['maxmemory_policy']}`,
    threshold: 'any while watched',
    share: Math.min(1, recent / Math.max(recent, commands)),
    shareOf: 'of commands',
    fix: 'Raise maxmemory, shorten expiry, or take out what is not needed (largest kinds of keys below).',
    risk: 'For a pure cache evictions are ordinary; for sessions they log people out.',
    undo: 'CONFIG SET maxmemory with the earlier value.',
  };
};

const memoryFull: Rule = (evidence) => {
  const most = numberOf(evidence.after, 'maxmemory') ?? 0;
  const policy = evidence.after['maxmemory_policy'] ?? '';
  const share = most > 0 ? used(evidence) / most : 0;
  if (share < 0.9 || policy.startsWith('allkeys')) return undefined;
  const volatile = policy.startsWith('volatile');
  return {
    id: 'memory-nearly-full',
    kind: 'next',
    title: 'Writes will soon be refused for lack of memory',
    measured: `${bytes(used(evidence))} of ${bytes(most)} (${percent(share)}), policy ${policy}`,
    threshold: volatile ? '90 %: only keys with an expiry can be evicted' : '90 %: nothing can be evicted',
    share,
    shareOf: 'of maxmemory',
    fix: 'CONFIG SET maxmemory to more, give keys an expiry, or choose an eviction policy.',
    risk: 'More than the machine has ends in swapping or in the kernel killing the server.',
    undo: 'CONFIG SET maxmemory with the earlier value.',
  };
};

const noLimit: Rule = (evidence) => {
  const most = numberOf(evidence.after, 'maxmemory') ?? 0;
  const system = numberOf(evidence.after, 'total_system_memory') ?? 0;
  if (most > 0 || system === 0 || used(evidence) / system < 0.5) return undefined;
  return {
    id: 'no-memory-limit',
    kind: 'next',
    title: 'Memory is not limited and takes most of the machine',
    measured: `${bytes(used(evidence))} of ${bytes(system)}, maxmemory 0`,
    threshold: 'half of the machine: a snapshot can need as much again',
    share: used(evidence) / system,
    shareOf: "of the machine's memory",
    fix: `CONFIG SET maxmemory ${Math.floor((system * 0.6) / MiB)}mb`,
    risk: 'At the limit writes are refused or keys evicted, by maxmemory-policy.',
    undo: 'CONFIG SET maxmemory 0',
  };
};

const volatileWithoutExpiry: Rule = (evidence) => {
  const policy = evidence.after['maxmemory_policy'] ?? '';
  const most = numberOf(evidence.after, 'maxmemory') ?? 0;
  if (!policy.startsWith('volatile') || most === 0) return undefined;
  let keys = 0;
  let expiring = 0;
  for (const [field, text] of Object.entries(evidence.after)) {
    if (!/^db\d+$/.test(field)) continue;
    keys += Number(/keys=(\d+)/.exec(text)?.[1] ?? 0);
    expiring += Number(/expires=(\d+)/.exec(text)?.[1] ?? 0);
  }
  const share = keys === 0 ? 0 : 1 - expiring / keys;
  if (keys < 100 || share < 0.5) return undefined;
  return {
    id: 'policy-cannot-evict',
    kind: 'next',
    title: 'The eviction policy has little to evict',
    measured: `${policy}, but ${percent(share)} of ${count(keys, 'key')} have no expiry`,
    threshold: '50 %',
    share,
    shareOf: 'of keys',
    fix: 'Give these keys an expiry, or choose an allkeys policy if all of this data may go.',
    risk: 'allkeys policies delete data that was meant to stay.',
    undo: `CONFIG SET maxmemory-policy ${policy}`,
  };
};

const fragmentation: Rule = (evidence) => {
  const ratio = numberOf(evidence.after, 'mem_fragmentation_ratio') ?? 1;
  const wasted = numberOf(evidence.after, 'mem_fragmentation_bytes') ?? 0;
  if (ratio < 1.5 || wasted < 100 * MiB) return undefined;
  const resident = numberOf(evidence.after, 'used_memory_rss') ?? wasted;
  return {
    id: 'fragmentation',
    kind: 'waste',
    title: 'Freed memory does not go back to the system',
    measured: `${bytes(wasted)} more than the data needs (ratio ${ratio})`,
    threshold: 'ratio 1.5 and 100 MiB; small servers always have a high ratio',
    share: wasted / resident,
    shareOf: 'of resident memory',
    fix: 'CONFIG SET activedefrag yes (where the server is built with jemalloc), or MEMORY PURGE.',
    risk: 'Defragmentation uses up to 25 % of the main thread while it works.',
    undo: 'CONFIG SET activedefrag no',
  };
};

const clientBuffers: Rule = (evidence) => {
  const waiting = evidence.clients.filter(
    ({ outputBytes, outputBlocks, flags }) => (outputBytes > MiB || outputBlocks >= 2) && !flags.includes('S'),
  );
  const [worst] = [...waiting].sort((a, b) => b.outputBytes - a.outputBytes);
  if (!worst) return undefined;
  const total = waiting.reduce((sum, { outputBytes }) => sum + outputBytes, 0);
  const subscriber = /P/.test(worst.flags) || /subscribe/.test(worst.lastCommand);
  return {
    id: 'slow-reader',
    kind: 'next',
    title: 'A client does not read its answers',
    measured: `${bytes(total)} or more wait for ${count(waiting.length, 'client')}; most for ${worst.address}${worst.name ? ` (${worst.name})` : ''}, last command ${worst.lastCommand}`,
    threshold:
      '1 MiB or two blocks of replies for a client: it counts as memory of the server, and at the limit the server ends the connection',
    share: total / Math.max(1, used(evidence)),
    shareOf: 'of used memory',
    fix: subscriber
      ? 'Let the subscriber do its work outside the message handler, or publish less.'
      : 'Read smaller pieces; look at why that process is busy.',
    risk: `CLIENT KILL ADDR ${worst.address} frees the memory at once; the client reconnects.`,
  };
};

const scriptCache: Rule = (evidence) => {
  const scripts = numberOf(evidence.after, 'number_of_cached_scripts') ?? 0;
  const held =
    numberOf(evidence.after, 'used_memory_scripts_eval') ?? numberOf(evidence.after, 'used_memory_scripts') ?? 0;
  if (scripts < 500) return undefined;
  return {
    id: 'script-cache-grows',
    kind: 'next',
    title: 'Scripts are put together from data',
    measured: `${count(scripts, 'script')} cached, ${bytes(held)}`,
    threshold:
      '500: an application has a few dozen scripts; each new text stays in memory (evicted only from Redis 7.4 on)',
    share: held / Math.max(1, used(evidence)),
    shareOf: 'of used memory',
    fix: 'Pass data as KEYS and ARGV. SCRIPT FLUSH frees what is there.',
    risk: 'SCRIPT FLUSH makes EVALSHA fail once with NOSCRIPT; clients send the text again.',
  };
};

const overhead: Rule = (evidence) => {
  const clients =
    (numberOf(evidence.after, 'mem_clients_normal') ?? 0) + (numberOf(evidence.after, 'mem_clients_slaves') ?? 0);
  if (clients < 64 * MiB || clients / Math.max(1, used(evidence)) < 0.2) return undefined;
  return {
    id: 'memory-for-clients',
    kind: 'waste',
    title: 'Much of the memory holds connections, not data',
    measured: `${bytes(clients)} of ${bytes(used(evidence))} for ${evidence.after['connected_clients']} connections`,
    threshold: '64 MiB and 20 % of used memory',
    share: clients / used(evidence),
    shareOf: 'of used memory',
    fix: 'Fewer connections, smaller pipelines; CONFIG SET maxmemory-clients 10% (Redis 7.0) bounds it.',
    risk: 'At that bound the server ends the largest connections.',
    undo: 'CONFIG SET maxmemory-clients 0',
  };
};

export const memoryRules: readonly Rule[] = [
  evictions,
  memoryFull,
  noLimit,
  volatileWithoutExpiry,
  fragmentation,
  clientBuffers,
  scriptCache,
  overhead,
];
