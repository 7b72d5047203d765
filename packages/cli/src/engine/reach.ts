import { lookup } from 'node:dns/promises';
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

const peers = new WeakMap<LoadedDeployment['deployment'], (node: DeploymentNode) => Promise<string>>();

/** Sets how the nodes of a deployment find each other, where that is not what this machine's resolver says. */
export function setPeerAddress(loaded: LoadedDeployment, find: (node: DeploymentNode) => Promise<string>): void {
  peers.set(loaded.deployment, find);
}

/** The IP address under which the other nodes reach a node: CLUSTER MEET takes no name. */
export async function peerAddress(loaded: LoadedDeployment, node: DeploymentNode): Promise<string> {
  return (await peers.get(loaded.deployment)?.(node)) ?? (await lookup(node.host)).address;
}

/** A node's own address unless its target says otherwise. */
export async function reach(loaded: LoadedDeployment, node: DeploymentNode): Promise<Address> {
  return (await ways.get(loaded.deployment)?.(node)) ?? { host: node.host, port: node.port };
}
