// Containers for the deployments that tests make: an image without a registry, a network, hosts with a real systemd.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isInPath, packageManager } from '../lib/package-manager.mjs';
import { EXIT, StepFailed, say } from '../lib/step.mjs';

const exec = promisify(execFile);

/** Debian's system with a server and all that a host has; `REDKEEP_LAB_IMAGE` names another one. */
export const image = process.env.REDKEEP_LAB_IMAGE ?? 'localhost/redkeep-lab:3';
const inImage = ['systemd', 'systemd-sysv', 'openssh-server', 'nftables', 'redis-server', 'libstdc++6', 'sudo'];
const programs = {
  podman: 'podman',
  runc: 'runc',
  netavark: '/usr/lib/podman/netavark',
  'aardvark-dns': '/usr/lib/podman/aardvark-dns',
  // netavark calls it.
  iptables: 'iptables',
  catatonit: 'catatonit',
  debootstrap: 'debootstrap',
  'podman-compose': 'podman-compose',
};

/** Runs podman; what it prints, without the last line end. */
export async function podman(...args) {
  const { stdout } = await exec('podman', args, { maxBuffer: 1 << 24 });
  return stdout.trimEnd();
}

/** Installs what is missing and makes the image, once. Containers get this machine's limits and runc. */
export async function prepareLab() {
  process.env.PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  const missing = Object.keys(programs).filter((name) => !isHere(programs[name]));
  if (missing.length > 0) {
    say(`Installing ${missing.join(', ')}`);
    const install = (names) => ['install', '-y', '-qq', '--no-install-recommends', ...names];
    const apt = {
      program: 'apt-get',
      root: true,
      refresh: ['update', '-qq'],
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    };
    const { call } = await packageManager([apt]);
    await call(apt.refresh);
    await call(install(missing));
  }
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-lab-'));
  const limit = async (flag) => (await exec('bash', ['-c', `ulimit -H${flag}`])).stdout.trim();
  const [files, processes] = [await limit('n'), await limit('u')];
  const number = (text, most) => (text === 'unlimited' ? most : Math.min(Number(text), most));
  const [nofile, nproc] = [number(files, 65_536), number(processes, 32_768)];
  const limits = `["nofile=${nofile}:${nofile}","nproc=${nproc}:${nproc}"]`;
  await writeFile(
    join(folder, 'containers.conf'),
    `[containers]\ndefault_ulimits=${limits}\n[engine]\nruntime="runc"\n`,
  );
  process.env.CONTAINERS_CONF = join(folder, 'containers.conf');
  if (
    await podman('image', 'exists', image).then(
      () => false,
      () => true,
    )
  )
    await makeImage(folder);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

const isHere = (program) => (program.startsWith('/') ? existsSync(program) : isInPath(program));

async function makeImage(folder) {
  say(`Making ${image}`);
  const { stdout } = await exec('apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)']);
  const [uri, release] = stdout
    .split('\n')
    .find((line) => !line.includes('security'))
    .split(' ');
  const root = join(folder, 'root');
  const args = ['--variant=minbase', `--include=${inImage.join(',')}`, release, root, uri];
  await exec('debootstrap', args, { maxBuffer: 1 << 26 });
  await exec('sh', [
    '-c',
    `tar -C '${root}' -c . | podman import --quiet --change ENV=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin - '${image}'`,
  ]);
  await rm(root, { recursive: true, force: true });
}

/** A network of its own with DNS between its containers; on a subnet where their addresses matter. */
export async function makeNetwork(name, subnet) {
  await podman('network', 'create', ...(subnet ? ['--subnet', `${subnet}.0/24`] : []), name);
  return () => podman('network', 'rm', '--force', name).catch(() => undefined);
}

/** A host with systemd and ssh, as root with a key. */
export async function startHost({ name, network, address, key }) {
  const net = ['--network', network, '--ip', address];
  await podman('run', '-d', '--systemd=always', '--privileged', ...net, '--name', name, image, '/sbin/init');
  const setUp =
    'until systemctl is-system-running --wait >/dev/null 2>&1 || [ "$(systemctl is-system-running)" = degraded ]; do sleep 0.2; done; mkdir -p /root/.ssh; cat > /root/.ssh/authorized_keys; chmod 700 /root/.ssh; ssh-keygen -A >/dev/null; systemctl enable --now ssh';
  await withInput(['exec', '-i', name, 'sh', '-c', setUp], key);
}

export function removeContainer(name) {
  return podman('rm', '--force', '--ignore', '--time', '1', name).catch(() => undefined);
}

/** Runs podman with something on its standard input. */
export function withInput(args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn('podman', args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes) => (said += bytes));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new StepFailed(said, EXIT.environment))));
    child.stdin.end(input);
  });
}
