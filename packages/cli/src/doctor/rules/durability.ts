import { type Evidence, growth, numberOf } from '../evidence.js';
import { bytes, count, microseconds, type Rule } from '../finding.js';

const snapshotFailed: Rule = ({ after }) => {
  if (after['rdb_last_bgsave_status'] !== 'err' && after['aof_last_bgrewrite_status'] !== 'err') return undefined;
  const which = after['rdb_last_bgsave_status'] === 'err' ? 'snapshot (BGSAVE)' : 'rewrite of the append-only file';
  return {
    id: 'snapshot-failed',
    kind: 'failing',
    title: 'Data is no longer saved',
    measured: `the last ${which} failed; ${count(numberOf(after, 'rdb_changes_since_last_save') ?? 0, 'change')} not saved`,
    threshold: 'any',
    share: 1,
    shareOf: 'of the next snapshot',
    fix: 'The server log has the reason: disk full, no permission for the folder, or no memory to fork. Fix it and run BGSAVE.',
    risk: 'BGSAVE forks: memory for what changes meanwhile.',
  };
};

const aofFailed: Rule = ({ after }) => {
  if (after['aof_last_write_status'] !== 'err') return undefined;
  return {
    id: 'append-only-write-failed',
    kind: 'failing',
    title: 'The append-only file cannot be written',
    measured: 'aof_last_write_status: err',
    threshold: 'any: the server refuses writes until it works again',
    share: 1,
    shareOf: 'of writes',
    fix: 'Free space on the disk of the data folder.',
    risk: 'Do not delete files of appendonlydir: they are the data.',
  };
};

const delayedSync: Rule = (evidence) => {
  const recent = growth(evidence, 'aof_delayed_fsync');
  if (recent === 0) return undefined;
  return {
    id: 'disk-too-slow',
    kind: 'slow',
    title: 'Writes wait for the disk',
    measured: `${count(recent, 'write')} waited for fsync in ${Math.round(evidence.seconds)} s`,
    threshold: 'any while watched',
    share: Math.min(1, recent / evidence.seconds),
    shareOf: 'of the time',
    fix: 'Use a faster disk, or one that nothing else writes to; CONFIG SET no-appendfsync-on-rewrite yes helps during rewrites.',
    risk: 'With no-appendfsync-on-rewrite a crash during a rewrite can lose up to 30 s.',
    undo: 'CONFIG SET no-appendfsync-on-rewrite no',
  };
};

const slowFork: Rule = (evidence) => {
  const usec = numberOf(evidence.after, 'latest_fork_usec') ?? 0;
  if (usec < 100_000) return undefined;
  const gib = (numberOf(evidence.after, 'used_memory_rss') ?? 0) / 1024 ** 3;
  return {
    id: 'slow-fork',
    kind: 'slow',
    title: 'Each snapshot stops the server',
    measured: `the last fork took ${microseconds(usec)}${gib >= 0.1 ? ` (${microseconds(usec / gib)} per GiB)` : ''}`,
    threshold: '100 ms: nobody is served meanwhile; 10 to 20 ms per GiB are usual',
    share: Math.min(1, usec / 1e6),
    shareOf: 'of a second, each snapshot',
    fix: 'Take snapshots on a replica; use smaller instances; turn transparent huge pages off.',
  };
};

const linkDown: Rule = ({ after }) => {
  if (after['role'] !== 'slave' || after['master_link_status'] === 'up') return undefined;
  return {
    id: 'replication-link-down',
    kind: 'failing',
    title: 'This replica has lost its primary',
    measured: `link ${after['master_link_status']} for ${after['master_link_down_since_seconds'] ?? '?'} s, primary ${after['master_host']}:${after['master_port']}`,
    threshold: 'any',
    share: 1,
    shareOf: 'of new writes missing here',
    fix: 'Look at the log of both: wrong masterauth (ACL LOG on the primary), certificate, network, or the primary is gone.',
  };
};

