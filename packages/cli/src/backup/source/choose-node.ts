import { CliError } from '../../errors.js';
import type { StreamEndpoint } from '../stream/stamped-socket.js';
import {
  type BackupSource,
  type ServerState,
  type SourceNode,
  type SourceShard,
  serverState,
} from './backup-source.js';

/**
 * The servers of a shard from which a stream may be taken, replicas in step first. On a primary an archive is counted
 * as a replica: by `min-replicas-to-write`, which is a false promise of durability, and by Sentinel, which keeps it in
 * its file. There it needs `onPrimary`.
 */
export async function chooseNodes(
  source: BackupSource,
  shard: SourceShard,
  onPrimary: boolean,
): Promise<readonly StreamEndpoint[]> {
  const looked = await Promise.all(shard.nodes.map(async (node) => ({ node, state: await look(source, node) })));
  const reached = looked.filter(({ state }) => !isAway(state));
  const usable = reached.filter(({ state }) => onPrimary || refusalOf(source, state) === undefined);
  if (usable.length > 0) return [...usable].sort(byFitness).map(({ node }) => node.endpoint);
  const refusal = reached.map(({ state }) => refusalOf(source, state)).find((reason) => reason !== undefined);
  if (refusal === undefined) {
    const reasons = looked.flatMap(({ state }) => (isAway(state) ? [state.away] : []));
    throw new Error(`no server of shard ${shard.name} is reached: ${reasons.join('; ')}`);
  }
  throw new CliError(
    'REDKEEP_BACKUP_SOURCE_UNSAFE',
    `Shard "${shard.name}" has no replica to follow, and on the primary ${refusal}.`,
    'Add a replica, or accept it with --on-primary.',
  );
}

type Looked = ServerState | 'unknown' | { readonly away: string };

function isAway(state: Looked): state is { readonly away: string } {
  return typeof state === 'object' && 'away' in state;
}

async function look(source: BackupSource, node: SourceNode): Promise<Looked> {
  if (!source.observe) return 'unknown';
  try {
    const client = await source.observe(node);
    try {
      return await serverState(client);
    } finally {
      if (client.isOpen) client.destroy();
    }
  } catch (error) {
    if (error instanceof CliError && /NOPERM|WRONGPASS/.test(error.message)) return 'unknown';
    return { away: error instanceof Error ? error.message : String(error) };
  }
}

/** Why a server must not be followed unless told otherwise; undefined where nothing speaks against it. */
function refusalOf(source: BackupSource, state: Looked): string | undefined {
  if (isAway(state)) return undefined;
  if (state === 'unknown') {
    return source.observe ? undefined : 'it is not known what counts it: no user that may run INFO was named';
  }
  if (state.role === 'replica') return undefined;
  if (state.countsReplicas) return 'min-replicas-to-write would count the archive as a copy';
  if (state.watched || source.topology === 'sentinel') return 'Sentinel would take the archive for a replica';
  return undefined;
}

function byFitness(a: { readonly state: Looked }, b: { readonly state: Looked }): number {
  return fitness(a.state) - fitness(b.state);
}

function fitness(state: Looked): number {
  if (state === 'unknown' || isAway(state)) return 2;
  if (state.role === 'replica') return state.inStep ? 0 : 3;
  return 1;
}
