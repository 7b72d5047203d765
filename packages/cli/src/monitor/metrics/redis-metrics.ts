import { isWell } from '../gather/sentinel-views.js';
import { commandCounters, errorCounters, type Info, numberOf, pairsOf, replicasOf } from '../info.js';
import type { NodeSnapshot, SentinelView } from '../snapshot.js';
import { counterNames, gaugeNames } from './redis-names.js';
import { type Metric, MetricSet } from './sample.js';

/**
 * What one server said, under redis_exporter's names and labels. Configuration is taken from INFO: reading it with
 * CONFIG GET would need a right that also hands out `masterauth`.
 */
export function redisMetrics(snapshot: NodeSnapshot): Metric[] {
  const metrics = new MetricSet();
  metrics.gauge('redis_up', 'Whether the server answered.', snapshot.up ? 1 : 0);
  metrics.gauge(
    'redis_exporter_last_scrape_duration_seconds',
    'Seconds that the last round took.',
    snapshot.durationMs / 1000,
  );
  metrics.gauge('redis_exporter_last_scrape_error', 'Whether the last round failed.', snapshot.up ? 0 : 1, {
    err: snapshot.problem ?? '',
  });
  const { info } = snapshot;
  if (!info) return metrics.list();
  for (const source of [info, snapshot.clusterInfo]) if (source) addFields(metrics, source);
  addServer(metrics, info, snapshot.at);
  addCommands(metrics, info, snapshot);
  addKeyspace(metrics, info);
  addReplication(metrics, info);
  addSentinel(metrics, info, snapshot.sentinel ?? []);
  for (const value of info.modules) addModule(metrics, value);
  metrics.gauge('redis_slowlog_length', 'Entries of the slow log.', snapshot.slowlogLength);
  for (const { name, lastSeconds, durationMs } of snapshot.latency ?? []) {
    const labels = { event_name: name };
    metrics.gauge('redis_latency_spike_last', 'Unix time of the last latency spike.', lastSeconds, labels);
    metrics.gauge(
      'redis_latency_spike_duration_seconds',
      'Length of the last latency spike.',
      durationMs / 1000,
      labels,
    );
  }
  return metrics.list();
}

const words: Readonly<Record<string, number>> = { ok: 1, true: 1, err: 0, fail: 0, false: 0 };

function addFields(metrics: MetricSet, { fields }: Info): void {
  for (const [field, text] of fields) {
    const value = words[text] ?? (text === '' ? Number.NaN : Number(text));
    const help = `${field} of INFO.`;
    if (Object.hasOwn(counterNames, field)) metrics.counter(`redis_${counterNames[field]}`, help, value);
    else if (Object.hasOwn(gaugeNames, field)) metrics.gauge(`redis_${gaugeNames[field]}`, help, value);
    else if (/^cluster_/.test(field)) metrics.gauge(`redis_${field}`, help, value);
  }
}

const identity = [
  ...['role', 'redis_version', 'redis_build_id', 'redis_mode', 'os', 'maxmemory_policy', 'tcp_port', 'run_id'],
  ...['process_id', 'master_replid'],
];
const identityOfValkey = ['valkey_version', 'valkey_release_stage'];

function addServer(metrics: MetricSet, info: Info, at: number): void {
  const { fields } = info;
  const names = [...identity, ...identityOfValkey.filter((name) => fields.has(name))];
  const labels = Object.fromEntries(names.map((name) => [name, fields.get(name) ?? '']));
  metrics.gauge('redis_instance_info', 'What the server says of itself.', 1, labels);
  const uptime = numberOf(info, 'uptime_in_seconds');
  if (uptime !== undefined)
    metrics.gauge('redis_start_time_seconds', 'Unix time at which it started.', Math.floor(at / 1000) - uptime);
  // Named as if CONFIG GET had said it, because dashboards and rules ask for it there.
  metrics.gauge('redis_config_maxclients', 'maxclients, as INFO says.', numberOf(info, 'maxclients'));
  metrics.gauge('redis_config_maxmemory', 'maxmemory, as INFO says.', numberOf(info, 'maxmemory'));
  const forkMicroseconds = numberOf(info, 'latest_fork_usec');
  if (forkMicroseconds !== undefined)
    metrics.gauge('redis_latest_fork_seconds', 'Seconds that the last fork took.', forkMicroseconds / 1e6);
  const rss = numberOf(info, 'used_memory_rss');
  const used = numberOf(info, 'used_memory');
  if (rss !== undefined && used)
    metrics.gauge(
      'redis_memory_fragmentation_ratio',
      "The mixin's recording rule: resident by used memory.",
      rss / used,
    );
}

