import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../deployment/model.js';

/** Where a node is reached from this machine. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Finds the way to a node. A target whose nodes are elsewhere than their names say brings one. */
export type Reach = (node: DeploymentNode) => Promise<Address>;

const ways = new WeakMap<LoadedDeployment['deployment'], Reach>();

/** Sets how the nodes of a deployment are reached from here, for every connection made afterwards. */
export function setReach(loaded: LoadedDeployment, reach: Reach): void {
  ways.set(loaded.deployment, reach);
}

/** A node's own address unless its target says otherwise. */
export async function reach(loaded: LoadedDeployment, node: DeploymentNode): Promise<Address> {
  return (await ways.get(loaded.deployment)?.(node)) ?? { host: node.host, port: node.port };
}
