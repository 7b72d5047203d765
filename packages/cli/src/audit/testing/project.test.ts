import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CheckId } from '../checks/check.js';
import { filesOfFolder } from '../gather/project-files.js';
import { operationsOf, type Records } from '../gather/records.js';
import { auditWithoutServer } from './project-folder.js';

const digest = `sha256:${'a'.repeat(64)}`;
const compose = `services:
  cache:
    image: redis@${digest}
    user: "999:999"
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 512m
    cpus: 1
    pids_limit: 64
    ports: ["127.0.0.1:6379:6379"]
    volumes: ["data:/data", "./redis.conf:/etc/redis/redis.conf:ro"]
    command: redis-server /etc/redis/redis.conf
`;
const unit = `[Unit]
Description=Redis
[Service]
ExecStart=/usr/bin/redis-server /etc/redis/redis.conf
User=redis
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ReadWritePaths=/var/lib/redis
UMask=0077
`;

/** Each: what is wrong, the text put in place of another, and what must be found. */
const composeFaults: readonly [string, string, string, readonly CheckId[]][] = [
  ['privileged', '    read_only: true', '    read_only: true\n    privileged: true', ['CTR-001']],
  ['capabilities kept', '    cap_drop: [ALL]\n', '', ['CTR-002']],
  ['a capability added', '    cap_drop: [ALL]', '    cap_drop: [ALL]\n    cap_add: [SYS_ADMIN]', ['CTR-002']],
  ['writable root', '    read_only: true\n', '', ['CTR-003']],
  ['privileges can be gained', '    security_opt: ["no-new-privileges:true"]\n', '', ['CTR-004']],
  ['no memory limit', '    mem_limit: 512m\n', '', ['CTR-005']],
  ['no process limit', '    pids_limit: 64\n', '', ['CTR-005']],
  ['the host network', '    read_only: true', '    read_only: true\n    network_mode: host', ['CTR-006']],
  ['the host PID namespace', '    read_only: true', '    read_only: true\n    pid: host', ['CTR-006']],
  ['published everywhere', '"127.0.0.1:6379:6379"', '"6379:6379"', ['CTR-007']],
  ['published on 0.0.0.0', '"127.0.0.1:6379:6379"', '"0.0.0.0:6379:6379"', ['CTR-007']],
  ['the Docker socket', '"data:/data"', '"/var/run/docker.sock:/var/run/docker.sock"', ['CTR-008']],
  ['a system directory', '"data:/data"', '"/etc:/host-etc"', ['CTR-008']],
  ['root as user', 'user: "999:999"', 'user: root', ['CTR-011']],
  [
    'a shell that starts the server as root',
    'user: "999:999"',
    'entrypoint: [sh, -c, exec redis-server /x.conf]',
    ['CTR-011'],
  ],
  [
    'a password in the command',
    'command: redis-server /etc/redis/redis.conf',
    'command: redis-server /etc/redis/redis.conf --masterauth test-only',
    ['AUTH-006', 'HOST-011', 'CTR-010'],
  ],
  ['no seccomp', '["no-new-privileges:true"]', '["no-new-privileges:true", "seccomp:unconfined"]', ['CTR-009']],
  ['an image by tag', `redis@${digest}`, 'redis:7.2', ['CTR-010']],
  [
    'a password in the health check',
    '    cpus: 1',
    '    cpus: 1\n    healthcheck: { test: ["CMD", "redis-cli", "-a", "x", "ping"] }',
    ['CTR-010'],
  ],
  ['a password in the environment', '    cpus: 1', '    cpus: 1\n    environment: { REDIS_PASSWORD: x }', ['HOST-010']],
  [
    'an open web interface',
    '  cache:',
    '  web:\n    image: rediscommander/redis-commander\n    ports: ["8081:8081"]\n  cache:',
    ['NET-014'],
  ],
];
const unitFaults = [
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ReadWritePaths=/var/lib/redis',
  'UMask=0077',
];