function addCommands(metrics: MetricSet, info: Info, { ownRefusals }: NodeSnapshot): void {
  const commands = commandCounters(info);
  for (const [cmd, { calls, usec, rejected, failed }] of commands) {
    metrics.counter('redis_commands_total', 'Calls by command.', calls, { cmd });
    metrics.counter('redis_commands_duration_seconds_total', 'Seconds by command.', usec / 1e6, { cmd });
    metrics.counter(
      'redis_commands_rejected_calls_total',
      'Calls refused before they ran.',
      Math.max(0, rejected - (ownRefusals.get(cmd) ?? 0)),
      { cmd },
    );
    metrics.counter('redis_commands_failed_calls_total', 'Calls that ended in an error.', failed, { cmd });
  }
  // What the server refused to this monitor is not what somebody tried.
  const own = [...ownRefusals.values()].reduce((sum, count) => sum + count, 0);
  for (const [err, count] of errorCounters(info)) {
    metrics.counter(
      'redis_errors_total',
      'Error replies by their code.',
      Math.max(0, count - (err === 'NOPERM' ? own : 0)),
      {
        err,
      },
    );
  }
  for (const [name, value] of info.fields) {
    const cmd = /^latency_percentiles_usec_(.*)/.exec(name)?.[1];
    if (cmd === undefined) continue;
    for (const [percentile, usec] of Object.entries(pairsOf(value))) {
      const quantile = String(Number(percentile.slice(1)) / 100);
      metrics.gauge('redis_latency_percentiles_usec', 'Latency percentiles by command.', Number(usec), {
        cmd,
        quantile,
      });
    }
    const counters = commands.get(cmd);
    const help = 'Sum and count that belong to the latency percentiles.';
    metrics.counter('redis_latency_percentiles_usec_sum', help, counters?.usec, { cmd });
    metrics.counter('redis_latency_percentiles_usec_count', help, counters?.calls, { cmd });
  }
}

function addKeyspace(metrics: MetricSet, { fields }: Info): void {
  if (fields.get('redis_mode') !== 'sentinel' && ![...fields.keys()].some((name) => /^db\d+$/.test(name))) {
    // An empty server has no line, but a panel that shows nothing reads as a fault.
    metrics.gauge('redis_db_keys', 'Keys by database.', 0, { db: 'db0' });
    metrics.gauge('redis_db_keys_expiring', 'Keys with an expiry by database.', 0, { db: 'db0' });
  }
  for (const [db, value] of fields) {
    if (!/^db\d+$/.test(db)) continue;
    const { keys, expires, avg_ttl } = pairsOf(value);
    metrics.gauge('redis_db_keys', 'Keys by database.', Number(keys), { db });
    metrics.gauge('redis_db_keys_expiring', 'Keys with an expiry by database.', Number(expires), { db });
    if (avg_ttl !== undefined)
      metrics.gauge('redis_db_avg_ttl_seconds', 'Mean time to live by database.', Number(avg_ttl) / 1000, { db });
  }
}

