import type { RedisClient } from 'redkeep';
import type { TopologyName } from '../../vocabulary/names.js';
import type { ReplicationLogin } from '../stream/replication-link.js';
import type { StreamEndpoint } from '../stream/stamped-socket.js';

/** A server of a shard, as the archive reaches it. */
export interface SourceNode {
  readonly name: string;
  readonly endpoint: StreamEndpoint;
}

export interface SourceShard {
  readonly name: string;
  readonly nodes: readonly SourceNode[];
}

/** What is backed up: servers by shard, and the user to log in as. */
export interface BackupSource {
  readonly name: string;
  readonly topology: TopologyName;
  readonly shards: readonly SourceShard[];
  /** Needs `+psync +replconf +ping` and nothing else. */
  readonly login: ReplicationLogin | undefined;
  /** A connection that may ask INFO; undefined where no user for that is known. */
  readonly observe?: ((node: SourceNode) => Promise<RedisClient>) | undefined;
  /** A connection that may pause writes; undefined where no user for that is known. */
  readonly control?: ((node: SourceNode) => Promise<RedisClient>) | undefined;
}

/** A connection to the primary of a shard as it is now, as the user that may pause writes. */
export async function primaryOf(source: BackupSource, shard: SourceShard): Promise<RedisClient> {
  if (!source.control) throw new Error('no user that may pause writes was named');
  for (const node of shard.nodes) {
    let client: RedisClient;
    try {
      client = await source.control(node);
    } catch {
      continue;
    }
    if (/^role:master/m.test(String(await client.sendCommand(['INFO', 'replication'])))) return client;
    client.destroy();
  }
  throw new Error(`no primary of ${shard.name} was reached`);
}

/** What INFO says of a server, as far as an archive must know it. */
export interface ServerState {
  readonly role: 'primary' | 'replica';
  /** A replica that is in step with its primary. */
  readonly inStep: boolean;
  readonly offset: number;
  /** Bytes of the stream that the server keeps for who was away. */
  readonly backlogBytes: number;
  /** It counts its replicas before it takes a write (`min-replicas-to-write`). */
  readonly countsReplicas: boolean;
  /** A sentinel is connected; undefined where the user may not see that. */
  readonly watched: boolean | undefined;
}

export async function serverState(client: RedisClient): Promise<ServerState> {
  const text = String(await client.sendCommand(['INFO', 'replication']));
  const backlog = infoField(text, 'repl_backlog_active') === '1' ? infoField(text, 'repl_backlog_size') : undefined;
  return {
    ...roleAndOffset(text),
    inStep: infoField(text, 'master_link_status') === 'up' && infoField(text, 'master_sync_in_progress') === '0',
    backlogBytes: Number(backlog ?? 0),
    countsReplicas: infoField(text, 'min_slaves_good_slaves') !== undefined,
    watched: await isWatched(client),
  };
}

/** One round trip: what a server is, and how many bytes its stream has. */
export async function replicationOffset(client: RedisClient): Promise<Pick<ServerState, 'role' | 'offset'>> {
  return roleAndOffset(String(await client.sendCommand(['INFO', 'replication'])));
}

export function roleAndOffset(text: string): Pick<ServerState, 'role' | 'offset'> {
  const role = infoField(text, 'role') === 'slave' ? 'replica' : 'primary';
  const name = role === 'primary' ? 'master_repl_offset' : 'slave_repl_offset';
  return { role, offset: Number(infoField(text, name) ?? 0) };
}

export function infoField(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1];
}

/** Sentinels name their connections `sentinel-<id>-cmd` and `-pubsub`. */
async function isWatched(client: RedisClient): Promise<boolean | undefined> {
  try {
    return /\bname=sentinel-[0-9a-f]{8}-/.test(String(await client.sendCommand(['CLIENT', 'LIST'])));
  } catch {
    return undefined;
  }
}