const pod = `kind: NetworkPolicy
spec:
  podSelector: {}
  ingress:
    - from: [{ podSelector: { matchLabels: { app: web } } }]
---
kind: StatefulSet
spec:
  template:
    spec:
      containers:
        - name: cache
          image: redis@${digest}
          args: [/etc/redis/redis.conf]
          securityContext:
            runAsNonRoot: true
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
          resources: { limits: { memory: 512Mi, cpu: 1 } }
`;
const podFaults: readonly [string, string, string, readonly CheckId[]][] = [
  [
    'privileged',
    'readOnlyRootFilesystem: true',
    'readOnlyRootFilesystem: true\n            privileged: true',
    ['CTR-001'],
  ],
  ['capabilities kept', '            capabilities: { drop: [ALL] }\n', '', ['CTR-002']],
  ['a writable root', 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', ['CTR-003']],
  ['privileges can be gained', 'allowPrivilegeEscalation: false', 'allowPrivilegeEscalation: true', ['CTR-004']],
  ['no memory limit', 'memory: 512Mi, ', '', ['CTR-005']],
  ['the host network', '      containers:', '      hostNetwork: true\n      containers:', ['CTR-006']],
  ['the host IPC namespace', '      containers:', '      hostIPC: true\n      containers:', ['CTR-006']],
  [
    'a port of the host',
    '          resources',
    '          ports: [{ containerPort: 6379, hostPort: 6379 }]\n          resources',
    ['CTR-007'],
  ],
  [
    'the Docker socket',
    '      containers:',
    '      volumes: [{ name: d, hostPath: { path: /var/run/docker.sock } }]\n      containers:',
    ['CTR-008'],
  ],
  ['no NetworkPolicy', 'kind: NetworkPolicy', 'kind: Unrelated', ['NET-018']],
  [
    'a policy that lets every namespace in',
    'podSelector: { matchLabels: { app: web } }',
    'namespaceSelector: {}',
    ['NET-018'],
  ],
  [
    'a NodePort',
    'kind: StatefulSet',
    'kind: Service\nmetadata: { name: redis }\nspec: { type: NodePort, ports: [{ port: 6379 }] }\n---\nkind: StatefulSet',
    ['NET-017'],
  ],
  [
    'a Secret with its value',
    'kind: StatefulSet',
    'kind: Secret\nmetadata: { name: redis }\nstringData: { password: test-only }\n---\nkind: StatefulSet',
    ['HOST-011'],
  ],
  [
    'no seccomp',
    '      containers:',
    '      securityContext: { seccompProfile: { type: Unconfined } }\n      containers:',
    ['CTR-009'],
  ],
  ['an image by tag', `redis@${digest}`, 'redis:7.2', ['CTR-010']],
  [
    'a password in the environment',
    '          resources',
    '          env: [{ name: REDIS_PASSWORD, value: x }]\n          resources',
    ['HOST-010'],
  ],
];

const timeout = 'commandOptions: { timeout: 1000 }';
const source = `import { createClient } from 'redis';\nconst client = createClient({ ${timeout} });\n`;
const sourceFaults: readonly [string, readonly CheckId[]][] = [
  ["createClient({ commandOptions: {}, url: 'redis://cache.example.com' });", ['CLI-001']],
  [`createClient({ ${timeout}, socket: { tls: true, rejectUnauthorized: false } });`, ['CLI-002']],
  [`createClient({ ${timeout}, socket: { host: 'redis.internal', tls: true } });`, ['CLI-003']],
  [`createClient({ ${timeout}, socket: { tls: true, minVersion: 'TLSv1' } });`, ['CLI-004']],
  [`createClient({ ${timeout}, password: env.P });`, ['CLI-005']],
  [`createClient({ ${timeout}, username: 'a', password: 'test-only' });`, ['CLI-006']],
  ['createClient({ url: env.URL });', ['CLI-007']],
  ['client.eval(`return ${' + 'x}`);', ['CLI-011']],
  ["client.sendCommand(text.split(' '));", ['CLI-011']],
  ["client.keys('*');", ['CLI-012']],
  ['client.flushAll();', ['CLI-012']],
  ['console.log(process.env.REDIS_URL);', ['CLI-006']],
];

const now = new Date();
const good: Records = {
  rotations: { app: now.toISOString() },
  backups: [{ takenAt: now.toISOString(), encrypted: true, offHost: true, keyBeside: false }],
  restoreTest: now.toISOString(),
  monitoring: { seenAt: now.toISOString(), rules: true, aclLog: true, changes: true, throttles: true },
  dormant: [],
};
const old = '2020-01-01T00:00:00Z';
const recordFaults: readonly [string, Records, readonly CheckId[]][] = [
  ['a password of 2020', { rotations: { app: old } }, ['AUTH-010']],
  ['an encryption key of 2020', { keyRotations: { 'encryption-keys': old } }, ['AUTH-010']],
  ['a user nobody uses', { dormant: ['former'] }, ['ACL-013']],
  ['no recent backup', { backups: [{ ...good.backups![0]!, takenAt: old }] }, ['BKP-003']],
  ['backups on the same host', { backups: [{ ...good.backups![0]!, offHost: false }] }, ['BKP-003']],
  ['a backup in clear', { backups: [{ ...good.backups![0]!, encrypted: false }] }, ['BKP-004']],
  ['a key beside its backup', { backups: [{ ...good.backups![0]!, keyBeside: true }] }, ['BKP-004']],
  ['a restore test of 2020', { restoreTest: old }, ['BKP-005']],
  ['nobody watches for changes', { monitoring: { ...good.monitoring!, changes: false } }, ['LOG-007']],
  ['a monitor without rules', { monitoring: { ...good.monitoring!, rules: false } }, ['LOG-010']],
  ['a monitor that has stopped', { monitoring: { ...good.monitoring!, seenAt: old } }, ['LOG-010']],
];

describe('audit of a project', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redkeep-project-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function findings(
    composeText: string,
    unitText = unit,
    lock = '5.0.0',
    code = '',
    records: Records = good,
  ): Promise<CheckId[]> {
    await writeFile(join(folder, 'app.ts'), source + code);
    await writeFile(join(folder, 'compose.yaml'), composeText);
    await writeFile(join(folder, 'redis.service'), unitText);
    await writeFile(
      join(folder, 'package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/redis': { version: lock } } }),
    );
    const result = await auditWithoutServer(folder, {
      project: await filesOfFolder(folder),
      operations: operationsOf(records, 'records.yaml'),
    });
    return result.findings.map(({ id }) => id);
  }

  test('finds nothing in a hardened one', async () => assert.deepEqual(await findings(compose), []));

  for (const [name, from, to, expected] of composeFaults) {
    test(`${name}: ${expected.join(', ')}`, async () => {
      assert.ok(compose.includes(from));
      assert.deepEqual(await findings(compose.replace(from, to)), expected);
    });
  }

  for (const line of unitFaults) {
    test(`a unit without ${line}: HOST-002`, async () => {
      assert.deepEqual(await findings(compose, unit.replace(`${line}\n`, '')), ['HOST-002']);
    });
  }

  test('a unit without a user: HOST-012', async () => {
    assert.deepEqual(await findings(compose, unit.replace('User=redis\n', '')), ['HOST-012']);
  });

  test('a Sentinel that runs a script: CFG-023', async () => {
    await writeFile(join(folder, 'sentinel.conf'), 'sentinel notification-script mymaster /opt/notify.sh\n');
    const found = await findings(compose);
    await rm(join(folder, 'sentinel.conf'));
    assert.ok(found.includes('CFG-023') && found.includes('NET-009'), String(found));
  });

  test('a password in the environment of a unit: HOST-010', async () => {
    const text = unit.replace('User=redis', 'User=redis\nEnvironment="REDIS_PASSWORD=test-only"');
    assert.deepEqual(await findings(compose, text), ['HOST-010']);
  });

  test('finds nothing in hardened Kubernetes manifests', async () => assert.deepEqual(await findings(pod), []));

  for (const [name, from, to, expected] of podFaults) {
    test(`Kubernetes, ${name}: ${expected.join(', ')}`, async () => {
      assert.ok(pod.includes(from));
      assert.deepEqual(await findings(pod.replace(from, to)), expected);
    });
  }

  for (const [code, expected] of sourceFaults) {
    test(`${code}: ${expected.join(', ')}`, async () => {
      assert.deepEqual(await findings(compose, unit, '5.0.0', code), expected);
    });
  }

  for (const [name, records, expected] of recordFaults) {
    test(`records of ${name}: ${expected.join(', ')}`, async () => {
      assert.deepEqual(await findings(compose, unit, '5.0.0', '', { ...good, ...records }), expected);
    });
  }

  test('a client library with a known flaw: CLI-010', async () => {
    assert.deepEqual(await findings(compose, unit, '3.0.2'), ['CLI-010']);
  });
});
