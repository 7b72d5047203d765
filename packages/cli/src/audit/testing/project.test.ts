import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CheckId } from '../checks/check.js';
import { gather } from '../gather/gather.js';
import { filesOfFolder } from '../gather/project.js';
import { openSession } from '../gather/session.js';
import { judge } from '../verdict/judge.js';
import { expectations } from './hardened.js';

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
const unitFaults = ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes', 'UMask=0077'];

describe('audit of a project', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redkeep-project-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function findings(composeText: string, unitText = unit, lock = '5.0.0'): Promise<CheckId[]> {
    await writeFile(join(folder, 'compose.yaml'), composeText);
    await writeFile(join(folder, 'redis.service'), unitText);
    await writeFile(
      join(folder, 'package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/redis': { version: lock } } }),
    );
    const { facts } = await gather({
      endpoints: [],
      expectations,
      openSession,
      now: new Date(),
      sampleKeys: 0,
      project: await filesOfFolder(folder),
    });
    return judge(facts, { target: folder, version: 'test', durationMs: 0 }).findings.map(({ id }) => id);
  }

  it('finds nothing in a hardened one', async () => assert.deepEqual(await findings(compose), []));

  for (const [name, from, to, expected] of composeFaults) {
    it(`${name}: ${expected.join(', ')}`, async () => {
      assert.ok(compose.includes(from));
      assert.deepEqual(await findings(compose.replace(from, to)), expected);
    });
  }

  for (const line of unitFaults) {
    it(`a unit without ${line}: HOST-002`, async () => {
      assert.deepEqual(await findings(compose, unit.replace(`${line}\n`, '')), ['HOST-002']);
    });
  }

  it('a client library with a known flaw: CLI-010', async () => {
    assert.deepEqual(await findings(compose, unit, '3.0.2'), ['CLI-010']);
  });
});
