// What differs between targets for a test: how a deployment is begun, where a client of it can run, how what asks for a
// node's health is run, and how a node is killed or lost for good. Everything else is said with redkeep's own commands.
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { image, makeNetwork, podman, removeContainer, startHost, withInput } from './lab.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const writerProgram = join(repository, 'packages/cli/dist/testing/writer-main.js');

/** A port with room above it for the deployment's others. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return 10_000 + (port % 10_000);
}

const exec = promisify(execFile);

const onThisMachine = (folder) => spawn(process.execPath, [writerProgram, folder], { stdio: 'pipe' });

/** In a network of containers, where the names of the certificates lead to the nodes. */
function inNetwork(network, name, folder) {
  const mounts = [process.execPath, repository, folder].flatMap((path) => ['-v', `${path}:${path}:ro`]);
  const command = [process.execPath, writerProgram, folder];
  return spawn('podman', ['run', '--rm', '-i', '--name', name, '--network', network, ...mounts, image, ...command], {
    stdio: 'pipe',
  });
}

const healthScript = (sandbox) => (node) => exec('sh', [join(sandbox.deployment, `health/${node.name}.sh`)]);

async function local({ topology, sandbox }) {
  const record = async (node) => JSON.parse(await readFile(join(sandbox.deployment, `run/${node.name}.json`), 'utf8'));
  return {
    init: ['--target', 'local', '--port', String(await freePort()), '--topology', topology],
    env: {},
    startWriter: () => onThisMachine(sandbox.deployment),
    healthy: healthScript(sandbox),
    kill: async (node) => process.kill((await record(node)).pid, 'SIGKILL'),
    lose: async (node) => {
      const { pid } = await record(node);
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // It has been killed already.
        if (error.code !== 'ESRCH') throw error;
      }
      for (const file of [`run/${node.name}.conf`, `run/${node.name}.delivered.json`, node.dataDir]) {
        await rm(join(sandbox.deployment, file), { recursive: true, force: true });
      }
    },
    remove: async () => undefined,
  };
}

async function compose({ topology, sandbox, id }) {
  const container = (node) => `redkeep-${id}-${node.name}`;
  const writer = `redkeep-${id}-writer`;
  const port = await freePort();
  return {
    init: ['--target', 'compose', '--image', image, '--port', String(port), '--topology', topology],
    // podman asks for more processes than this machine may allow wherever a project limits files.
    env: { REDKEEP_COMPOSE: 'podman-compose --podman-run-args=--ulimit=nproc=1024:1024' },
    startWriter: () => inNetwork(`redkeep-${id}_redkeep`, writer, sandbox.deployment),
    healthy: (node) => podman('healthcheck', 'run', container(node)),
    kill: (node) => podman('stop', '--time', '0', container(node)),
    lose: async (node) => {
      await removeContainer(container(node));
      await rm(join(sandbox.deployment, `containers/${node.name}`), { recursive: true, force: true });
      await rm(join(sandbox.deployment, node.dataDir), { recursive: true, force: true });
    },
    remove: async (nodes) => {
      for (const name of [writer, ...nodes.map(container)]) await removeContainer(name);
      await podman('network', 'rm', '--force', `redkeep-${id}_redkeep`).catch(() => undefined);
    },
  };
}

let subnets = 0;

