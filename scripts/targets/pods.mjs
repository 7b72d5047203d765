#!/usr/bin/env node
// The part of kubectl that redkeep uses, over `podman kube play`: a machine without a cluster runs the pods of the
// manifests all the same. `kubectl kustomize` renders them; each StatefulSet's template becomes a pod with the name it
// would have. Done here and not by podman: StatefulSets (one pod each, OnDelete), Secrets that are refreshed in running
// pods, volumes, fsGroup, and probes. Ports are left out, because podman publishes them on the machine.
// REDKEEP_LAB_PODS is the folder of the state; its name is that of the network.
import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';

const exec = promisify(execFile);
const state = process.env.REDKEEP_LAB_PODS;
const network = path.basename(state);
const at = (...parts) => path.join(state, ...parts);

async function podman(...args) {
  const { stdout } = await exec('podman', args, { maxBuffer: 1 << 24 });
  return stdout.trim();
}

class Refused extends Error {}

const notFound = (kind, name) => new Refused(`Error from server (NotFound): ${kind} "${name}" not found`);

async function write(file, content) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, content);
  await rename(`${file}.${process.pid}`, file);
}

async function read(kind, name) {
  const text = await readFile(at(kind, `${name}.json`), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

const save = (kind, name, value) => write(at(kind, `${name}.json`), JSON.stringify(value));

async function all(kind) {
  const names = await readdir(at(kind)).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
}

const podOf = (set) => `${set}-0`;
const serverOf = (pod) => `${pod}-server`;

async function isRunning(pod) {
  return (await podman('inspect', '--format', '{{.State.Running}}', serverOf(pod)).catch(() => '')) === 'true';
}

async function apply(folder) {
  const { stdout } = await exec('kubectl', ['kustomize', folder], { maxBuffer: 1 << 26 });
  for (const document of parseAllDocuments(stdout)) {
    const object = document.toJS();
    const { name } = object.metadata;
    if (object.kind === 'Secret') await save('secrets', name, object.data);
    if (object.kind !== 'StatefulSet') continue;
    const annotations = (await read('sets', name))?.metadata.annotations ?? {};
    await save('sets', name, { ...object, metadata: { ...object.metadata, annotations } });
  }
  for (const name of await all('sets')) {
    const set = await read('sets', name);
    if (await isRunning(podOf(name))) await placeSecrets(set);
    else await play(set);
  }
}

const volumeFolder = (set, volume) => at('volumes', set.metadata.name, volume.name ?? volume);

/** What a kubelet writes into a pod's Secret volumes, and again when the Secret changes. */
async function placeSecrets(set) {
  const { volumes, securityContext } = set.spec.template.spec;
  for (const volume of volumes.filter(({ secret }) => secret)) {
    const data = await read('secrets', volume.secret.secretName);
    for (const { key, path: file } of volume.secret.items) {
      const target = path.join(volumeFolder(set, volume), file);
      await write(target, Buffer.from(data[key], 'base64'));
      await chmod(target, volume.secret.defaultMode);
      await chown(target, 0, securityContext.fsGroup);
    }
  }
}

async function place(set) {
  const { volumes, securityContext } = set.spec.template.spec;
  const claims = set.spec.volumeClaimTemplates.map(({ metadata }) => ({ name: metadata.name }));
  for (const volume of [...volumes, ...claims]) {
    const folder = volumeFolder(set, volume);
    // An emptyDir and a Secret end with their pod; a claim does not.
    if (volume.emptyDir || volume.secret) await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await chown(folder, 0, securityContext.fsGroup);
    await chmod(folder, volume.secret ? 0o755 : 0o2770);
  }
  await placeSecrets(set);
  return [...volumes, ...claims].map((volume) => ({
    name: volume.name,
    hostPath: { path: volumeFolder(set, volume), type: 'Directory' },
  }));
}

async function start(set, pod, { containers, volumes, ...more }) {
  const { initContainers: _, topologySpreadConstraints: __, ...spec } = set.spec.template.spec;
  const { labels } = set.spec.template.metadata;
  const bare = containers.map(({ ports, startupProbe, readinessProbe, livenessProbe, ...container }) => container);
  const document = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, labels },
    spec: { ...spec, ...more, volumes, containers: bare },
  };
  const child = spawn('podman', ['kube', 'play', '--quiet', '--network', names(set), '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (bytes) => (said += bytes));
  child.stdin.end(stringify(document));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Refused(`podman kube play ${pod}: ${said}`);
}

/** The network, with the names under which a headless Service leads to the pod. */
function names({ metadata: { name, namespace }, spec: { serviceName } }) {
  const service = `${serviceName}.${namespace ?? 'redkeep'}.svc`;
  const all = [name, service, `${service}.cluster.local`, `${podOf(name)}.${service}.cluster.local`];
  return `${network}:${all.map((alias) => `alias=${alias}`).join(',')}`;
}

async function removePod(pod, seconds) {
  await podman('pod', 'stop', '--time', String(seconds), pod).catch(() => undefined);
  await podman('pod', 'rm', '--force', pod).catch(() => undefined);
}

/** Init containers run to their end in a pod of their own: in one pod podman 4.3 waits 20 s after each. */
async function play(set) {
  const pod = podOf(set.metadata.name);
  await removePod(pod, 0);
  const volumes = await place(set);
  for (const container of set.spec.template.spec.initContainers ?? []) {
    const first = `${pod}-init`;
    await removePod(first, 0);
    await start(set, first, { containers: [container], volumes, restartPolicy: 'Never' });
    const code = await podman('wait', `${first}-${container.name}`);
    if (code !== '0') throw new Refused(`${container.name} of ${pod} ended with ${code}`);
    await removePod(first, 0);
  }
  await start(set, pod, { containers: set.spec.template.spec.containers, volumes, restartPolicy: 'Always' });
}

async function address(pod) {
  const infra = await podman('pod', 'inspect', '--format', '{{.InfraContainerID}}', pod);
  return podman('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', infra);
}

async function getPod(pod, format) {
  const set = await read('sets', pod.replace(/-0$/, ''));
  if (!set || set.spec.replicas === 0) throw notFound('pods', pod);
  const running = await isRunning(pod);
  if (format.includes('podIP')) return running ? address(pod) : '';
  return `${running ? 'Running' : 'Pending'}/`;
}

async function scale(name, replicas) {
  const set = await read('sets', name);
  if (!set) throw notFound('statefulsets.apps', name);
  set.spec.replicas = replicas;
  await save('sets', name, set);
  const pod = podOf(name);
  if (replicas === 0) await removePod(pod, set.spec.template.spec.terminationGracePeriodSeconds);
  else if (!(await isRunning(pod))) await play(set);
}

async function annotate(name, [assignment]) {
  const set = await read('sets', name);
  if (!set) throw notFound('statefulsets.apps', name);
  const equals = assignment.indexOf('=');
  set.metadata.annotations[assignment.slice(0, equals)] = assignment.slice(equals + 1);
  await save('sets', name, set);
}

/** Runs a pod's probes as a kubelet does; fails with the first that fails. */
async function probe(pod) {
  const set = await read('sets', pod.replace(/-0$/, ''));
  const [server] = set.spec.template.spec.containers;
  for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    await podman('exec', serverOf(pod), ...server[name].exec.command).catch((error) => {
      throw new Refused(`${name} of ${pod}: ${error.stderr}`);
    });
  }
}

function pass(program, args) {
  return new Promise((resolve) => {
    spawn(program, args, { stdio: 'inherit' }).once('close', (code) => resolve(code ?? 1));
  });
}

async function forward(pod, ports) {
  const [from, to] = ports.split(':').map(Number);
  const host = await address(pod);
  const server = createServer((client) => {
    const target = connect({ host, port: to });
    client.on('error', () => target.destroy());
    target.on('error', () => client.destroy());
    client.pipe(target).pipe(client);
  });
  await new Promise((resolve) => server.listen(from, '127.0.0.1', resolve));
  await new Promise(() => undefined);
}

const flag = (args, name) => {
  const index = args.indexOf(name);
  return index === -1 ? args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1) : args[index + 1];
};

