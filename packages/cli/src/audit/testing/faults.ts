import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { createPki } from '@redkeep/testing';
import { versionAtLeast } from '../verdict/version.js';
import { type Fault, sha256 } from './hardened.js';

const day = 86_400_000;

function user(name: string, change: (line: string) => string): NonNullable<Fault['users']> {
  return (lines) => lines.map((line) => (line.startsWith(`user ${name} `) ? change(line) : line));
}

const grant = (rules: string): NonNullable<Fault['users']> => user('app', (line) => `${line} ${rules}`);

async function withServer(names: readonly string[], notBefore: Date, notAfter: Date) {
  const pki = await createPki();
  const server = await pki.authority.issue({ commonName: 'localhost', names, notBefore, notAfter });
  return { ...pki, server };
}

/** Faults of a running server and of its files: applied one at a time, each must cause exactly its findings. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'the default user is on without a password',
    users: user('default', () => 'user default on nopass resetkeys resetchannels -@all +ping'),
    expect: ['AUTH-001', 'AUTH-002'],
  },
  {
    name: 'the default user is on with a password',
    users: user(
      'default',
      () => `user default on #${sha256('test-only-9c1f22ab74')} resetkeys resetchannels -@all +ping`,
    ),
    expect: ['AUTH-004'],
  },
  {
    name: 'the ACL file does not mention the default user',
    users: (lines) => lines.filter((line) => !line.startsWith('user default')),
    expect: [
      'ACL-001',
      'ACL-004',
      'ACL-005',
      'ACL-006',
      'ACL-007',
      'ACL-008',
      'ACL-009',
      'ACL-010',
      'ACL-011',
      'AUTH-001',
      'AUTH-002',
      'AUTH-003',
      'AUTH-013',
    ],
  },
  {
    name: 'a user was changed at run time only',
    after: (server) => server.command('ACL', 'SETUSER', 'app', '+lolwut', '-get'),
    expect: ['AUTH-013'],
  },
  { name: 'a plaintext port next to TLS', plaintext: true, expect: ['NET-005'] },
  { name: 'protected mode is off', config: { 'protected-mode': 'no' }, expect: ['NET-003'] },
  { name: 'listens on every interface', config: { bind: '*' }, expect: ['NET-002'] },
  {
    name: 'TLS 1.1 is accepted',
    config: { 'tls-protocols': '"TLSv1.1 TLSv1.2 TLSv1.3"', 'tls-ciphers': 'DEFAULT@SECLEVEL=0' },
    expect: ['TLS-002', 'TLS-003'],
  },
  { name: 'the server picks its own suites', without: ['tls-ciphers'], expect: ['TLS-003'] },
  {
    name: 'the certificate comes from a CA nobody was given',
    certificate: 'otherServer',
    expect: ['TLS-008'],
  },
  { name: 'the certificate has another name', certificate: 'wrongName', expect: ['TLS-009'] },
  { name: 'the certificate has expired', certificate: 'expired', expect: ['TLS-010'] },
  {
    name: 'the certificate has nine days left',
    pki: () => withServer(['localhost', '127.0.0.1'], new Date(Date.now() - 60 * day), new Date(Date.now() + 9 * day)),
    expect: ['TLS-010'],
  },
  { name: 'an application may FLUSHALL', users: grant('+flushall'), expect: ['ACL-001'] },
  { name: 'an application may list clients', users: grant('+client|list'), expect: ['ACL-001'] },
  { name: 'an application may run KEYS', users: grant('+keys'), expect: ['ACL-001'] },
  { name: 'an application may run scripts', users: grant('+eval'), expect: ['ACL-004'] },
  { name: 'an application may store functions', users: grant('+function|load'), expect: ['ACL-004'] },
  { name: 'an application may RESTORE', users: grant('+restore'), expect: ['ACL-005'] },
  { name: 'an application may MIGRATE', users: grant('+migrate'), expect: ['ACL-005'] },
  { name: 'an application may change the configuration', users: grant('+config|set'), expect: ['ACL-009'] },
  { name: 'an application may change users', users: grant('+acl|setuser'), expect: ['ACL-010'] },
  { name: 'no memory limit', config: { maxmemory: '0' }, expect: ['CFG-011'] },
  { name: 'neither AOF nor snapshots', config: { appendonly: 'no' }, expect: ['BKP-001'] },
  { name: 'the AOF is never forced to disk', config: { appendfsync: 'no' }, expect: ['BKP-001'] },
  {
    name: 'everybody reads the configuration file',
    after: (server) => chmod(server.configFile, 0o644),
    expect: ['HOST-003'],
  },
  {
    name: 'everybody reads the ACL file',
    after: (server) => chmod(join(server.dir, 'users.acl'), 0o644),
    expect: ['HOST-004'],
  },
  {
    name: 'everybody reads the data',
    after: (server) => chmod(server.dir, 0o755),
    expect: ['HOST-005'],
  },
  {
    name: 'everybody reads the private key',
    after: async (server) => {
      const [, path] = (await server.command('CONFIG', 'GET', 'tls-key-file')) as string[];
      await chmod(path!, 0o644);
    },
    expect: ['TLS-015'],
  },
  // Rights, one at a time.
  ...['SWAPDB', 'FLUSHDB', 'SAVE', 'BGSAVE', 'BGREWRITEAOF', 'SHUTDOWN', 'SORT', 'RANDOMKEY', 'DEBUG'].map(
    (name): Fault => ({
      name: `an application may run ${name}`,
      users: grant(`+${name.toLowerCase()}`),
      expect: ['ACL-001'],
    }),
  ),
  ...['client|kill', 'client|pause', 'slowlog|get', 'latency|reset', 'module|list'].map(
    (rule): Fault => ({
      name: `an application may run ${rule}`,
      users: grant(`+${rule}`),
      expect: ['ACL-001'],
    }),
  ),
  ...['evalsha', 'fcall', 'function|flush', 'script|flush', 'script|load', '@scripting'].map(
    (rule): Fault => ({
      name: `an application has +${rule}`,
      users: grant(`+${rule}`),
      expect: ['ACL-004'],
    }),
  ),
  ...['sync', 'psync', 'monitor'].map(
    (rule): Fault => ({
      name: `an application may ${rule}`,
      users: grant(`+${rule}`),
      expect: ['ACL-008'],
    }),
  ),
  ...['config|get', 'config|rewrite', 'module|load'].map(
    (rule): Fault => ({
      name: `an application may run ${rule}`,
      users: grant(`+${rule}`),
      expect: ['ACL-009'],
    }),
  ),
  { name: 'an application may list users', users: grant('+acl|list'), expect: ['ACL-010'] },
  ...['replicaof', 'failover', 'cluster|meet'].map(
    (rule): Fault => ({
      name: `an application may run ${rule}`,
      users: grant(`+${rule}`),
      expect: ['ACL-011'],
    }),
  ),
  {
    name: 'the recipe +@read +@write',
    users: user('app', (line) =>
      line.replace(
        /-@all.*/,
        '-@all +@read +@write -randomkey -@scripting -function -restore -migrate -restore-asking',
      ),
    ),
    expect: ['ACL-002'],
  },
  {
    name: '-@dangerous before +@write',
    users: user('app', (line) =>
      line.replace(
        /-@all.*/,
        '-@all -@dangerous +@read +@write -randomkey -@scripting -function -restore -migrate -restore-asking',
      ),
    ),
    expect: ['ACL-003'],
  },
  {
    name: 'an application reaches every key',
    users: user('app', (line) => line.replace('~app:*', '~*')),
    expect: ['ACL-006'],
  },
  {
    name: 'an application reads every key',
    users: user('app', (line) => line.replace('~app:*', '%R~*')),
    expect: ['ACL-006'],
  },
  {
    name: 'an application reaches every channel',
    users: user('app', (line) => line.replace('&app:*', '&*')),
    expect: ['ACL-007'],
  },
  { name: 'new users get every channel', config: { 'acl-pubsub-default': 'allchannels' }, expect: ['ACL-007'] },
  {
    name: 'three administrators',
    users: (lines) => [
      ...lines,
      ...['ops', 'root'].map((name) => `user ${name} on #${sha256(`test-only-${name}-1`)} ~* &* +@all`),
    ],
    expect: ['ACL-012'],
  },
  {
    name: 'a disabled user keeps every right',
    users: (lines) => [...lines, `user former off #${sha256('test-only-former')} ~* &* +@all`],
    expect: ['ACL-014'],
  },
  {
    name: 'the monitoring user reaches data',
    users: (lines) => [
      ...lines,
      `user monitoring on #${sha256('test-only-monitoring')} ~app:* resetchannels -@all +ping +info`,
    ],
    expect: ['ACL-015'],
  },
  {
    name: 'a user skips the check of RESTORE payloads',
    appliesTo: ({ kind, version }) => kind === 'redis' || !versionAtLeast(version, '8.1.10'),
    users: user('app', (line) => `${line} skip-sanitize-payload`),
    expect: ['ACL-019'],
  },
  {
    name: 'a common password',
    users: user('app', (line) => line.replace(/#[0-9a-f]{64}/, `#${sha256('changeme')}`)),
    expect: ['AUTH-005'],
  },
  {
    name: "a password that is the user's name",
    users: user('app', (line) => line.replace(/#[0-9a-f]{64}/, `#${sha256('app123')}`)),
    expect: ['AUTH-005'],
  },
  {
    name: 'a long password in clear',
    users: user('app', (line) => line.replace(/#[0-9a-f]{64}/, '>test-only-Qz7Lw2Xn9Vb4Tk8Rm3Pd6Hs')),
    expect: ['AUTH-007'],
  },
  {
    name: 'a short password in clear',
    users: user('app', (line) => line.replace(/#[0-9a-f]{64}/, '>test-only-x')),
    expect: ['AUTH-006', 'AUTH-007'],
  },
  {
    name: 'two users share a password',
    users: (lines) => [
      ...lines,
      `user second on #${sha256('test-only-app-51e0d8')} ~second:* resetchannels -@all +get`,
    ],
    expect: ['AUTH-008'],
  },
  {
    name: 'two passwords for one user',
    users: user('app', (line) => line.replace(/(#[0-9a-f]{64})/, `$1 #${sha256('test-only-older')}`)),
    expect: ['AUTH-009'],
  },
  {
    name: 'requirepass beside an ACL file',
    config: { requirepass: 'test-only-Qz7Lw2Xn9Vb4Tk8Rm3Pd6HsWq' },
    expect: ['AUTH-012'],
  },
  { name: 'clients need no certificate', config: { 'tls-auth-clients': 'no' }, expect: ['TLS-017'] },
  {
    name: 'the certificate lives for three years',
    pki: () => withServer(['localhost', '127.0.0.1'], new Date(Date.now() - day), new Date(Date.now() + 1000 * day)),
    expect: ['TLS-012'],
  },
  {
    name: 'the certificate is not valid yet',
    pki: () => withServer(['localhost', '127.0.0.1'], new Date(Date.now() + 10 * day), new Date(Date.now() + 90 * day)),
    expect: ['TLS-008', 'TLS-010'],
  },
  {
    name: 'the certificate has no name',
    pki: () => withServer([], new Date(Date.now() - day), new Date(Date.now() + 90 * day)),
    expect: ['TLS-009'],
  },
  {
    name: 'clients use a name the certificate lacks',
    request: (request) => ({ ...request, expectations: { ...request.expectations, names: ['redis.example'] } }),
    expect: ['TLS-009'],
  },
  { name: 'DEBUG is enabled', config: { 'enable-debug-command': 'yes' }, expect: ['CFG-001'] },
  { name: 'modules can be loaded', config: { 'enable-module-command': 'yes' }, expect: ['CFG-002'] },
  { name: 'modules can be loaded locally', config: { 'enable-module-command': 'local' }, expect: ['CFG-002'] },
  { name: 'protected settings can be changed', config: { 'enable-protected-configs': 'yes' }, expect: ['CFG-003'] },
  {
    name: 'a key of a known attack',
    after: (server) => server.command('SET', 'crackit', 'x'),
    expect: ['CFG-007'],
  },
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
  {
    name: 'a setting was changed at run time',
    after: (server) => server.command('CONFIG', 'SET', 'maxmemory', '200mb'),
    expect: ['CFG-017'],
  },
  {
    name: 'the log level was changed at run time',
    after: (server) => server.command('CONFIG', 'SET', 'loglevel', 'verbose'),
    expect: ['CFG-017'],
  },
  {
    name: 'others may write the configuration',
    after: (server) => chmod(server.configFile, 0o620),
    expect: ['CFG-018', 'HOST-003'],
  },
  { name: 'every change of every key is announced', config: { 'notify-keyspace-events': 'KEA' }, expect: ['CFG-019'] },
  {
    name: 'a function library nobody declared',
    after: (server) =>
      server.command('FUNCTION', 'LOAD', "#!lua name=stray\nredis.register_function('f', function() return 1 end)"),
    expect: ['CFG-020'],
  },
  { name: 'the log is thrown away', config: { logfile: '/dev/null' }, expect: ['LOG-001'] },
  { name: 'only warnings are logged', config: { loglevel: 'warning' }, expect: ['LOG-003'] },
  { name: 'everything is logged', config: { loglevel: 'debug' }, expect: ['LOG-003'] },
  { name: 'the ACL log is short', config: { 'acllog-max-len': '128' }, expect: ['LOG-004'] },
  {
    name: 'somebody guesses passwords',
    after: async (server) => {
      for (let turn = 0; turn < 25; turn++) await server.command('AUTH', 'app', `guess-${turn}`).catch(() => undefined);
    },
    expect: ['LOG-005'],
  },
  { name: 'slow commands are not recorded', config: { 'slowlog-log-slower-than': '-1' }, expect: ['LOG-008'] },
  { name: 'the slow log is short', config: { 'slowlog-max-len': '16' }, expect: ['LOG-008'] },
  { name: 'latency is not watched', config: { 'latency-monitor-threshold': '0' }, expect: ['LOG-008'] },
  { name: 'the AOF has no timestamps', config: { 'aof-timestamp-enabled': 'no' }, expect: ['BKP-006'] },
  { name: 'failed saves do not stop writes', config: { 'stop-writes-on-bgsave-error': 'no' }, expect: ['BKP-007'] },
  { name: 'snapshots have no checksum', config: { rdbchecksum: 'no' }, expect: ['BKP-007'] },
];
