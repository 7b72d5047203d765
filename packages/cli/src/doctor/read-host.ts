import { readFile } from 'node:fs/promises';
import type { HostFacts, Info } from './evidence.js';

async function text(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (content) => content.trim(),
    () => undefined,
  );
}

/**
 * Reads settings of the kernel that a server suffers from. Only where its process runs on this machine: the process id
 * of INFO must belong to a program of that name, because another machine may use the same number.
 */
export async function readHost(info: Info): Promise<HostFacts | undefined> {
  const pid = info['process_id'];
  if (!pid || !/^\d+$/.test(pid)) return undefined;
  const program = await text(`/proc/${pid}/comm`);
  if (!program || !/redis|valkey|dragonfly/.test(program)) return undefined;
  const [huge, overcommit, status, backlog] = await Promise.all([
    text('/sys/kernel/mm/transparent_hugepage/enabled'),
    text('/proc/sys/vm/overcommit_memory'),
    text(`/proc/${pid}/status`),
    text('/proc/sys/net/core/somaxconn'),
  ]);
  const chosen = huge && /\[(\w+)\]/.exec(huge)?.[1];
  const swapped = status && /^VmSwap:\s+(\d+) kB/m.exec(status)?.[1];
  return {
    ...(chosen && { transparentHugePages: chosen }),
    ...(overcommit !== undefined && { overcommitMemory: overcommit }),
    ...(swapped !== undefined && swapped !== '' && { swappedBytes: Number(swapped) * 1024 }),
    ...(backlog !== undefined && { somaxconn: Number(backlog) }),
  };
}
