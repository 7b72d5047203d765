#!/usr/bin/env node
// `npm run test:hosts`: a Sentinel set on three hosts with a real systemd, reached over ssh. The hosts are containers of
// podman; HOST_IMAGE names an image with systemd, openssh-server and redis-server (Debian: debootstrap --variant=minbase
// --include=systemd,systemd-sysv,openssh-server,nftables,redis-server, then podman import). Needs root. Life of the set:
// init, up, users tried, certificates renewed, every node restarted and a changed answer applied under load, status.
import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { REPOSITORY } from './bootstrap.mjs';
import { runMain, StepFailed, say } from './lib/step.mjs';

const image = process.env.HOST_IMAGE ?? 'localhost/redkeep-lab:1';
const subnet = process.env.HOST_SUBNET ?? '10.89.78';
const podman = (...args) => execFileSync('podman', args, { encoding: 'utf8' });

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-hosts-'));
  const id = folder.slice(-6).toLowerCase();
  const hosts = [11, 12, 13].map((last) => ({ name: `redkeep-${id}-${last}`, address: `${subnet}.${last}` }));
  try {
    podman('network', 'create', '--subnet', `${subnet}.0/24`, `redkeep-${id}`);
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
    const key = await readFile(join(folder, 'key.pub'), 'utf8');
    for (const { name, address } of hosts) {
      const limits = ['--ulimit', 'nofile=20000:20000', '--ulimit', 'nproc=4096:4096'];
      const net = ['--network', `redkeep-${id}`, '--ip', address];
      podman('run', '-d', '--systemd=always', '--privileged', ...limits, ...net, '--name', name, image, '/sbin/init');
      const setUp =
        'until systemctl is-system-running --wait >/dev/null 2>&1 || [ "$(systemctl is-system-running)" = degraded ]; do sleep 0.2; done; mkdir -p /root/.ssh; cat > /root/.ssh/authorized_keys; chmod 700 /root/.ssh; ssh-keygen -A >/dev/null; systemctl enable --now ssh';
      execFileSync('podman', ['exec', '-i', name, 'sh', '-c', setUp], {
        input: key,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
    }
    const ssh = join(folder, 'ssh');
    const options = `-l root -i ${join(folder, 'key')} -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${join(folder, 'known')} -o LogLevel=ERROR`;
    await writeFile(ssh, `#!/bin/sh\nexec ssh ${options} "$@"\n`);
    await chmod(ssh, 0o755);
    await live(folder, ssh, hosts);
  } finally {
    for (const { name } of hosts) podman('rm', '--force', '--ignore', '--time', '1', name);
    podman('network', 'rm', '--force', `redkeep-${id}`);
    await rm(folder, { recursive: true, force: true });
  }
}

async function live(folder, ssh, hosts) {
  const program = fileURLToPath(new URL('../packages/cli/bin/redkeep.js', import.meta.url));
  const redkeep = (...args) =>
    new Promise((resolve, reject) => {
      say(`redkeep ${args.join(' ')}`);
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        stdio: 'inherit',
        env: { ...process.env, REDKEEP_SSH: ssh },
      });
      child.once('exit', (code) => (code === 0 ? resolve() : reject(new StepFailed(`${args[0]} ended with ${code}`))));
    });
  const shape = ['--target', 'systemd', '--topology', 'sentinel', '--profile', 'production', '--engine', 'redis'];
  const places = ['--host', ...hosts.map(({ address }) => address), '--source', `${subnet}.0/24`];
  await redkeep('init', '--yes', '--name', 'hosts', ...shape, '--engine-version', '7.0', '--memory', '100', ...places);
  await redkeep('up');
  await redkeep('acl', 'test');
  const { Writer } = await import(pathToFileURL(join(REPOSITORY, 'packages/cli/dist/testing/writer.js')).href);
  const state = JSON.parse(await readFile(join(folder, 'redkeep/redkeep.deployment.json'), 'utf8'));
  const writer = await Writer.start({ path: (...parts) => join(folder, ...parts) }, state.deployment);
  await redkeep('certs', 'renew', '--all', '--quiet');
  await redkeep('restart', '--yes');
  await redkeep('init', '--yes', '--memory', '120');
  await redkeep('apply', '--yes');
  const { acknowledged, failed } = await writer.stop();
  await redkeep('certs', 'check');
  await redkeep('status');
  const args = [program, 'cli', '--user', 'app', '--', 'GET', 'app:counter'];
  const read = execFileSync(process.execPath, args, { cwd: folder, env: { ...process.env, REDKEEP_SSH: ssh } });
  say(`${acknowledged} writes acknowledged, ${failed} failed; the primary says ${String(read).trim()}`);
  if (failed > 0 || Number(String(read).trim().replace(/"/g, '')) !== acknowledged) {
    throw new StepFailed('a write failed or was lost');
  }
  await redkeep('down');
}

await runMain(main);
