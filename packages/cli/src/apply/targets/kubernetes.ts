import { readFile } from 'node:fs/promises';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { runningConfigPath } from '../../deployment/render/health-check.js';
import { placeholderDigest, withoutSecrets, workloadName } from '../../deployment/render/kubernetes.js';
import { quoteShell } from '../../deployment/render/shell.js';
import { serverImage } from '../../deployment/server-image.js';
import { type Address, setPeerAddress, setReach } from '../../engine/reach.js';
import { waitForHandshake } from '../../engine/wait-for-handshake.js';
import { CliError } from '../../errors.js';
import type { Delivery, LogOptions, NodeFile, NodeRecord, NodeState } from '../delivery.js';
import { hashesOf, readNodeFiles } from '../node-files.js';
import { type Ran, type RunOptions, runProgram } from './run-program.js';
import { freePort } from './systemd.js';
import { keepTunnel } from './tunnel.js';

/** A kubelet refreshes mounted Secrets within its sync period and cache, about 90 s. */
const refreshMilliseconds = 150_000;
const annotation = { delivered: 'redkeep/delivered', taken: 'redkeep/taken' } as const;

/**
 * StatefulSets of one pod each, through kubectl (`REDKEEP_KUBECTL` names another command, with a context for example).
 * StatefulSets replace no pod by themselves (OnDelete) and Secrets keep their names, so that applying the manifests
 * restarts nothing; pods are replaced one by one from here.
 */
export class KubernetesDelivery implements Delivery {
  readonly loaded: LoadedDeployment;
  readonly #context: Context;
  readonly #kubectl: readonly string[];
  readonly #ways = new Map<string, Promise<Address>>();
  /** What the last apply carried, by node. */
  #carried: ReadonlyMap<string, string> = new Map();

