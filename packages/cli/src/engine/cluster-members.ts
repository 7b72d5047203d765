import type { RedisClient } from 'redkeep';

/** A line of CLUSTER NODES. */
export interface ClusterMember {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Announced from Redis 7.0 on; empty where it is not. */
  readonly hostname: string;
  readonly flags: readonly string[];
  readonly isSelf: boolean;
  /** The id of the primary that a replica copies. */
  readonly primary?: string;
  /** How many slots it serves. */
  readonly slots: number;
}

/** The members of a cluster as one node sees them. */
export async function readMembers(client: RedisClient): Promise<ClusterMember[]> {
  const text = String(await client.sendCommand(['CLUSTER', 'NODES']));
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(readMember);
}

function readMember(line: string): ClusterMember {
  const [id = '', address = '', flagList = '', primary = '-', , , , , ...ranges] = line.trim().split(' ');
  const [endpoint = '', hostname = ''] = address.split(',');
  const at = endpoint.split('@')[0]!;
  const flags = flagList.split(',');
  const colon = at.lastIndexOf(':');
  return {
    id,
    host: at.slice(0, colon),
    port: Number(at.slice(colon + 1)),
    hostname,
    flags,
    isSelf: flags.includes('myself'),
    ...(primary === '-' ? {} : { primary }),
    // A slot on its way to another node is in brackets and counted with its owner.
    slots: ranges.filter((range) => !range.startsWith('[')).reduce((sum, range) => sum + slotsIn(range), 0),
  };
}

function slotsIn(range: string): number {
  const [start, end = start] = range.split('-').map(Number);
  return end! - start! + 1;
}
