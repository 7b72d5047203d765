import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReadOnlyMemory, isSecretVolume } from './secret-volume.js';

/** Lines as in containers of Kubernetes 1.31 and Docker Swarm 27, and of a host. */
const KUBERNETES =
  '611 590 0:93 / /etc/keys ro,relatime - tmpfs tmpfs rw,size=65536k\n590 1 0:50 / / rw - overlay overlay rw';
const SWARM = '720 700 0:88 / /run/secrets/keys ro,relatime - tmpfs tmpfs rw\n700 1 0:50 / / rw - overlay overlay rw';
const HOST =
  '22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:25 / /dev/shm rw - tmpfs tmpfs rw\n31 22 0:26 / /tmp rw - tmpfs tmpfs rw';

test('secret volumes of containers are told from files that strangers on a host can read', () => {
  assert.equal(isReadOnlyMemory('/etc/keys/..data/redis', KUBERNETES), true);
  assert.equal(isReadOnlyMemory('/run/secrets/keys', SWARM), true);
  assert.equal(isReadOnlyMemory('/run/secrets/other', SWARM), false);
  for (const path of ['/etc/keys/redis', '/dev/shm/keys', '/tmp/keys', '/etc/keysish'])
    assert.equal(isReadOnlyMemory(path, HOST), false, path);
  assert.equal(isReadOnlyMemory('/etc/keysish', KUBERNETES), false);
});

test('what cannot be looked up is not a secret volume', async () => {
  assert.equal(await isSecretVolume('/no/such/file'), false);
  assert.equal(await isSecretVolume('/proc/self/mountinfo', '/no/such/file'), false);
});
