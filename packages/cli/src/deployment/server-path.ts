import path from 'node:path';
import type { TargetName } from '../vocabulary/names.js';

/** Where a file of the deployment's folder is for the server: containers and units see it elsewhere. */
export function serverPath(target: TargetName, folder: string, relativePath: string): string {
  if (target === 'local') return path.join(folder, relativePath);
  const data = /^nodes\/([^/]+)\/data$/.exec(relativePath)?.[1];
  if (data !== undefined) return target === 'systemd' ? `/var/lib/redkeep-${data}` : '/data';
  return path.posix.join('/etc/redkeep', relativePath);
}
