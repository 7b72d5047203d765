import type { Proof } from './format/proof.js';
import type { History } from './restore/histories.js';

export interface BackupFacts {
  readonly source: string;
  readonly histories: readonly History[];
  readonly proofs: readonly Proof[];
  /** The shard of each gap. */
  readonly gaps: readonly string[];
  readonly problems: number;
}

/** What is known of a backup in Prometheus's text format. Names of sources and shards need no escaping. */
export function metricsText({ source, histories, proofs, gaps, problems }: BackupFacts): string {
  const shards = [...new Set(histories.map(({ shard }) => shard))].sort();
  const endOf = (shard: string) =>
    Math.max(...histories.filter((history) => history.shard === shard).map(({ end }) => end.second));
  const proved = proofs.at(-1);
  const provedAt = proved ? Date.parse(proved.at) / 1000 : 0;
  return [
    '# HELP redkeep_backup_end_timestamp_seconds The newest second that can be restored.',
    '# TYPE redkeep_backup_end_timestamp_seconds gauge',
    ...shards.map(
      (shard) => `redkeep_backup_end_timestamp_seconds{source="${source}",shard="${shard}"} ${endOf(shard)}`,
    ),
    '# HELP redkeep_backup_gaps Full resyncs that broke the archive.',
    '# TYPE redkeep_backup_gaps gauge',
    ...shards.map(
      (shard) =>
        `redkeep_backup_gaps{source="${source}",shard="${shard}"} ${gaps.filter((gap) => gap === shard).length}`,
    ),
    '# HELP redkeep_backup_proved_timestamp_seconds When a restore was last proved; 0 for never.',
    '# TYPE redkeep_backup_proved_timestamp_seconds gauge',
    `redkeep_backup_proved_timestamp_seconds{source="${source}"} ${provedAt}`,
    '# HELP redkeep_backup_restore_seconds How long that restore took.',
    '# TYPE redkeep_backup_restore_seconds gauge',
    `redkeep_backup_restore_seconds{source="${source}"} ${(proved?.tookMs ?? 0) / 1000}`,
    '# HELP redkeep_backup_problems Entries that do not verify.',
    '# TYPE redkeep_backup_problems gauge',
    `redkeep_backup_problems{source="${source}"} ${problems}`,
    '',
  ].join('\n');
}

/** The second up to which all shards can be restored: a set of shards is as new as its oldest one. */
function endOfAll(histories: readonly History[]): number | undefined {
  const ends = new Map<string, number>();
  for (const { shard, end } of histories) ends.set(shard, Math.max(ends.get(shard) ?? 0, end.second));
  return ends.size === 0 ? undefined : Math.min(...ends.values());
}

/** What `redkeep audit --records` reads of backups and restore tests. */
export function recordsOf(histories: readonly History[], proofs: readonly Proof[], offHost: boolean) {
  const restoreTest = proofs.at(-1)?.at;
  const end = endOfAll(histories);
  const takenAt = end === undefined ? undefined : new Date(end * 1000).toISOString();
  return {
    backups: takenAt === undefined ? [] : [{ takenAt, encrypted: true, offHost, keyBeside: false }],
    ...(restoreTest === undefined ? {} : { restoreTest }),
  };
}