const verbs = {
  apply: (args) => apply(flag(args, '--kustomize')),
  annotate: ([, , name, ...assignments]) => annotate(name, assignments),
  exec: (args) => pass('podman', ['exec', '-i', serverOf(args[1]), ...args.slice(args.indexOf('--') + 1)]),
  get: async ([kind, name, ...rest]) => {
    if (kind === 'statefulsets') return (await all('sets')).map((each) => `statefulset.apps/${each}`).join('\n');
    if (kind === 'pod') return getPod(name, flag([name, ...rest], '--output'));
    const set = await read('sets', name);
    if (!set) throw notFound('statefulsets.apps', name);
    return JSON.stringify(set);
  },
  logs: ([pod, ...rest]) => {
    const follow = rest.includes('--follow') ? ['--follow'] : [];
    return pass('podman', ['logs', '--tail', flag(rest, '--tail'), ...follow, serverOf(pod)]);
  },
  'port-forward': ([target, ports]) => forward(target.replace('pod/', ''), ports),
  probe: ([pod]) => probe(pod),
  scale: ([, name, ...rest]) => scale(name, Number(flag(rest, '--replicas'))),
  wait: async ([, pod, ...rest]) => {
    // What a verb starts or stops here has been started or stopped when it ends.
    const wanted = flag(rest, '--for') === 'delete' ? '' : 'Running/';
    const found = await getPod(pod, 'phase').catch(() => '');
    if (found !== wanted) throw new Refused(`timed out waiting for the condition on pods/${pod}`);
  },
};

// What pods read is readable for their group, as a kubelet makes it.
process.umask(0o022);
const args = process.argv.slice(2);
const [verb, ...rest] = args[0] === '--namespace' ? args.slice(2) : args;
try {
  const answer = await verbs[verb](rest);
  if (typeof answer === 'string') process.stdout.write(`${answer}\n`);
  process.exit(typeof answer === 'number' ? answer : 0);
} catch (error) {
  process.stderr.write(`${error instanceof Refused ? error.message : error.stack}\n`);
  process.exit(1);
}