  constructor(context: Context, loaded: LoadedDeployment) {
    this.#context = context;
    this.loaded = loaded;
    this.#kubectl = (context.env['REDKEEP_KUBECTL'] ?? 'kubectl').split(' ').filter((word) => word !== '');
    setReach(loaded, (node) => this.#reach(node));
    setPeerAddress(loaded, (node) => this.#podIp(node));
  }

  async check(): Promise<void> {
    await this.#requireImage();
    const { code, stderr } = await this.#run(['get', 'statefulsets', '--output', 'name']);
    if (code === 0) return;
    throw new CliError(
      'REDKEEP_DELIVERY_FAILED',
      `kubectl does not reach namespace ${this.#namespace()}: ${lastLine(stderr)}`,
      `Check its context (kubectl config current-context) and make the namespace: kubectl create namespace ${this.#namespace()}.`,
    );
  }

  /** Without one the pods would wait for an image that no registry has. */
  async #requireImage(): Promise<void> {
    const text = await readFile(this.loaded.locate(withoutSecrets), 'utf8');
    if (!text.includes(placeholderDigest)) return;
    const { folder, deployment } = this.loaded;
    throw new CliError(
      'REDKEEP_ANSWERS_INVALID',
      'No image has been named for the pods.',
      `Name what you have tested, with its digest: redkeep init --dir ${quoteShell(folder)} --yes --image ${serverImage(deployment)}@sha256:DIGEST`,
    );
  }

  async filesOf(node: DeploymentNode): Promise<readonly NodeFile[]> {
    const file = `kubernetes/${node.name}.yaml`;
    const content = await readFile(this.loaded.locate(file), 'utf8');
    return [...(await readNodeFiles(this.loaded, node)), { path: file, mode: 0o644, content }];
  }

  async record(node: DeploymentNode): Promise<NodeRecord | undefined> {
    const { code, stdout } = await this.#run(['get', 'statefulset', this.#name(node), '--output', 'json']);
    if (code !== 0) return undefined;
    const { metadata } = JSON.parse(stdout) as { metadata: { annotations?: Record<string, string> } };
    const read = (name: string) => JSON.parse(metadata.annotations?.[name] ?? '{}') as NodeRecord['delivered'];
    return { delivered: read(annotation.delivered), taken: read(annotation.taken) };
  }

  async deliver(node: DeploymentNode, files: readonly NodeFile[]): Promise<void> {
    await this.#apply(node, files);
    if ((await this.state(node)) === 'running') await this.#refreshed(node, files);
    await this.#annotate(node, annotation.delivered, JSON.stringify(hashesOf(files)));
  }

  /** One apply carries every node, and nothing restarts by it; files that have changed since need another. */
  async #apply(node: DeploymentNode, files: readonly NodeFile[]): Promise<void> {
    const digest = (all: readonly NodeFile[]) => JSON.stringify(hashesOf(all));
    if (this.#carried.get(node.name) === digest(files)) return;
    const { nodes } = this.loaded.deployment;
    const carried = await Promise.all(
      nodes.map(async (each) => [each.name, digest(await this.filesOf(each))] as const),
    );
    this.#demand(await this.#run(['apply', '--kustomize', this.loaded.folder]), 'The manifests were not applied');
    this.#carried = new Map(carried);
  }

  async markTaken(node: DeploymentNode): Promise<void> {
    const record = await this.record(node);
    if (record) await this.#annotate(node, annotation.taken, JSON.stringify(record.delivered));
  }

  async state(node: DeploymentNode): Promise<NodeState> {
    const path = '{.status.phase}/{.metadata.deletionTimestamp}';
    const { code, stdout, stderr } = await this.#run(['get', 'pod', this.#pod(node), '--output', `jsonpath=${path}`]);
    if (code !== 0) return /NotFound|not found/.test(stderr) ? 'stopped' : 'unknown';
    return stdout.startsWith('Running/') ? 'running' : 'stopped';
  }

  async start(node: DeploymentNode): Promise<void> {
    this.#demand(
      await this.#run(['scale', 'statefulset', this.#name(node), '--replicas=1']),
      `${node.name} did not start`,
    );
    const wait = ['wait', 'pod', this.#pod(node), '--for=jsonpath={.status.phase}=Running', '--timeout=300s'];
    for (let attempt = 0; attempt < 10 && (await this.#run(wait)).code !== 0; attempt += 1);
    this.#ways.delete(node.name);
    await waitForHandshake(this.#context, this.loaded, node);
  }

  async stop(node: DeploymentNode): Promise<boolean> {
    if ((await this.state(node)) === 'stopped') return false;
    this.#demand(
      await this.#run(['scale', 'statefulset', this.#name(node), '--replicas=0']),
      `${node.name} did not stop`,
    );
    await this.#run(['wait', 'pod', this.#pod(node), '--for=delete', '--timeout=180s']);
    return true;
  }

  /** Volumes of pods that do not run cannot be looked into. */
  async hasData(): Promise<boolean | undefined> {
    return undefined;
  }

  async serverConfig(node: DeploymentNode): Promise<string | undefined> {
    const { code, stdout } = await this.#exec(node, `cat ${runningConfigPath(this.loaded.deployment, node)}`);
    return code === 0 ? stdout : undefined;
  }

  async logs(node: DeploymentNode, { lines, follow, signal, onLine }: LogOptions): Promise<void> {
    const args = ['logs', this.#pod(node), '--container', 'server', `--tail=${lines}`, ...(follow ? ['--follow'] : [])];
    await this.#run(args, { onLine, ...(follow ? { signal } : {}) });
  }

  /** Waits until the pod sees the new files, and copies those that its server may write. */
  async #refreshed(node: DeploymentNode, files: readonly NodeFile[]): Promise<void> {
    const mounted = files.filter(({ path }) => path.startsWith('pki/') || path.startsWith('secrets/'));
    const sums = Object.entries(hashesOf(mounted)).map(([path, sum]) => `${sum}  /etc/redkeep/${path}`);
    const giveUp = performance.now() + refreshMilliseconds;
    const script = `sha256sum --check --status <<'END'\n${sums.join('\n')}\nEND\n`;
    while ((await this.#exec(node, script)).code !== 0) {
      if (performance.now() > giveUp) {
        throw new CliError(
          'REDKEEP_DELIVERY_FAILED',
          `${node.name} does not see its new files after ${refreshMilliseconds / 1000} s.`,
          `Restart it: redkeep restart ${node.name}.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }

  async #annotate(node: DeploymentNode, name: string, value: string): Promise<void> {
    const args = ['annotate', '--overwrite', 'statefulset', this.#name(node), `${name}=${value}`];
    this.#demand(await this.#run(args), `${node.name} was not noted`);
  }

  async #podIp(node: DeploymentNode): Promise<string> {
    const ran = await this.#run(['get', 'pod', this.#pod(node), '--output', 'jsonpath={.status.podIP}']);
    this.#demand(ran, `${node.name} has no address`);
    return ran.stdout.trim();
  }

  #exec(node: DeploymentNode, script: string): Promise<Ran> {
    const args = ['exec', '--stdin', this.#pod(node), '--container', 'server', '--', 'sh', '-s'];
    return this.#run(args, { stdin: script });
  }

  #reach(node: DeploymentNode): Promise<Address> {
    const known = this.#ways.get(node.name);
    if (known) return known;
    const way = (async () => {
      const port = await freePort();
      const [program, ...args] = this.#command();
      await keepTunnel(program!, [...args, 'port-forward', `pod/${this.#pod(node)}`, `${port}:${node.port}`], port);
      return { host: '127.0.0.1', port };
    })();
    this.#ways.set(node.name, way);
    way.catch(() => this.#ways.delete(node.name));
    return way;
  }

  #namespace(): string {
    return this.loaded.deployment.namespace ?? 'redkeep';
  }

  #name(node: DeploymentNode): string {
    return workloadName(this.loaded.deployment, node);
  }

  #pod(node: DeploymentNode): string {
    return `${this.#name(node)}-0`;
  }

  #command(): readonly string[] {
    return [...this.#kubectl, '--namespace', this.#namespace()];
  }

  #run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const [program, ...first] = this.#command();
    return runProgram(program!, [...first, ...args], options);
  }

  #demand({ code, stderr }: Ran, what: string): void {
    if (code === 0) return;
    throw new CliError('REDKEEP_DELIVERY_FAILED', `${what}: ${lastLine(stderr)}`, 'kubectl describe says more.');
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}
