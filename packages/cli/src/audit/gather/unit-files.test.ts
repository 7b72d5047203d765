import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readInstalledUnit } from './unit-files.js';

test('reads an installed unit with its drop-ins, the stronger place first', async () => {
  const root = await mkdtemp(join(tmpdir(), 'redkeep-units-'));
  try {
    const [etc, lib] = [join(root, 'etc'), join(root, 'lib')];
    await mkdir(join(etc, 'redis.service.d'), { recursive: true });
    await mkdir(lib);
    await writeFile(join(lib, 'redis.service'), '[Service]\nUser=redis\nProtectHome=no\n');
    await writeFile(join(etc, 'redis.service.d/harden.conf'), '[Service]\nProtectHome=yes\nUMask=0077\n');
    const unit = await readInstalledUnit('redis.service', [etc, lib]);
    assert.equal(unit?.at.file, join(lib, 'redis.service'));
    assert.deepEqual(unit?.settings, { User: 'redis', ProtectHome: 'yes', UMask: '0077' });
    assert.equal(await readInstalledUnit('other.service', [etc, lib]), undefined);
  } finally {
    await rm(root, { recursive: true });
  }
});
