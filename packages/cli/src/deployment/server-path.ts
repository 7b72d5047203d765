import path from 'node:path';
import type { Deployment } from './model.js';
import { hostDataFolder, hostFolder } from './naming.js';

/** Where a file of the deployment's folder is for the server: containers and units see it elsewhere. */
export function serverPath(
  { target, name }: Pick<Deployment, 'target' | 'name'>,
  folder: string,
  relativePath: string,
): string {
  if (target === 'local') return path.join(folder, relativePath);
  const data = /^nodes\/([^/]+)\/data$/.exec(relativePath)?.[1];
  if (target === 'systemd') {
    if (data !== undefined) return hostDataFolder({ name }, data);
    return path.posix.join(hostFolder({ name }), relativePath);
  }
  // A container and a pod have a file system of their own, with one node in it.
  return data === undefined ? path.posix.join('/etc/redkeep', relativePath) : '/data';
}
