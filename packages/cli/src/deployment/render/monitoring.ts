import { stringify } from 'yaml';
import { prometheusRules } from '../../monitor/alerts/prometheus-rules.js';
import type { Deployment } from '../model.js';
import { prefixOf } from '../naming.js';
import { operatorService } from './operator-unit.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteUnit } from './systemd.js';

/**
 * The monitor as a service, the Prometheus configuration that scrapes it, and alert rules: the monitor's own, and some
 * for redis_exporter's metrics, which the monitor has as well.
 */
export function renderMonitoring(deployment: Deployment, folder: string): RenderedFile[] {
  return [
    operatorService(deployment, {
      path: 'monitoring/redkeep-monitor',
      purpose: 'watch the servers for attacks and faults',
      commands: [`redkeep monitor --dir ${quoteUnit(folder)}`],
      stays: true,
    }),
    { path: 'monitoring/redkeep.rules.yml', mode: 0o644, content: prometheusRules() },
    { path: 'monitoring/prometheus.yml', mode: 0o644, content: head + stringify(scrape(deployment), { lineWidth: 0 }) },
    { path: 'monitoring/alerts.yml', mode: 0o644, content: head + stringify(alerts(deployment), { lineWidth: 0 }) },
  ];
}

const head =
  '# Written by redkeep init. redkeep monitor logs in as the monitoring user, which sees no key and no value.\n';

function scrape({ nodes, name }: Deployment): unknown {
  return {
    rule_files: ['alerts.yml', 'redkeep.rules.yml'],
    scrape_configs: [
      {
        job_name: 'redkeep-monitor',
        scrape_interval: '15s',
        static_configs: [{ targets: ['127.0.0.1:9121'] }],
      },
      {
        job_name: prefixOf({ name }),
        metrics_path: '/scrape',
        scrape_interval: '30s',
        static_configs: [{ targets: nodes.map(({ host, port }) => `rediss://${bracket(host)}:${port}`) }],
        relabel_configs: [
          { source_labels: ['__address__'], target_label: '__param_target' },
          { source_labels: ['__param_target'], target_label: 'instance' },
          { target_label: '__address__', replacement: '127.0.0.1:9121' },
        ],
      },
    ],
  };
}

function bracket(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
}

/** For the exporter's label `cmd`: dangerous commands that nobody runs while a deployment works as planned. */
const alarmingCommands =
  'flushall|flushdb|debug.*|module.*|replicaof|slaveof|failover|shutdown|script.flush|function.*|migrate|cluster.meet';

function alertList({ policy, topology }: Deployment): Alert[] {
  const hours = policy.backupHours * 2;
  return [
    { name: 'RedisDown', expr: 'redis_up == 0', for: '1m', severity: 'critical', summary: 'does not answer' },
    {
      name: 'RedisPasswordGuessing',
      expr: 'rate(redis_acl_access_denied_auth_total[5m]) > 0.1 or rate(redis_errors_total{err="WRONGPASS"}[5m]) > 0.1',
      severity: 'critical',
      summary: 'refuses passwords again and again: look into ACL LOG',
    },
    {
      name: 'RedisUnauthenticatedProbe',
      expr: 'rate(redis_errors_total{err="NOAUTH"}[5m]) > 0.05',
      severity: 'warning',
      summary: 'is talked to by somebody without a name',
    },
    {
      name: 'RedisPermissionDenied',
      expr: 'increase(redis_errors_total{err="NOPERM"}[5m]) > 0',
      severity: 'warning',
      summary: 'refused a user a command or key',
    },
    {
      name: 'RedisConfigChanged',
      expr: 'increase(redis_commands_total{cmd=~"config.set|config.rewrite"}[5m]) > 0',
      severity: 'warning',
      summary: 'had its configuration changed: was it you?',
    },
    {
      name: 'RedisUsersChanged',
      expr: 'increase(redis_commands_total{cmd=~"acl.(setuser|deluser|load|save)"}[5m]) > 0',
      severity: 'warning',
      summary: 'had its users changed: was it you?',
    },
    {
      name: 'RedisDangerousCommand',
      expr: `increase(redis_commands_total{cmd=~"${alarmingCommands}"}[5m]) > 0 or increase(redis_commands_rejected_calls_total{cmd=~"${alarmingCommands}"}[5m]) > 0`,
      severity: 'critical',
      summary: 'was given a command that destroys or extracts data',
    },
    {
      name: 'RedisMemoryHigh',
      expr: 'redis_memory_used_bytes / redis_memory_max_bytes > 0.9 and redis_memory_max_bytes > 0',
      for: '5m',
      severity: 'warning',
      summary: 'is nearly full; then it refuses writes',
    },
    {
      name: 'RedisRejectsConnections',
      expr: 'increase(redis_rejected_connections_total[5m]) > 0',
      severity: 'critical',
      summary: 'has no room for more clients',
    },
    {
      name: 'RedisSaveFailed',
      expr: 'redis_rdb_last_bgsave_status == 0 or redis_aof_last_write_status == 0',
      severity: 'critical',
      summary: 'cannot write its data',
    },
    {
      name: 'RedisSaveStale',
      expr: `time() - redis_rdb_last_save_timestamp_seconds > ${hours * 3600}`,
      severity: 'warning',
      summary: `has not saved for ${hours} hours`,
    },
    ...(topology === 'single' ? [] : replicationAlerts),
    ...(topology === 'cluster' ? clusterAlerts : []),
  ];
}

const replicationAlerts: readonly Alert[] = [
  {
    name: 'RedisReplicaLinkDown',
    expr: 'redis_master_link_up == 0',
    for: '2m',
    severity: 'critical',
    summary: 'has lost its primary',
  },
  {
    name: 'RedisFullResync',
    expr: 'increase(redis_replica_resyncs_full[10m]) > 0',
    severity: 'warning',
    summary: 'sent its whole data set to somebody: a new replica of yours?',
  },
  {
    name: 'RedisRoleChanged',
    // A role is a label of this metric: a change makes another series, which `changes` cannot see.
    expr: 'count by (instance) (count by (instance, role) (last_over_time(redis_instance_info[10m]))) > 1',
    severity: 'warning',
    summary: 'changed roles',
  },
];

const clusterAlerts: readonly Alert[] = [
  {
    name: 'RedisClusterNotOk',
    expr: 'redis_cluster_state == 0',
    for: '1m',
    severity: 'critical',
    summary: 'says that the cluster does not serve all keys',
  },
];

function alerts(deployment: Deployment): unknown {
  return {
    groups: [
      {
        name: prefixOf(deployment),
        rules: alertList(deployment).map((alert) => ({
          alert: alert.name,
          expr: alert.expr,
          ...(alert.for === undefined ? {} : { for: alert.for }),
          labels: { severity: alert.severity },
          annotations: { summary: `{{ $labels.instance }} ${alert.summary}` },
        })),
      },
    ],
  };
}
