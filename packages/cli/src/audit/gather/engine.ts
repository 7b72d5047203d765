import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { EngineName } from '../../vocabulary/engines.js';
import type { EngineFacts } from '../facts/engine-facts.js';

const run = promisify(execFile);

/** Which engine this is. Valkey and Dragonfly also report a `redis_version`, for compatibility only. */
export function identify(info: Readonly<Record<string, string>>): EngineFacts {
  const isValkey = info['valkey_version'] !== undefined || info['server_name'] === 'valkey';
  const name: EngineName = info['dragonfly_version'] ? 'dragonfly' : isValkey ? 'valkey' : 'redis';
  // Valkey 7.2 has no version of its own yet: the compatible one is its own.
  const version = (info[`${name}_version`] ?? info['redis_version'] ?? '0').replace(/^(df-)?v?/, '');
  const sentinel = (info['redis_mode'] ?? info['server_mode']) === 'sentinel';
  return {
    name,
    version,
    mode: sentinel ? 'sentinel' : info['cluster_enabled'] === '1' ? 'cluster' : 'standalone',
    role: sentinel ? 'sentinel' : info['role'] === 'slave' || info['role'] === 'replica' ? 'replica' : 'primary',
    build: 'unclear',
  };
}

/** The package a local executable belongs to: only then does a version say which fixes are in. */
export async function packageOf(executable: string): Promise<Pick<EngineFacts, 'build' | 'package'>> {
  const owner = await run('dpkg-query', ['-S', executable]).then(
    ({ stdout }) => stdout.split(':')[0]?.split(',')[0]?.trim(),
    () => undefined,
  );
  if (owner) {
    const { stdout } = await run('dpkg-query', ['-W', '-f', '${Version}', owner]);
    return { build: 'distribution', package: { name: owner, version: stdout.trim() } };
  }
  const rpm = await run('rpm', ['-qf', '--qf', '%{NAME} %{VERSION}-%{RELEASE}', executable]).then(
    ({ stdout }) => stdout.trim().split(' '),
    () => undefined,
  );
  if (rpm?.[0] && rpm[1]) return { build: 'distribution', package: { name: rpm[0], version: rpm[1] } };
  // What is compiled on the spot, and what the vendors' images carry, lies there.
  return { build: executable.startsWith('/usr/local/') || executable.startsWith('/opt/') ? 'vendor' : 'unclear' };
}
