import { createHash } from 'node:crypto';
import type { DeploymentState } from '../deployment-states.js';
import { eventNames } from '../detect/events.js';
import { type Expectations, userLabel } from '../detect/expectations.js';
import type { NodeMemory } from '../detect/node-memory.js';
import { numberOf } from '../info.js';
import type { NodeSnapshot } from '../snapshot.js';
import { type Metric, MetricSet } from './sample.js';

/** What is known about one node after a round. */
export interface NodeView {
  readonly snapshot: NodeSnapshot;
  readonly memory: NodeMemory | undefined;
  readonly states: Readonly<Record<string, number>>;
  /** The last list of clients; not every round asks for one. */
  readonly clients: NodeSnapshot['clients'];
  readonly expected: Expectations;
}

export interface DeploymentView {
  readonly name: string;
  readonly state: DeploymentState | undefined;
}

const stateHelp: Readonly<Record<string, string>> = {
  up: 'Whether the server answered the monitor.',
  certificate_seconds_left: 'Seconds until the first certificate of the served chain ends; negative when it has.',
  certificate_trusted: 'Whether the CA and the host name vouch for the served certificate.',
  certificate_matches_file: "Whether the served certificate is the one in the deployment's file.",
  foreign_primary: 'Whether the server copies a primary that is not of its deployment.',
  unknown_replicas: 'Replicas that are not of the deployment.',
  plaintext_clients: 'Clients that are not under TLS.',
  plaintext_port_open: 'Whether the server listens without TLS.',
  unknown_users: 'Clients logged in as a user that the deployment does not have.',
  monitor_clients: 'Clients in MONITOR.',
  memory_used_ratio: 'Used memory by maxmemory.',
  primary_link_up: 'Whether the link of a replica to its primary is up.',
  cluster_ok: 'Whether the cluster serves all keys, as this node sees it.',
  saves_ok: 'Whether the last save to disk succeeded.',
  sentinel_primary_ok: 'Whether a sentinel sees its primary as well.',
  secret_overdue:
    'Passwords and encryption keys older than the profile allows, and certificates that end within 30 days.',
  backup_overdue: 'Whether the newest backup is older than twice the interval of the profile.',
  audit_grade: 'Grade of the last audit: 0 for A to 4 for F.',
};

/** The metrics that no other exporter has. Labels are bounded: nodes, users of the deployment, words of this program. */
export function redkeepMetrics(
  nodes: readonly NodeView[],
  deployments: readonly DeploymentView[],
  version: string,
): Metric[] {
  const metrics = new MetricSet();
  metrics.gauge('redkeep_monitor_info', 'The monitor itself.', 1, { version });
  const last = Math.max(...nodes.map(({ snapshot }) => snapshot.at));
  metrics.gauge('redkeep_monitor_last_round_timestamp_seconds', 'Unix time of the last round.', last / 1000);
  for (const view of nodes) addNode(metrics, view);
  for (const view of deployments) addDeployment(metrics, view);
  return metrics.list();
}

