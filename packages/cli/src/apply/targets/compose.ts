import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { prefixOf } from '../../deployment/naming.js';
import { containerFolder, containerName } from '../../deployment/render/compose.js';
import { serverImage } from '../../deployment/server-image.js';
import { keepServerOwned, withPrimary } from '../../deployment/server-owned.js';
import { sha256 } from '../../deployment/write-files.js';
import { setPeerAddress, setReach } from '../../engine/reach.js';
import { waitForHandshake } from '../../engine/wait-for-handshake.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { replaceFile } from '../../files/replace-file.js';
import type { Delivery, LogOptions, NodeFile, NodeRecord, NodeState, PrimaryAddress } from '../delivery.js';
import { DeliveryRecords } from '../delivery-records.js';
import { readNodeFiles } from '../node-files.js';
import { makeFolder } from './local.js';
import { type Ran, runProgram } from './run-program.js';

/** A container engine and the Compose that goes with it. */
interface ContainerEngine {
  readonly program: string;
  readonly compose: readonly string[];
}

const candidates: readonly ContainerEngine[] = [
  { program: 'docker', compose: ['docker', 'compose'] },
  { program: 'docker', compose: ['docker-compose'] },
  { program: 'podman', compose: ['podman-compose'] },
  { program: 'podman', compose: ['podman', 'compose'] },
];

/**
 * Containers of this machine, through the container engine found (`REDKEEP_COMPOSE` names a Compose command). The files
 * of each node are copied to `containers/NODE`, which its container mounts as a folder.
 */
export class ComposeDelivery implements Delivery {
  readonly #records = new DeliveryRecords((node) => this.#at(node, '.delivered.json'));
  readonly loaded: LoadedDeployment;
  readonly #context: Context;
  #engine: Promise<ContainerEngine> | undefined;