const lag: Rule = (evidence) => {
  const { after } = evidence;
  if (after['role'] !== 'master') return undefined;
  const offset = numberOf(after, 'master_repl_offset') ?? 0;
  const replicas = Object.entries(after)
    .filter(([field]) => /^slave\d+$/.test(field))
    .map(([, text]) => ({
      address: `${/ip=([^,]+)/.exec(text)?.[1]}:${/port=(\d+)/.exec(text)?.[1]}`,
      state: /state=(\w+)/.exec(text)?.[1] ?? '',
      lag: Number(/lag=(-?\d+)/.exec(text)?.[1] ?? 0),
      behind: offset - Number(/offset=(\d+)/.exec(text)?.[1] ?? offset),
    }));
  const late = replicas.filter(({ lag: seconds, state }) => seconds > 10 || (state !== 'online' && state !== ''));
  const [worst] = late.sort((a, b) => b.behind - a.behind);
  if (!worst) return undefined;
  return {
    id: 'replica-behind',
    kind: 'next',
    title: 'A replica is behind',
    measured: `${worst.address}: ${worst.state}, ${bytes(Math.max(0, worst.behind))} and ${worst.lag} s behind`,
    threshold: '10 s: a failover would lose these writes',
    share: late.length / replicas.length,
    shareOf: 'of replicas',
    fix: 'Look at that machine: CPU, disk, network; a paused or loading replica catches up by itself.',
  };
};

const backlog: Rule = (evidence) => {
  const { after } = evidence;
  if (after['role'] !== 'master' || (numberOf(after, 'connected_slaves') ?? 0) === 0) return undefined;
  const size = numberOf(after, 'repl_backlog_size') ?? 0;
  const rate = growth(evidence, 'master_repl_offset') / evidence.seconds;
  const survived = size / Math.max(1, rate);
  if (size === 0 || survived >= 60) return undefined;
  return {
    id: 'backlog-too-small',
    kind: 'next',
    title: 'A short break of the network means a full copy',
    measured: `backlog of ${bytes(size)} at ${bytes(rate)}/s written: ${Math.round(survived)} s`,
    threshold: '60 s: a restart of a replica takes about that long',
    share: Math.min(1, 1 - survived / 60),
    shareOf: 'of a minute missing',
    fix: `CONFIG SET repl-backlog-size ${Math.ceil((rate * 300) / 1024 / 1024)}mb`,
    risk: 'Takes that much memory.',
    undo: `CONFIG SET repl-backlog-size ${size}`,
  };
};

const fullSyncs: Rule = (evidence) => {
  const recent = growth(evidence, 'sync_full');
  if (recent === 0) return undefined;
  return {
    id: 'full-resync',
    kind: 'slow',
    title: 'A replica copies everything anew',
    measured: `${count(recent, 'full synchronisation')} while watched`,
    threshold: 'any: it forks, and sends all data',
    share: 1,
    shareOf: 'of data sent again',
    fix: 'If it repeats: larger repl-backlog-size and client-output-buffer-limit replica.',
    risk: 'Takes memory.',
    undo: 'CONFIG SET with the earlier values.',
  };
};

const clusterState: Rule = ({ after }) => {
  const missing = (numberOf(after, 'cluster_slots_fail') ?? 0) + (numberOf(after, 'cluster_slots_pfail') ?? 0);
  if (after['cluster_state'] !== 'fail' && missing === 0) return undefined;
  return {
    id: 'cluster-not-ok',
    kind: 'failing',
    title: 'Part of the cluster is away',
    measured: `cluster_state:${after['cluster_state'] ?? '?'}, ${count(missing, 'slot')} without a primary`,
    threshold: 'any',
    share: Math.max(missing / 16384, 0.01),
    shareOf: 'of slots',
    fix: 'CLUSTER NODES names the nodes that fail: bring them or their replicas back.',
    risk: 'CLUSTER FAILOVER TAKEOVER can lose writes.',
  };
};

