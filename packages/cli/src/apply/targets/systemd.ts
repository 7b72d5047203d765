import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isLoopback } from 'redkeep';
import type { Context } from '../../context.js';
import { identityOf } from '../../deployment/identity.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { hostDataFolder, hostFolder, unitName } from '../../deployment/naming.js';
import { type Address, setReach } from '../../engine/reach.js';
import { waitForHandshake } from '../../engine/wait-for-handshake.js';
import { CliError, explainSystemError } from '../../errors.js';
import type { Delivery, LogOptions, NodeFile, NodeRecord, NodeState, PrimaryAddress } from '../delivery.js';
import { readNodeFiles } from '../node-files.js';
import { foreignExit, hostScript, takenPortsScript } from './host-script.js';
import { type Ran, runProgram } from './run-program.js';
import { connects, keepTunnel } from './tunnel.js';

/** The exit code of ssh itself, where it came to no command. */
const sshFailed = 255;
const sshAttempts = 3;
const sshPauseMilliseconds = 1000;

let control: string | undefined;

function controlFolder(): string {
  if (control !== undefined) return control;
  const made = mkdtempSync(path.join(tmpdir(), 'redkeep-ssh-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  control = made;
  return made;
}

/**
 * Hosts with systemd, reached over the machine's own ssh (its configuration, agent and known hosts; `REDKEEP_SSH` names
 * another command). Scripts go through standard input: no secret is an argument. A host on loopback is this machine.
 */
export class SystemdDelivery implements Delivery {
  readonly loaded: LoadedDeployment;
  readonly #context: Context;
  readonly #ssh: readonly string[];
  readonly #ways = new Map<string, Promise<Address>>();

  constructor(context: Context, loaded: LoadedDeployment) {
    this.#context = context;
    this.loaded = loaded;
    const command = (context.env['REDKEEP_SSH'] ?? 'ssh').split(' ').filter((word) => word !== '');
    this.#ssh = [...command, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '-o', 'ControlMaster=auto'];
    setReach(loaded, (node) => this.#reach(node));
  }

  async check(): Promise<void> {
    const hosts = [...new Set(this.loaded.deployment.nodes.map(({ host }) => host))];
    const refused: string[] = [];
    await Promise.all(
      hosts.map(async (host) => {
        const { code, stderr } = await this.#run(host, 'systemctl --version >/dev/null');
        if (code !== 0) refused.push(`${host} (${lastLine(stderr)})`);
      }),
    );
    // A host that is away is the plan's matter; that none can be reached is the way's.
    if (refused.length === hosts.length) throw this.#unreachable(refused.join(', '));
  }

  #unreachable(what: string): CliError {
    return new CliError(
      'REDKEEP_DELIVERY_FAILED',
      `No way by ssh to ${what}.`,
      'Each host needs ssh with a key, as root or with sudo without a password (ssh HOST sudo -n true); or carry files by hand: redkeep bundle HOST.',
    );
  }

  async filesOf(node: DeploymentNode): Promise<readonly NodeFile[]> {
    const unit = `systemd/${unitName(this.loaded.deployment, node)}`;
    const content = await readFile(this.loaded.locate(unit), 'utf8').catch((error: unknown) => {
      throw explainSystemError(error, this.loaded.locate(unit));
    });
    return [...(await readNodeFiles(this.loaded, node)), { path: unit, mode: 0o644, content }];
  }

  async record(node: DeploymentNode): Promise<NodeRecord | undefined> {
    const etc = hostFolder(this.loaded.deployment);
    const script = `for kind in delivered taken; do cat ${etc}/.$kind-${node.name} 2>/dev/null || printf '{}'; echo; done`;
    const { code, stdout } = await this.#run(node.host, script);
    const [delivered = '{}', taken = '{}'] = stdout.trim().split('\n');
    try {
      return code === 0 ? { delivered: JSON.parse(delivered), taken: JSON.parse(taken) } : undefined;
    } catch {
      return undefined;
    }
  }

  async deliver(node: DeploymentNode, files: readonly NodeFile[], primary?: PrimaryAddress): Promise<void> {
    const { deployment } = this.loaded;
    const script = hostScript(deployment, await identityOf(this.loaded), node, files, primary);
    const ran = await this.#run(node.host, script);
    if (ran.code === foreignExit) {
      throw new CliError(
        'REDKEEP_DELIVERY_FAILED',
        `${node.host}: ${hostFolder(deployment)} belongs to another deployment called "${deployment.name}".`,
        'Give this one a name of its own: redkeep init --name NAME.',
      );
    }
    this.#demand(node, ran, 'did not take its files');
  }

  async markTaken(node: DeploymentNode): Promise<void> {
    const etc = hostFolder(this.loaded.deployment);
    const [from, to] = [`${etc}/.delivered-${node.name}`, `${etc}/.taken-${node.name}`];
    this.#demand(node, await this.#run(node.host, `cp ${from} ${to}.new && mv -f ${to}.new ${to}`), 'was not noted');
  }

  async state(node: DeploymentNode): Promise<NodeState> {
    const { code, stdout } = await this.#run(node.host, `systemctl is-active ${this.#unit(node)} || true`);
    if (code !== 0) return 'unknown';
    return /^(?:active|reloading|activating|deactivating)/.test(stdout) ? 'running' : 'stopped';
  }

  async start(node: DeploymentNode): Promise<void> {
    await this.#requireFreePorts(node);
    const unit = this.#unit(node);
    const ran = await this.#run(node.host, `systemctl enable --quiet ${unit} && systemctl start ${unit}`);
    this.#demand(node, ran, 'did not start');
    await waitForHandshake(this.#context, this.loaded, node);
  }

  async stop(node: DeploymentNode): Promise<boolean> {
    const state = await this.state(node);
    if (state === 'stopped') return false;
    this.#demand(node, await this.#run(node.host, `systemctl stop ${this.#unit(node)}`), 'did not stop');
    return true;
  }

  async hasData(node: DeploymentNode): Promise<boolean | undefined> {
    const data = hostDataFolder(this.loaded.deployment, node.name);
    const script = `if [ -e ${data}/appendonlydir ] || [ -e ${data}/dump.rdb ] || [ -e ${data}/appendonly.aof ]; then echo yes; fi`;
    const { code, stdout } = await this.#run(node.host, script);
    return code === 0 ? stdout.trim() === 'yes' : undefined;
  }

  async serverConfig(node: DeploymentNode): Promise<string | undefined> {
    const file = `${hostFolder(this.loaded.deployment)}/${node.configFile}`;
    const { code, stdout } = await this.#run(node.host, `cat ${file}`);
    return code === 0 ? stdout : undefined;
  }

  async logs(node: DeploymentNode, { lines, follow, signal, onLine }: LogOptions): Promise<void> {
    const script = `journalctl -o cat -n ${lines} ${follow ? '-f' : '--no-pager'} -u ${this.#unit(node)}`;
    await this.#run(node.host, script, { onLine, ...(follow ? { signal } : {}) });
  }

  async #requireFreePorts(node: DeploymentNode): Promise<void> {
    if ((await this.state(node)) !== 'stopped') return;
    const { stdout } = await this.#run(node.host, takenPortsScript(node));
    const [port, unit] = (stdout.split('\n')[0] ?? '').split(' ');
    if (!port) return;
    throw new CliError(
      'REDKEEP_PORT_TAKEN',
      `Port ${port} of ${node.host}, wanted by ${node.name}, is taken by ${unit || 'another program'}.`,
      unit
        ? `If nobody needs it: systemctl disable --now ${unit}, on that host. Else choose another port: redkeep init --port PORT.`
        : 'Stop that program, or choose another port: redkeep init --port PORT.',
    );
  }

  #unit(node: DeploymentNode): string {
    return unitName(this.loaded.deployment, node);
  }

  #demand(node: DeploymentNode, { code, stderr }: Ran, what: string): void {
    if (code === 0) return;
    throw new CliError(
      'REDKEEP_DELIVERY_FAILED',
      `${node.name} on ${node.host} ${what}: ${lastLine(stderr) || `exit code ${code}`}`,
      `Look there: journalctl -u ${this.#unit(node)}.`,
    );
  }

  /** With the sockets of shared connections in a folder that ends with this process; ssh ends the connections. */
  #sshCommand(): readonly string[] {
    return [...this.#ssh, '-o', `ControlPath=${path.join(controlFolder(), '%C')}`, '-o', 'ControlPersist=20'];
  }

  async #run(
    host: string,
    script: string,
    options: { readonly onLine?: (line: string) => void; readonly signal?: AbortSignal } = {},
  ): Promise<Ran> {
    const shell = 'if [ "$(id -u)" = 0 ]; then exec sh -s; else exec sudo -n sh -s; fi';
    if (isLoopback(host)) return runProgram('sh', ['-c', shell], { stdin: script, ...options });
    const [program, ...args] = this.#sshCommand();
    for (let attempt = 1; ; attempt += 1) {
      const ran = await runProgram(program!, [...args, '--', host, shell], { stdin: script, ...options });
      // Every script is safe to repeat; one refused connection must not make a node count as away.
      if (ran.code !== sshFailed || attempt === sshAttempts || options.onLine || this.#context.signal.aborted)
        return ran;
      await delay(sshPauseMilliseconds);
    }
  }

  /** Straight to the node where the firewall lets this machine in, else through a tunnel to its loopback. */
  #reach(node: DeploymentNode): Promise<Address> {
    const known = this.#ways.get(node.name);
    if (known) return known;
    const way = (async () => {
      if (isLoopback(node.host) || (await connects(node))) return { host: node.host, port: node.port };
      const port = await freePort();
      const [program, ...args] = this.#sshCommand();
      const forward = `127.0.0.1:${port}:127.0.0.1:${node.port}`;
      await keepTunnel(
        program!,
        [...args, '-N', '-o', 'ExitOnForwardFailure=yes', '-L', forward, '--', node.host],
        port,
      );
      return { host: '127.0.0.1', port };
    })().catch(() => ({ host: node.host, port: node.port }));
    this.#ways.set(node.name, way);
    return way;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
