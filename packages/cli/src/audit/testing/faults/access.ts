import { versionAtLeast } from '../../../vocabulary/engines.js';
import { type Fault, sha256 } from '../hardened.js';

type Users = NonNullable<Fault['users']>;

function user(name: string, change: (line: string) => string): Users {
  return (lines) => lines.map((line) => (line.startsWith(`user ${name} `) ? change(line) : line));
}

const grant = (rules: string): Users => user('app', (line) => `${line} ${rules}`);

function added(name: string, rules: string): Users {
  return (lines) => [...lines, `user ${name} on #${sha256(`test-only-${name}`)} ${rules}`];
}

/** Who may do what: lines of the ACL file. */
export const accessFaults: readonly Fault[] = [
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
  { name: 'an application may FLUSHALL', users: grant('+flushall'), expect: ['ACL-001'] },
  { name: 'an application may list clients', users: grant('+client|list'), expect: ['ACL-001'] },
  { name: 'an application may run KEYS', users: grant('+keys'), expect: ['ACL-001'] },
  { name: 'an application may run scripts', users: grant('+eval'), expect: ['ACL-004'] },
  { name: 'an application may store functions', users: grant('+function|load'), expect: ['ACL-004'] },
  { name: 'an application may RESTORE', users: grant('+restore'), expect: ['ACL-005'] },
  { name: 'an application may MIGRATE', users: grant('+migrate'), expect: ['ACL-005'] },
  { name: 'an application may change the configuration', users: grant('+config|set'), expect: ['ACL-009'] },
  { name: 'an application may change users', users: grant('+acl|setuser'), expect: ['ACL-010'] },
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
  { name: 'a selector lets an application FLUSHALL', users: grant('(+flushall)'), expect: ['ACL-001'] },
  { name: 'a selector reaches every key', users: grant('(%R~* +get)'), expect: ['ACL-006'] },
  { name: 'a selector reaches every channel', users: grant('(&* +subscribe)'), expect: ['ACL-007'] },
  {
    name: 'an application has +@all -@dangerous',
    users: user('app', (line) => line.replace(/-@all.*/, '+@all -@dangerous -randomkey')),
    expect: ['ACL-004'],
  },
  {
    name: 'the default user is off and keeps every right',
    users: user('default', () => 'user default off resetpass ~* &* +@all'),
    expect: ['ACL-014'],
  },
  {
    name: 'a backup user reaches data',
    users: added('backup', '~* resetchannels -@all +psync +replconf +ping'),
    expect: ['ACL-006', 'ACL-015'],
  },
  {
    name: 'a backup user may change the configuration',
    users: added('backup', 'resetkeys resetchannels -@all +psync +replconf +config|set'),
    expect: ['ACL-009'],
  },
  {
    name: 'a replication user may FLUSHALL',
    users: added('replication', 'resetkeys resetchannels -@all +psync +replconf +flushall'),
    expect: ['ACL-001'],
  },
  {
    name: 'a monitoring user may kill clients',
    users: added('monitoring', 'resetkeys resetchannels -@all +ping +info +client|kill'),
    expect: ['ACL-001'],
  },
  {
    name: 'a monitoring user may MONITOR',
    users: added('exporter', 'resetkeys resetchannels -@all +ping +info +monitor'),
    expect: ['ACL-008'],
  },
  {
    name: 'the auditor may change users',
    users: user('auditor', (line) => `${line} +acl|setuser`),
    expect: ['ACL-010'],
  },
  {
    name: 'a session store reaches every key',
    users: added('sessions', '~* resetchannels -@all +get +set'),
    expect: ['ACL-006'],
  },
  {
    name: 'a sentinel user may run scripts',
    users: added('sentinel', 'resetkeys resetchannels -@all +ping +info +eval'),
    expect: ['ACL-004'],
  },
  {
    name: 'a keyboard walk as a password',
    users: user('app', (line) => line.replace(/#[0-9a-f]{64}/, `#${sha256('qwerty123')}`)),
    expect: ['AUTH-005'],
  },
];
