import { readFile, realpath } from 'node:fs/promises';

/**
 * Whether a file is in a volume of secrets as Kubernetes and Docker Swarm mount them: in memory, read-only, for one
 * container. Their default modes (0644, 0444) let every user of the container read them, which is every process of the
 * application; on a host, the same mode lets strangers read.
 */
export async function isSecretVolume(path: string, mounts = '/proc/self/mountinfo'): Promise<boolean> {
  try {
    const [real, text] = await Promise.all([realpath(path), readFile(mounts, 'utf8')]);
    return isReadOnlyMemory(real, text);
  } catch {
    return false;
  }
}

/** By the mount that the path is on, as /proc/self/mountinfo (proc(5)) lists it: the longest, and of those the last. */
export function isReadOnlyMemory(path: string, mountinfo: string): boolean {
  let found: { readonly point: string; readonly options: string; readonly type: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const [, , , , point = '', options = ''] = (before ?? '').split(' ');
    const [type = ''] = (after ?? '').split(' ');
    const within = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`);
    if (point !== '' && within && point.length >= (found?.point.length ?? 0)) found = { point, options, type };
  }
  return found !== undefined && /^(tmpfs|ramfs)$/.test(found.type) && found.options.split(',').includes('ro');
}
