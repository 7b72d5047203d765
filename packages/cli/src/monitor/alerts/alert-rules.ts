import type { EventName } from '../detect/events.js';

export type Severity = 'critical' | 'warning';

/** When a state is an alert: `redkeep_node_<state>` compared with a number, for some time. */
export interface StateCondition {
  readonly state: string;
  readonly operator: '<' | '>' | '==';
  readonly value: number;
  readonly forSeconds: number;
}

export interface AlertRule {
  /** The name in Prometheus, Alertmanager and every message. */
  readonly alert: string;
  readonly severity: Severity;
  /** What is the matter, with the node as its subject. */
  readonly summary: string;
  /** What to do first. */
  readonly nextStep: string;
  /** An event within the last five minutes, or a state. */
  readonly when: { readonly event: EventName } | StateCondition;
}

const is = (state: string, operator: StateCondition['operator'], value: number, forSeconds = 0): StateCondition => ({
  state,
  operator,
  value,
  forSeconds,
});

const day = 86_400;

/**
 * Every alert there is. Prometheus rules, their tests, the dashboard, direct messages and docs/monitoring.md all come
 * from this table.
 */
export const alertRules: readonly AlertRule[] = [
  {
    alert: 'RedkeepNodeDown',
    severity: 'critical',
    summary: 'does not answer the monitor',
    nextStep: 'redkeep health --ready shows the reason; redkeep status shows what runs.',
    when: is('up', '==', 0, 30),
  },
  {
    alert: 'RedkeepPasswordGuessing',
    severity: 'critical',
    summary: 'refused ten or more logins within five minutes',
    nextStep: 'Look up the address in ACL LOG and block it; check whether the user exists.',
    when: { event: 'password-guessing' },
  },
  {
    alert: 'RedkeepPasswordSpray',
    severity: 'critical',
    summary: 'refused logins for five or more different names within five minutes',
    nextStep: 'Block the address in ACL LOG; nobody mistypes five names.',
    when: { event: 'password-spray' },
  },
  {
    alert: 'RedkeepUnauthenticatedProbe',
    severity: 'warning',
    summary: 'received commands without a login',
    nextStep: 'Find the client: a scanner, or a health check that does not log in.',
    when: { event: 'unauthenticated-probe' },
  },
  {
    alert: 'RedkeepPermissionDenied',
    severity: 'warning',
    summary: 'refused a user a command, a key or a channel',
    nextStep: 'ACL LOG names user and command: a deployment that changed, or stolen credentials that are being tried.',
    when: { event: 'permission-denied' },
  },
  {
    alert: 'RedkeepDangerousCommandDenied',
    severity: 'critical',
    summary: 'refused a command that changes or destroys a server',
    nextStep: 'Find the user in ACL LOG, rotate its password with redkeep rotate users, and look at its host.',
    when: { event: 'dangerous-command-denied' },
  },
  {
    alert: 'RedkeepConfigurationChanged',
    severity: 'warning',
    summary: 'had its configuration changed with CONFIG SET',
    nextStep: 'If it was not you: redkeep audit shows what differs from the plan.',
    when: { event: 'configuration-changed' },
  },
  {
    alert: 'RedkeepUsersChanged',
    severity: 'warning',
    summary: 'had its users changed',
    nextStep: 'If it was not you: redkeep acl diff shows the difference, redkeep acl apply puts it back.',
    when: { event: 'users-changed' },
  },
  {
    alert: 'RedkeepModulesChanged',
    severity: 'critical',
    summary: 'loaded or unloaded a module',
    nextStep: 'A module is native code: isolate the server and keep the file as evidence.',
    when: { event: 'modules-changed' },
  },
  {
    alert: 'RedkeepCodeLoaded',
    severity: 'warning',
    summary: 'had scripts or function libraries loaded or removed',
    nextStep: 'Compare FUNCTION LIST with what your application deploys.',
    when: { event: 'code-loaded' },
  },
  {
    alert: 'RedkeepDataDestroyed',
    severity: 'critical',
    summary: 'ran a command that empties or exchanges databases',
    nextStep: 'If it was not you: stop writes, keep dump.rdb and the append-only files, restore to the moment before.',
    when: { event: 'data-destroyed' },
  },
  {
    alert: 'RedkeepDebugCommand',
    severity: 'critical',
    summary: 'ran DEBUG',
    nextStep: 'Set enable-debug-command no and find the user that may run it.',
    when: { event: 'debug-command' },
  },
  {
    alert: 'RedkeepMonitorSession',
    severity: 'critical',
    summary: 'has or had a client in MONITOR, which sees every command of every client',
    nextStep: 'CLIENT LIST TYPE normal shows it with the flag O; end it and rotate what it saw.',
    when: { event: 'monitor-session' },
  },
  {
    alert: 'RedkeepClientsPaused',
    severity: 'warning',
    summary: 'had its clients paused',
    nextStep: 'CLIENT UNPAUSE, if it was neither a failover nor a backup of yours.',
    when: { event: 'clients-paused' },
  },
  {
    alert: 'RedkeepTopologyChanged',
    severity: 'critical',
    summary: 'was told to copy another server or to change its place in the cluster',
    nextStep: 'INFO replication names the primary: if it is not yours, REPLICAOF NO ONE and treat it as an incident.',
    when: { event: 'topology-changed' },
  },
  {
    alert: 'RedkeepForeignPrimary',
    severity: 'critical',
    summary: 'copies a primary that is not of its deployment',
    nextStep: 'REPLICAOF NO ONE, then treat it as an incident: the data may be replaced and a module loaded.',
    when: is('foreign_primary', '>', 0),
  },
  {
    alert: 'RedkeepUnknownReplica',
    severity: 'critical',
    summary: 'sends all its data to a replica that is not of its deployment',
    nextStep:
      'INFO replication names the address: block it, CLIENT KILL TYPE replica, rotate the replication password.',
    when: is('unknown_replicas', '>', 0),
  },
  {
    alert: 'RedkeepReplicationIdChanged',
    severity: 'critical',
    summary: 'has another replication id without a failover or restart',
    nextStep: 'It was made a replica and back: look for REPLICAOF in its log, and compare the data with a backup.',
    when: { event: 'replication-id-changed' },
  },
  {
    alert: 'RedkeepDataCopied',
    severity: 'critical',
    summary: 'sent keys to another server with MIGRATE',
    nextStep: 'If it was not you: find the user that may run MIGRATE, and where the keys went.',
    when: { event: 'data-copied' },
  },
  {
    alert: 'RedkeepExfiltration',
    severity: 'warning',
    summary: 'is being read far more than usual with commands that walk or dump the data',
    nextStep: 'CLIENT LIST shows who sends KEYS, SCAN or DUMP; redkeep acl explain shows who may.',
    when: { event: 'exfiltration' },
  },
  {
    alert: 'RedkeepEvidenceErased',
    severity: 'critical',
    summary: 'had its statistics, its slow log or its ACL LOG reset',
    nextStep: 'Ask who did it; keep the log files and the metrics of the time before.',
    when: { event: 'evidence-erased' },
  },
  {
    alert: 'RedkeepNewClientNetwork',
    severity: 'warning',
    summary: 'has a client from a network that it has not seen before',
    nextStep: 'If it is yours, add it with --network; else block it and rotate the password of that user.',
    when: { event: 'new-client-network' },
  },
  {
    alert: 'RedkeepUnknownUserConnected',
    severity: 'critical',
    summary: 'has a client logged in as a user that the deployment does not have',
    nextStep: 'redkeep acl diff names the user; ACL DELUSER ends its connections.',
    when: is('unknown_users', '>', 0),
  },
  {
    alert: 'RedkeepPlaintextClients',
    severity: 'critical',
    summary: 'has clients that are not under TLS',
    nextStep: 'CONFIG SET port 0, then CLIENT KILL LADDR for those that are still connected.',
    when: is('plaintext_clients', '>', 0),
  },
  {
    alert: 'RedkeepPlaintextPortOpen',
    severity: 'critical',
    summary: 'listens on a port without TLS',
    nextStep: 'CONFIG SET port 0, and find out who opened it.',
    when: is('plaintext_port_open', '>', 0),
  },
  {
    alert: 'RedkeepCertificateExpiresSoon',
    severity: 'warning',
    summary: 'serves a certificate that ends within 30 days',
    nextStep: 'redkeep certs renew, or find out why its timer has not run.',
    when: is('certificate_seconds_left', '<', 30 * day),
  },
  {
    alert: 'RedkeepCertificateExpires',
    severity: 'critical',
    summary: 'serves a certificate that ends within 7 days or has ended',
    nextStep: 'redkeep certs renew now: clients refuse an expired certificate.',
    when: is('certificate_seconds_left', '<', 7 * day),
  },
  {
    alert: 'RedkeepCertificateUntrusted',
    severity: 'critical',
    summary: 'serves a certificate that the CA or the name does not vouch for',
    nextStep: 'redkeep certs check; if the certificate is not yours, somebody else answers at this address.',
    when: is('certificate_trusted', '==', 0),
  },
  {
    alert: 'RedkeepCertificateNotReloaded',
    severity: 'warning',
    summary: 'serves another certificate than the one in its file',
    nextStep: 'redkeep certs renew reloads it; a sentinel needs a restart.',
    when: is('certificate_matches_file', '==', 0, 300),
  },
  {
    alert: 'RedkeepCertificateChanged',
    severity: 'critical',
    summary: 'began to serve another certificate that is not the one of its file',
    nextStep: 'If you did not replace it, somebody else answers at this address.',
    when: { event: 'certificate-changed' },
  },
  {
    alert: 'RedkeepRestarted',
    severity: 'warning',
    summary: 'was restarted',
    nextStep: 'Its log says why; check that users and configuration are the planned ones: redkeep audit.',
    when: { event: 'restarted' },
  },
  {
    alert: 'RedkeepMemoryHigh',
    severity: 'warning',
    summary: 'uses more than 90 % of its memory limit',
    nextStep: 'Find keys without an expiry, or raise maxmemory.',
    when: is('memory_used_ratio', '>', 0.9, 300),
  },
  {
    alert: 'RedkeepReplicaLinkDown',
    severity: 'critical',
    summary: 'has lost its primary',
    nextStep: 'Check replication password, certificate and network between the two.',
    when: is('primary_link_up', '==', 0, 60),
  },
  {
    alert: 'RedkeepClusterNotOk',
    severity: 'critical',
    summary: 'says that the cluster does not serve all keys',
    nextStep: 'CLUSTER NODES shows which node is missing.',
    when: is('cluster_ok', '==', 0, 60),
  },
  {
    alert: 'RedkeepSentinelPrimaryNotOk',
    severity: 'critical',
    summary: 'is a sentinel that sees its primary as down',
    nextStep: 'SENTINEL MASTERS shows the flags.',
    when: is('sentinel_primary_ok', '==', 0, 30),
  },
  {
    alert: 'RedkeepSaveFailed',
    severity: 'critical',
    summary: 'cannot write its data to disk',
    nextStep: 'Look at free space and permissions of its data folder.',
    when: is('saves_ok', '==', 0),
  },
  {
    alert: 'RedkeepSecretOverdue',
    severity: 'warning',
    summary: 'has a password, key or certificate that is older than its profile allows',
    nextStep: 'redkeep rotate status names it: rotate it, or find out why its timer has not run.',
    when: is('secret_overdue', '>', 0, 300),
  },
  {
    alert: 'RedkeepBackupOverdue',
    severity: 'warning',
    summary: 'has no backup that is as young as its profile asks',
    nextStep: 'redkeep backup, or find out why its timer has not run.',
    when: is('backup_overdue', '>', 0, 300),
  },
  {
    alert: 'RedkeepAuditGradeLow',
    severity: 'warning',
    summary: 'was graded C or worse by its last audit',
    nextStep: 'redkeep audit lists the findings with their fixes.',
    when: is('audit_grade', '>', 1, 300),
  },
];

/** How long an event counts as an alert, in messages as in Prometheus. */
export const eventWindowSeconds = 300;
