import type { DeploymentNode } from '../deployment/model.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
import type { NodeFile, NodeRecord } from './delivery.js';
import { hashesOf } from './node-files.js';

/** Which files each node was given and which of them its server took: a file a node, on this machine. */
export class DeliveryRecords {
  readonly #fileOf: (node: DeploymentNode) => string;

  constructor(fileOf: (node: DeploymentNode) => string) {
    this.#fileOf = fileOf;
  }

  async read(node: DeploymentNode): Promise<NodeRecord | undefined> {
    const text = await readIfPresent(this.#fileOf(node));
    try {
      return text === undefined ? undefined : (JSON.parse(text) as NodeRecord);
    } catch {
      return undefined;
    }
  }

  async markDelivered(node: DeploymentNode, files: readonly NodeFile[]): Promise<void> {
    const before = await this.read(node);
    await this.#write(node, { delivered: hashesOf(files), taken: before?.taken ?? {} });
  }

  async markTaken(node: DeploymentNode): Promise<void> {
    const record = await this.read(node);
    if (record) await this.#write(node, { ...record, taken: record.delivered });
  }

  #write(node: DeploymentNode, record: NodeRecord): Promise<void> {
    return replaceFile(this.#fileOf(node), `${JSON.stringify(record)}\n`);
  }
}
