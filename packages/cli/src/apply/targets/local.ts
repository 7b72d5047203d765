import { mkdir, readdir } from 'node:fs/promises';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { keepServerOwned, withPrimary } from '../../deployment/server-owned.js';
import { requireFreePorts, runningConfig, startNode, stopNode } from '../../engine/local-servers.js';
import { runningProcess } from '../../engine/process-record.js';
import { requireServerProgram, type ServerProgram } from '../../engine/server-program.js';
import { explainSystemError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { replaceFile } from '../../files/replace-file.js';
import type { Delivery, LogOptions, NodeFile, NodeRecord, NodeState, PrimaryAddress } from '../delivery.js';
import { DeliveryRecords } from '../delivery-records.js';
import { readNodeFiles } from '../node-files.js';
import { followFile } from './follow-file.js';

/**
 * Servers that redkeep itself starts on this machine. They read the folder's files where they are, except their
 * configuration: a server rewrites that itself, so each runs with a copy below `run/`.
 */
export class LocalDelivery implements Delivery {
  readonly #records = new DeliveryRecords((node) => this.loaded.locate(`run/${node.name}.delivered.json`));
  readonly loaded: LoadedDeployment;
  readonly #context: Context;
  readonly #named: string | undefined;
  #program: Promise<ServerProgram> | undefined;

  constructor(context: Context, loaded: LoadedDeployment, options: { readonly server?: string } = {}) {
    this.#context = context;
    this.loaded = loaded;
    this.#named = options.server;
  }

  async check(): Promise<void> {
    await this.#serverProgram();
  }

  filesOf(node: DeploymentNode): Promise<readonly NodeFile[]> {
    return readNodeFiles(this.loaded, node);
  }

  record(node: DeploymentNode): Promise<NodeRecord | undefined> {
    return this.#records.read(node);
  }

  async deliver(node: DeploymentNode, files: readonly NodeFile[], primary?: PrimaryAddress): Promise<void> {
    await makeFolder(this.loaded.locate(node.dataDir));
    const target = this.loaded.locate(runningConfig(node));
    const rendered = files.find(({ path: file }) => file === node.configFile);
    if (rendered) {
      const current = await readIfPresent(target);
      const kept = keepServerOwned(rendered.content, current, node.role);
      await replaceFile(target, primary ? withPrimary(kept, node, primary) : kept);
    }
    await this.#records.markDelivered(node, files);
  }

  markTaken(node: DeploymentNode): Promise<void> {
    return this.#records.markTaken(node);
  }

  async state(node: DeploymentNode): Promise<NodeState> {
    return (await runningProcess(this.loaded, node.name)) ? 'running' : 'stopped';
  }

  async start(node: DeploymentNode): Promise<void> {
    const program = await this.#serverProgram();
    await requireFreePorts([node]);
    await startNode(this.#context, this.loaded, node, program);
  }

  stop(node: DeploymentNode): Promise<boolean> {
    return stopNode(this.loaded, node);
  }

  async hasData(node: DeploymentNode): Promise<boolean | undefined> {
    const names = await readdir(this.loaded.locate(node.dataDir)).catch(() => []);
    return names.some((name) => name === 'appendonlydir' || /\.(?:rdb|aof|dfs)$/.test(name));
  }

  serverConfig(node: DeploymentNode): Promise<string | undefined> {
    return readIfPresent(this.loaded.locate(runningConfig(node)));
  }

  logs(node: DeploymentNode, options: LogOptions): Promise<void> {
    return followFile(this.loaded.locate(node.logFile), options);
  }

  #serverProgram(): Promise<ServerProgram> {
    const { engine, serverProgram } = this.loaded.deployment;
    this.#program ??= requireServerProgram(this.#context, engine, this.#named ?? serverProgram);
    return this.#program;
  }
}

/** The folder of a node's data: init makes it, and a node whose disk was replaced has none. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw explainSystemError(error, folder);
  });
}
