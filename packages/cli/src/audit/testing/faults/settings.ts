import type { Engine } from '@redkeep/testing';
import { freePort } from '@redkeep/testing';
import { versionAtLeast } from '../../../vocabulary/engines.js';
import type { Expectations } from '../../facts/facts.js';
import type { Fault } from '../hardened.js';

function meant(expected: Partial<Expectations>): NonNullable<Fault['request']> {
  return (request) => ({ ...request, expectations: { ...request.expectations, ...expected } });
}

const valkey81 = ({ kind, version }: Engine): boolean => kind === 'valkey' && versionAtLeast(version, '8.1');

/** Settings of redis.conf. */
export const settingsFaults: readonly Fault[] = [
  { name: 'a plaintext port next to TLS', plaintext: true, expect: ['NET-005'] },
  { name: 'protected mode is off', config: { 'protected-mode': 'no' }, expect: ['NET-003'] },
  { name: 'listens on every interface', config: { bind: '*' }, expect: ['NET-002'] },
  { name: 'no memory limit', config: { maxmemory: '0' }, expect: ['CFG-011'] },
  { name: 'neither AOF nor snapshots', config: { appendonly: 'no' }, expect: ['BKP-001'] },
  { name: 'the AOF is never forced to disk', config: { appendfsync: 'no' }, expect: ['BKP-001'] },
  { name: 'new users get every channel', config: { 'acl-pubsub-default': 'allchannels' }, expect: ['ACL-007'] },
  {
    name: 'requirepass beside an ACL file',
    config: { requirepass: 'test-only-Qz7Lw2Xn9Vb4Tk8Rm3Pd6HsWq' },
    expect: ['AUTH-012'],
  },
  { name: 'DEBUG is enabled', config: { 'enable-debug-command': 'yes' }, expect: ['CFG-001'] },
  { name: 'modules can be loaded', config: { 'enable-module-command': 'yes' }, expect: ['CFG-002'] },
  { name: 'modules can be loaded locally', config: { 'enable-module-command': 'local' }, expect: ['CFG-002'] },
  { name: 'protected settings can be changed', config: { 'enable-protected-configs': 'yes' }, expect: ['CFG-003'] },
  { name: 'the data file is a key file', config: { dbfilename: 'authorized_keys' }, expect: ['CFG-006'] },
  { name: 'a replica would take writes', config: { 'replica-read-only': 'no' }, expect: ['CFG-009'] },
  { name: 'idle clients stay for ever', config: { timeout: '0' }, expect: ['CFG-012'] },
  { name: 'dead peers stay for ever', config: { 'tcp-keepalive': '0' }, expect: ['CFG-012'] },
  { name: 'no output limit for normal clients', without: ['client-output-buffer-limit'], expect: ['CFG-013'] },
  {
    name: 'no output limit for subscribers',
    config: { 'client-output-buffer-limit': 'pubsub 0 0 0\nclient-output-buffer-limit normal 64mb 32mb 60' },
    expect: ['CFG-013'],
  },
  { name: 'values of 1 GB', config: { 'proto-max-bulk-len': '1gb' }, expect: ['CFG-014'] },
  { name: 'a query buffer of 4 GB', config: { 'client-query-buffer-limit': '4gb' }, expect: ['CFG-014'] },
  { name: "no limit for all clients' memory", config: { 'maxmemory-clients': '0' }, expect: ['CFG-015'] },
  { name: 'scripts may run for a minute', config: { 'busy-reply-threshold': '60000' }, expect: ['CFG-016'] },
  { name: 'every change of every key is announced', config: { 'notify-keyspace-events': 'KEA' }, expect: ['CFG-019'] },
  { name: 'the log is thrown away', config: { logfile: '/dev/null' }, expect: ['LOG-001'] },
  { name: 'only warnings are logged', config: { loglevel: 'warning' }, expect: ['LOG-003'] },
  { name: 'everything is logged', config: { loglevel: 'debug' }, expect: ['LOG-003'] },
  { name: 'the ACL log is short', config: { 'acllog-max-len': '128' }, expect: ['LOG-004'] },
  { name: 'slow commands are not recorded', config: { 'slowlog-log-slower-than': '-1' }, expect: ['LOG-008'] },
  { name: 'the slow log is short', config: { 'slowlog-max-len': '16' }, expect: ['LOG-008'] },
  { name: 'latency is not watched', config: { 'latency-monitor-threshold': '0' }, expect: ['LOG-008'] },
  { name: 'the AOF has no timestamps', config: { 'aof-timestamp-enabled': 'no' }, expect: ['BKP-006'] },
  { name: 'failed saves do not stop writes', config: { 'stop-writes-on-bgsave-error': 'no' }, expect: ['BKP-007'] },
  { name: 'snapshots have no checksum', config: { rdbchecksum: 'no' }, expect: ['BKP-007'] },
  { name: 'listens on every IPv4 address', config: { bind: '0.0.0.0' }, expect: ['NET-002'] },
  {
    name: 'everybody may use the Unix socket',
    config: { unixsocket: 'redis.sock', unixsocketperm: '777' },
    expect: ['NET-007'],
  },
  { name: 'the data file is a PHP page', config: { dbfilename: 'shell.php' }, expect: ['CFG-006'] },
  { name: 'the data file is a shell script', config: { dbfilename: 'update.sh' }, expect: ['CFG-006'] },
  { name: 'a command is renamed', config: { 'rename-command': 'DEBUG ""' }, expect: ['ACL-016'] },
  { name: 'idle clients stay for two hours', config: { timeout: '7200' }, expect: ['CFG-012'] },
  { name: 'more memory than the host has', config: { maxmemory: '4096gb' }, expect: ['CFG-011'] },
  { name: 'a cache that cannot evict', request: meant({ dataRole: 'cache' }), expect: ['CFG-011'] },
  {
    name: 'a store that evicts',
    config: { 'maxmemory-policy': 'allkeys-lru' },
    request: meant({ dataRole: 'store' }),
    expect: ['CFG-011'],
  },
  { name: 'a weak masterauth', config: { masterauth: 'test-only-x' }, expect: ['AUTH-006'] },
  { name: 'the slow log begins late', config: { 'slowlog-log-slower-than': '1000000' }, expect: ['LOG-008'] },
  { name: 'all generic events are announced', config: { 'notify-keyspace-events': 'AE' }, expect: ['CFG-019'] },
  { name: 'fewer replicas than declared', request: meant({ minReplicas: 1 }), expect: ['BKP-009'] },
  {
    name: 'user data may reach the log',
    appliesTo: ({ version }) => versionAtLeast(version, '8.0'),
    config: { 'hide-user-data-from-log': 'no' },
    expect: ['LOG-009'],
  },
  {
    name: 'insecure Lua functions',
    appliesTo: valkey81,
    config: { 'lua-enable-insecure-api': 'yes' },
    expect: ['CFG-020'],
  },
  {
    name: 'a cluster bus in clear',
    prepare: async () => ({
      config: { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()), 'tls-cluster': 'no' },
    }),
    expect: ['NET-008', 'TLS-018'],
  },
];