function addReplication(metrics: MetricSet, info: Info): void {
  const { fields } = info;
  for (const { ip, port, state, offset, lag } of replicasOf(info)) {
    const labels = { slave_ip: ip, slave_port: port, slave_state: state };
    metrics.gauge('redis_connected_slave_offset_bytes', 'Replication offset of a replica.', offset, labels);
    metrics.gauge('redis_connected_slave_lag_seconds', 'Seconds since a replica last reported.', lag, labels);
  }
  const host = fields.get('master_host');
  if (host === undefined) return;
  const labels = { master_host: host, master_port: fields.get('master_port') ?? '' };
  const up = fields.get('master_link_status') === 'up' ? 1 : 0;
  metrics.gauge('redis_master_link_up', 'Whether the link to the primary is up.', up, labels);
  for (const name of ['master_last_io_seconds_ago', 'master_sync_in_progress', 'slave_repl_offset'])
    metrics.gauge(`redis_${name}`, `${name} of INFO.`, numberOf(info, name), labels);
  metrics.gauge('redis_slave_info', 'The primary of a replica.', 1, {
    ...labels,
    read_only: fields.get('slave_read_only') ?? '',
  });
}

function addModule(metrics: MetricSet, value: string): void {
  const {
    name = '',
    ver = '',
    api = '',
    filters = '',
    usedby = '',
    using = '',
  } = pairsOf(value.replace(/\[([^\]]*)\]/g, (_, list: string) => list.replaceAll(',', ' ')));
  metrics.gauge('redis_module_info', 'A module that is loaded.', 1, { name, ver, api, filters, usedby, using });
}

function addSentinel(metrics: MetricSet, info: Info, views: readonly SentinelView[]): void {
  if (info.fields.get('redis_mode') !== 'sentinel') return;
  for (const name of ['masters', 'tilt', 'running_scripts', 'scripts_queue_length', 'simulate_failure_flags'])
    metrics.gauge(`redis_sentinel_${name}`, `sentinel_${name} of INFO.`, numberOf(info, `sentinel_${name}`));
  for (const [name, value] of info.fields) {
    if (!/^master\d+$/.test(name)) continue;
    const { name: master_name = '', status = '', address = '', slaves, sentinels } = pairsOf(value);
    const labels = { master_name, master_address: address };
    metrics.gauge(
      'redis_sentinel_master_status',
      'Whether a sentinel sees the primary as well.',
      status === 'ok' ? 1 : 0,
      {
        ...labels,
        master_status: status,
      },
    );
    metrics.gauge('redis_sentinel_master_slaves', 'Replicas of the primary.', Number(slaves), labels);
    metrics.gauge('redis_sentinel_master_sentinels', 'Sentinels of the primary.', Number(sentinels), labels);
  }
  for (const { fields, quorumMet, quorumMessage, sentinelFlags, replicaFlags } of views) {
    const { name: master_name = '', ip = '', port = '' } = fields;
    const labels = { master_name, master_address: `${ip}:${port}` };
    const add = (metric: string, help: string, value: number) =>
      metrics.gauge(`redis_sentinel_master_${metric}`, help, value, labels);
    metrics.gauge('redis_sentinel_master_ckquorum_status', 'Whether enough sentinels are reached.', Number(quorumMet), {
      master_name,
      message: quorumMessage,
    });
    add('ok_sentinels', 'Sentinels that are well, this one included.', sentinelFlags.filter(isWell).length + 1);
    add('ok_slaves', 'Replicas that are well.', replicaFlags.filter(isWell).length);
    add('setting_ckquorum', 'Sentinels that must agree.', Number(fields['quorum']));
    add(
      'setting_down_after_milliseconds',
      'Silence until a server counts as down.',
      Number(fields['down-after-milliseconds']),
    );
    add('setting_failover_timeout', 'Time that a failover may take.', Number(fields['failover-timeout']));
    add('setting_parallel_syncs', 'Replicas that follow a new primary at once.', Number(fields['parallel-syncs']));
    add('config_epoch', 'Grows with each failover.', Number(fields['config-epoch']));
    add(
      'last_ok_ping_reply_seconds',
      'Seconds since the primary last answered.',
      Number(fields['last-ok-ping-reply']) / 1000,
    );
  }
}
