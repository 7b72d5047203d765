import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Installs the packages to measure against into bench/peers, once. */
export function installPeers(): void {
  const folder = fileURLToPath(new URL('../peers/', import.meta.url));
  if (existsSync(`${folder}node_modules`)) return;
  console.error('Installing the clients to measure against (bench/peers) …');
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock'];
  execFileSync('npm', args, { cwd: folder, stdio: 'inherit' });
}