const host: Rule = ({ host: facts, after }) => {
  if (!facts) return undefined;
  const swapped = facts.swappedBytes ?? 0;
  const resident = numberOf(after, 'used_memory_rss') ?? 1;
  if (swapped > 1024 * 1024)
    return {
      id: 'swapped',
      kind: 'slow',
      title: 'Memory of the server lies in swap',
      measured: `${bytes(swapped)}`,
      threshold: '1 MiB: each access waits for the disk',
      share: Math.min(1, swapped / (swapped + resident)),
      shareOf: 'of its memory',
      fix: 'Give it less maxmemory or the machine more memory, then restart it.',
      risk: 'A restart interrupts clients; fail over first.',
    };
  const snapshots = (numberOf(after, 'latest_fork_usec') ?? 0) > 0 || after['aof_enabled'] === '1';
  if (facts.transparentHugePages === 'always' && snapshots)
    return {
      id: 'huge-pages',
      kind: 'slow',
      title: 'Transparent huge pages are on',
      measured: 'transparent_hugepage/enabled: always',
      threshold: 'always: after each fork a write copies 2 MiB instead of 4 KiB',
      share: 0.1,
      shareOf: 'of latency around snapshots, by experience',
      fix: 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled (as root), then restart the server.',
      risk: 'Other programs of the machine may want huge pages.',
      undo: 'echo always > /sys/kernel/mm/transparent_hugepage/enabled',
    };
  if (facts.overcommitMemory === '0' && snapshots && resident > 1024 ** 3)
    return {
      id: 'overcommit-off',
      kind: 'next',
      title: 'The kernel may refuse the memory for a snapshot',
      measured: `vm.overcommit_memory = 0 with ${bytes(resident)} resident`,
      threshold: '1 GiB: a fork asks for as much again, although it hardly uses it',
      share: 0.1,
      shareOf: 'of snapshots at risk',
      fix: 'sysctl vm.overcommit_memory=1',
      risk: 'The kernel no longer refuses; it ends a process when memory runs out.',
      undo: 'sysctl vm.overcommit_memory=0',
    };
  return undefined;
};

const certificate: Rule = ({ certificateExpires, now }) => {
  if (!certificateExpires) return undefined;
  const days = (certificateExpires.getTime() - now.getTime()) / 86_400_000;
  if (days > 30) return undefined;
  return {
    id: 'certificate-expires',
    kind: days <= 0 ? 'failing' : 'next',
    title: days <= 0 ? 'The certificate has expired' : 'The certificate expires soon',
    measured: `valid until ${certificateExpires.toISOString().slice(0, 16).replace('T', ' ')} UTC (${days <= 0 ? 'over' : count(Math.floor(days), 'day')})`,
    threshold: '30 days; critical at 7',
    share: days <= 7 ? 1 : 1 - days / 30,
    shareOf: 'of new connections from that moment on',
    fix: 'redkeep certs renew',
    risk: 'None: connections that are open stay open.',
    undo: 'Put the earlier certificate back.',
  };
};

/** Days until memory is full at the pace of the time that was watched; a short look, and so only a hint. */
const growthOfMemory: Rule = (evidence: Evidence) => {
  const most = numberOf(evidence.after, 'maxmemory') ?? 0;
  const rate = growth(evidence, 'used_memory_dataset') / evidence.seconds;
  const left = most - (numberOf(evidence.after, 'used_memory') ?? 0);
  if (most === 0 || rate <= 0 || left <= 0 || growth(evidence, 'used_memory_dataset') < 1024 * 1024) return undefined;
  const seconds = left / rate;
  if (seconds > 3600) return undefined;
  return {
    id: 'memory-runs-out',
    kind: 'next',
    title: 'Memory fills up quickly',
    measured: `${bytes(rate)}/s while watched: full in about ${Math.max(1, Math.round(seconds / 60))} minutes at that pace`,
    threshold: 'an hour',
    share: percentageOf(seconds),
    shareOf: 'of an hour',
    fix: 'Look at what is being written (largest kinds of keys), and give it an expiry.',
  };
};

function percentageOf(seconds: number): number {
  return Math.max(0, 1 - seconds / 3600);
}

export const durabilityRules: readonly Rule[] = [
  snapshotFailed,
  aofFailed,
  delayedSync,
  slowFork,
  linkDown,
  lag,
  backlog,
  fullSyncs,
  clusterState,
  host,
  certificate,
  growthOfMemory,
];