async function systemd({ topology, sandbox, id, beside }) {
  if (beside) return systemdOn(beside.lab, { topology, sandbox, id, port: 6479 });
  subnets += 1;
  const subnet = `10.89.${(process.env.REDKEEP_LAB_SUBNET ? Number(process.env.REDKEEP_LAB_SUBNET) : 90) + subnets}`;
  const network = `redkeep-${id}`;
  const removeNetwork = await makeNetwork(network, subnet);
  const names = [11, 12, 13].map((last) => ({ name: `redkeep-${id}-${last}`, address: `${subnet}.${last}` }));
  const hosts = topology === 'single' ? names.slice(0, 1) : names;
  await new Promise((resolve, reject) => {
    const made = spawn('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(sandbox.folder, 'key')]);
    made.once('close', (code) => (code === 0 ? resolve() : reject(new Error('ssh-keygen'))));
  });
  const key = await readFile(join(sandbox.folder, 'key.pub'), 'utf8');
  await Promise.all(hosts.map((host) => startHost({ ...host, network, key })));
  const ssh = join(sandbox.folder, 'ssh');
  const known = join(sandbox.folder, 'known');
  const options = `-l root -i ${join(sandbox.folder, 'key')} -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${known} -o LogLevel=ERROR`;
  await writeFile(ssh, `#!/bin/sh\nexec ssh ${options} "$@"\n`);
  await chmod(ssh, 0o755);
  const remove = async () => {
    for (const { name } of hosts) await removeContainer(name);
    await removeNetwork();
  };
  return systemdOn({ hosts, subnet, ssh, known, network, key, remove }, { topology, sandbox, id, port: 6379 });
}

function systemdOn(lab, { topology, sandbox, id, port }) {
  const { hosts, subnet, ssh, known, network, key } = lab;
  const hostOf = (node) => hosts.find(({ address }) => address === node.host);
  return {
    lab,
    init: [
      ...['--target', 'systemd', '--topology', topology, '--host', ...hosts.map(({ address }) => address)],
      ...['--source', `${subnet}.0/24`, '--port', String(port)],
    ],
    env: { REDKEEP_SSH: ssh },
    startWriter: () => onThisMachine(sandbox.deployment),
    // Its paths are those of the host.
    healthy: async (node) => {
      const script = await readFile(join(sandbox.deployment, `health/${node.name}.sh`), 'utf8');
      await podman('exec', hostOf(node).name, 'sh', '-c', script);
    },
    kill: async (node) => {
      const unit = `redkeep-${id}-${node.name}.service`;
      await podman('exec', hostOf(node).name, 'sh', '-c', `systemctl kill -s KILL ${unit}; systemctl stop ${unit}`);
    },
    // The whole host, with all that was on it; its successor has the address and another host key.
    lose: async (node) => {
      const host = hostOf(node);
      await removeContainer(host.name);
      await startHost({ ...host, network, key });
      await rm(known, { force: true });
    },
    /** The rules are loaded on the host as they are, beside those of others. */
    firewall: async (node) => {
      const rules = await readFile(join(sandbox.deployment, 'firewall/redkeep.nft'));
      await withInput(['exec', '-i', hostOf(node).name, 'nft', '-f', '-'], rules);
    },
    remove: lab.remove,
  };
}

/** The pods of the manifests, run by `podman kube play`: no cluster runs them (pods.mjs says what is not proved). */
async function kubernetes({ topology, sandbox, id, beside }) {
  // Beside another one: in its namespace.
  const network = beside?.network ?? `redkeep-${id}`;
  const folder = beside?.folder ?? join(sandbox.folder, network);
  await mkdir(folder, { recursive: true });
  const removeNetwork = beside ? async () => undefined : await makeNetwork(network);
  const program = [process.execPath, fileURLToPath(new URL('pods.mjs', import.meta.url))];
  const env = { REDKEEP_KUBECTL: program.join(' '), REDKEEP_LAB_PODS: folder };
  const kubectl = (...args) => exec(program[0], [program[1], ...args], { env: { ...process.env, ...env } });
  const pod = (node) => `redkeep-${id}-${node.name}-0`;
  const removePod = (name) => podman('pod', 'rm', '--force', '--time', '0', name);
  const kill = (node) => removePod(pod(node));
  return {
    network,
    folder,
    init: ['--target', 'kubernetes', '--image', image, '--topology', topology],
    env,
    startWriter: () => inNetwork(network, `${network}-writer`, sandbox.deployment),
    healthy: (node) => kubectl('probe', pod(node)),
    kill,
    lose: async (node) => {
      await kill(node).catch(() => undefined);
      await rm(join(folder, `volumes/redkeep-${id}-${node.name}`), { recursive: true, force: true });
    },
    remove: async (nodes) => {
      await removeContainer(`${network}-writer`);
      for (const node of nodes) {
        for (const name of [pod(node), `${pod(node)}-init`]) await removePod(name).catch(() => undefined);
      }
      await removeNetwork();
    },
  };
}

export const drivers = { local, compose, systemd, kubernetes };
