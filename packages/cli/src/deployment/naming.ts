import { createHash } from 'node:crypto';
import type { Deployment, DeploymentNode } from './model.js';

const mostLetters = 24;

/**
 * The deployment's name as hosts, clusters and firewalls take it: lower-case letters, digits and dashes. Where letters
 * are lost on the way, six digits of the name's hash keep two names apart.
 */
export function slugOf(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, mostLetters)
    .replace(/-+$/, '');
  if (plain === name) return plain;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 6);
  return plain === '' ? hash : `${plain}-${hash}`;
}

/**
 * What everything outside the deployment's folder is called by: units, folders below /etc, firewall tables, Compose
 * projects, Kubernetes objects. Two deployments on one host or in one namespace never share one.
 */
export function prefixOf({ name }: Pick<Deployment, 'name'>): string {
  return name === 'redkeep' ? 'redkeep' : `redkeep-${slugOf(name)}`;
}

/** Where a host keeps the deployment's configuration, certificates and secrets. */
export function hostFolder(deployment: Pick<Deployment, 'name'>): string {
  return `/etc/${prefixOf(deployment)}`;
}

export function unitName(deployment: Pick<Deployment, 'name'>, node: Pick<DeploymentNode, 'name'>): string {
  return `${prefixOf(deployment)}-${node.name}.service`;
}

/** Where a systemd host keeps a node's data. */
export function hostDataFolder(deployment: Pick<Deployment, 'name'>, nodeName: string): string {
  return `/var/lib/${prefixOf(deployment)}-${nodeName}`;
}