function addNode(metrics: MetricSet, { snapshot, memory, states, clients, expected }: NodeView): void {
  const { node, info, certificate } = snapshot;
  const labels = { deployment: node.deployment, node: node.name };
  metrics.gauge(
    'redkeep_round_duration_seconds',
    'Seconds that the last round took.',
    snapshot.durationMs / 1000,
    labels,
  );
  for (const [state, value] of Object.entries(states))
    metrics.gauge(`redkeep_node_${state}`, stateHelp[state] ?? state, value, labels);
  for (const event of eventNames)
    metrics.counter(
      'redkeep_events_total',
      'Events by kind; docs/monitoring.md lists them.',
      memory?.events[event] ?? 0,
      {
        ...labels,
        event,
      },
    );
  for (const [user, count] of Object.entries(memory?.refusedLogins ?? {}))
    metrics.counter('redkeep_refused_logins_total', 'Failed logins by user.', count, { ...labels, user });
  for (const [key, count] of Object.entries(memory?.refusedCommands ?? {})) {
    const [user = '', reason = ''] = key.split(' ');
    metrics.counter('redkeep_refused_commands_total', 'Refused commands, keys and channels, by user.', count, {
      ...labels,
      user,
      reason,
    });
  }
  const own = [...snapshot.ownRefusals.values()].reduce((sum, count) => sum + count, 0);
  metrics.gauge('redkeep_own_refusals', 'Commands that the server does not let the monitor ask.', own, labels);
  if (certificate) {
    metrics.gauge(
      'redkeep_certificate_not_after_timestamp_seconds',
      'Unix time at which the served chain ends.',
      certificate.notAfter.getTime() / 1000,
      labels,
    );
    metrics.gauge('redkeep_tls_info', 'Protocol that a new client gets.', 1, {
      ...labels,
      protocol: certificate.protocol,
    });
  }
  const byUser = new Map<string, number>();
  for (const { user } of clients ?? []) {
    const label = userLabel(expected, user);
    byUser.set(label, (byUser.get(label) ?? 0) + 1);
  }
  for (const [user, count] of byUser)
    metrics.gauge('redkeep_clients', 'Connected clients by user.', count, { ...labels, user });
  const networks = { ...Object.fromEntries([...byUser.keys()].map((user) => [user, []])), ...memory?.networks };
  for (const [user, list] of Object.entries(networks))
    metrics.gauge(
      'redkeep_client_networks',
      'Networks that clients came from, beside those of the deployment itself.',
      list.length,
      {
        ...labels,
        user,
      },
    );
  const prints = fingerprints(snapshot, memory);
  for (const [of, value] of Object.entries(prints))
    metrics.gauge('redkeep_fingerprint', 'First 48 bits of a SHA-256: changes when what it is of changes.', value, {
      ...labels,
      of,
    });
  if (info) {
    metrics.counter(
      'redkeep_connections_received_total',
      'Connections that were accepted.',
      numberOf(info, 'total_connections_received'),
      labels,
    );
    metrics.counter(
      'redkeep_output_bytes_total',
      'Bytes sent to clients.',
      numberOf(info, 'total_net_output_bytes'),
      labels,
    );
  }
}

function addDeployment(metrics: MetricSet, { name, state }: DeploymentView): void {
  if (!state) return;
  const deployment = { deployment: name };
  for (const { kind, name: secret, ageSeconds } of state.secrets)
    metrics.gauge(
      'redkeep_secret_age_seconds',
      'Seconds since a password, certificate or encryption key was made.',
      ageSeconds,
      {
        ...deployment,
        kind,
        secret,
      },
    );
  metrics.gauge('redkeep_backup_age_seconds', 'Seconds since the newest backup.', state.backupAgeSeconds, deployment);
  metrics.gauge(
    'redkeep_restore_test_age_seconds',
    'Seconds since a backup was last proved by a restore.',
    state.restoreTestAgeSeconds,
    deployment,
  );
  // Rules look at nodes; a deployment's own state is under the node `all`.
  for (const [key, value] of Object.entries(state.states))
    metrics.gauge(`redkeep_node_${key}`, stateHelp[key] ?? key, value, { ...deployment, node: 'all' });
}

/** What INFO and MODULE LIST show of it without a right to read configuration or users. */
const settingFields = [
  ...['redis_version', 'valkey_version', 'redis_build_id', 'executable', 'config_file', 'tcp_port', 'maxclients'],
  ...['maxmemory', 'maxmemory_policy', 'aof_enabled', 'cluster_enabled', 'configured_hz', 'io_threads_active'],
];

export function fingerprints({ info }: NodeSnapshot, memory: NodeMemory | undefined): Record<string, number> {
  if (!info || !memory) return {};
  const calls = (pattern: RegExp) =>
    Object.entries(memory.commands)
      .filter(([name]) => pattern.test(name))
      .map(([name, [count]]) => `${name}=${count}`)
      .sort();
  const settings = settingFields.map((field) => `${field}=${info.fields.get(field) ?? ''}`);
  return {
    configuration: hashNumber([...settings, ...calls(/^config\|(set|rewrite)$/)]),
    users: hashNumber([memory.runId, ...calls(/^acl\|(setuser|deluser|load)$/)]),
    modules: hashNumber([memory.modules ?? '']),
    functions: hashNumber([String(memory.libraries ?? 0), ...calls(/^function\|(load|delete|flush|restore)$/)]),
  };
}

function hashNumber(parts: readonly string[]): number {
  return createHash('sha256').update(parts.join('\n')).digest().readUIntBE(0, 6);
}