  constructor(context: Context, loaded: LoadedDeployment) {
    this.#context = context;
    this.loaded = loaded;
    // The names of nodes lead somewhere inside the project's network only; on this machine their ports are published.
    setReach(loaded, async (node) => ({ host: '127.0.0.1', port: node.port }));
    setPeerAddress(loaded, (node) => this.#addressInside(node));
  }

  async check(): Promise<void> {
    await this.#variables(await this.#found());
  }

  async filesOf(node: DeploymentNode): Promise<readonly NodeFile[]> {
    const compose = await readFile(this.loaded.locate('compose.yaml'), 'utf8');
    const env = (await readIfPresent(this.loaded.locate('.env'))) ?? '';
    // Changes of the project restart the container. Its text is not needed there, only whether it is the same.
    const project = { path: 'compose.yaml', mode: 0o644, content: sha256(compose + env) };
    return [...(await readNodeFiles(this.loaded, node)), project];
  }

  record(node: DeploymentNode): Promise<NodeRecord | undefined> {
    return this.#records.read(node);
  }

  async deliver(node: DeploymentNode, files: readonly NodeFile[], primary?: PrimaryAddress): Promise<void> {
    await makeFolder(this.loaded.locate(node.dataDir));
    for (const { path: file, content, mode } of files) {
      if (file === 'compose.yaml') continue;
      const target = this.#at(node, file);
      if (file !== node.configFile) {
        await replaceFile(target, content, { mode });
        continue;
      }
      const kept = keepServerOwned(content, await readIfPresent(target), node.role);
      await replaceFile(target, primary ? withPrimary(kept, node, primary) : kept, { mode });
    }
    await this.#records.markDelivered(node, files);
  }

  markTaken(node: DeploymentNode): Promise<void> {
    return this.#records.markTaken(node);
  }

  async state(node: DeploymentNode): Promise<NodeState> {
    const { program } = await this.#found();
    const { code, stdout } = await runProgram(program, ['inspect', '--format', '{{.State.Running}}', this.#name(node)]);
    return code === 0 && stdout.trim() === 'true' ? 'running' : 'stopped';
  }

  async start(node: DeploymentNode): Promise<void> {
    const engine = await this.#found();
    await this.#variables(engine);
    // One that is there but stopped was made for an earlier project: the data is in the folder, not in it.
    await runProgram(engine.program, ['rm', '--force', this.#name(node)]);
    const ran = await this.#compose(engine, 'up', '-d', node.name);
    // Not every Compose says so in its exit code.
    const runs = ran.code === 0 && (await this.state(node)) === 'running';
    this.#demand(node, runs ? ran : { ...ran, code: ran.code || 1 }, 'did not start');
    await waitForHandshake(this.#context, this.loaded, node);
  }

  async stop(node: DeploymentNode): Promise<boolean> {
    if ((await this.state(node)) !== 'running') return false;
    const { program } = await this.#found();
    this.#demand(node, await runProgram(program, ['stop', '--time', '120', this.#name(node)]), 'did not stop');
    await runProgram(program, ['rm', '--force', this.#name(node)]);
    return true;
  }

  async hasData(node: DeploymentNode): Promise<boolean | undefined> {
    const names = await readdir(this.loaded.locate(node.dataDir)).catch(() => []);
    return names.some((name) => name === 'appendonlydir' || /\.(?:rdb|aof|dfs)$/.test(name));
  }

  serverConfig(node: DeploymentNode): Promise<string | undefined> {
    return readIfPresent(this.#at(node, node.configFile));
  }

  async logs(node: DeploymentNode, { lines, follow, signal, onLine }: LogOptions): Promise<void> {
    const { program } = await this.#found();
    const args = ['logs', '--tail', String(lines), ...(follow ? ['--follow'] : []), this.#name(node)];
    await runProgram(program, args, { onLine, ...(follow ? { signal } : {}) });
  }

  #at(node: DeploymentNode, file: string): string {
    return this.loaded.locate(path.join(containerFolder(node), file));
  }

  #name(node: DeploymentNode): string {
    return containerName(this.loaded.deployment, node);
  }

  #demand(node: DeploymentNode, { code, stderr, stdout }: Ran, what: string): void {
    if (code === 0) return;
    const lines = `${stdout}\n${stderr}`.trim().split('\n');
    const reason = (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '').slice(0, 400);
    throw new CliError('REDKEEP_DELIVERY_FAILED', `${node.name} ${what}: ${reason}`, `redkeep logs ${node.name}`);
  }

  #compose({ compose }: ContainerEngine, ...args: string[]): Promise<Ran> {
    const [program, ...first] = compose;
    return runProgram(program!, [...first, '-p', prefixOf(this.loaded.deployment), '-f', 'compose.yaml', ...args], {
      cwd: this.loaded.folder,
      env: this.#context.env,
    });
  }

  #found(): Promise<ContainerEngine> {
    this.#engine ??= findEngine(this.#context);
    return this.#engine;
  }

  async #addressInside(node: DeploymentNode): Promise<string> {
    const { program } = await this.#found();
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
    const ran = await runProgram(program, ['inspect', '--format', format, this.#name(node)]);
    this.#demand(node, ran, 'has no address');
    return ran.stdout.trim().split(' ')[0] ?? '';
  }

  /** Compose reads `.env` beside its file: image by digest, and the owner who alone may read the keys. */
  async #variables({ program }: ContainerEngine): Promise<void> {
    const file = this.loaded.locate('.env');
    const text = (await readIfPresent(file)) ?? '';
    const wanted = serverImage(this.loaded.deployment);
    if (new RegExp(`^# image: ${wanted.replace(/[.*+?^$()|[\]\\{}]/g, '\\$&')}$`, 'm').test(text)) return;
    const resolved = await resolveImage(program, wanted);
    const [uid, gid] = [process.getuid?.() ?? 1000, process.getgid?.() ?? 1000];
    await replaceFile(
      file,
      `# Written by redkeep up; Compose reads it.\n# image: ${wanted}\nREDKEEP_IMAGE=${resolved}\nREDKEEP_UID=${uid}\nREDKEEP_GID=${gid}\n`,
    );
  }
}

async function resolveImage(program: string, wanted: string): Promise<string> {
  const inspect = (format: string) => runProgram(program, ['image', 'inspect', '--format', format, wanted]);
  if ((await inspect('{{.Id}}')).code !== 0) {
    const { code, stderr } = await runProgram(program, ['pull', '--quiet', wanted]);
    if (code !== 0) {
      throw new CliError(
        'REDKEEP_DELIVERY_FAILED',
        `The image ${wanted} is not here and could not be pulled: ${stderr.trim().split('\n').at(-1)?.slice(0, 200)}`,
        'Name another with redkeep init --image NAME, or load it (docker load, podman load).',
      );
    }
  }
  // An image that was built or loaded here has no digest of a registry: its own id names it as exactly.
  const digest = (await inspect('{{index .RepoDigests 0}}')).stdout.trim();
  return /@sha256:[0-9a-f]{64}$/.test(digest) && !digest.startsWith('localhost/') ? digest : wanted;
}

async function findEngine({ env }: Context): Promise<ContainerEngine> {
  const named = env['REDKEEP_COMPOSE']?.split(' ').filter((word) => word !== '');
  if (named && named.length > 0) return { program: named[0]!.includes('podman') ? 'podman' : 'docker', compose: named };
  for (const candidate of candidates) {
    const [program, ...args] = candidate.compose;
    const version = await runProgram(program!, [...args, 'version']).catch(() => undefined);
    const engine = await runProgram(candidate.program, ['info', '--format', '{{json .}}']).catch(() => undefined);
    // Docker's client alone is not an engine, and Docker's Compose 1 refuses today's files.
    const tooOld = /docker-compose version 1\./.test(version?.stdout ?? '');
    if (version?.code === 0 && engine?.code === 0 && !tooOld) return candidate;
  }
  throw new CliError(
    'REDKEEP_DELIVERY_FAILED',
    'No container engine with Compose was found (docker compose, podman-compose, podman compose).',
    'Install one and start its engine, or name the command in REDKEEP_COMPOSE.',
  );
}
