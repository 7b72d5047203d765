import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from 'redkeep';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { type DeploymentNode, sentinelNodes, userOf } from '../deployment/model.js';
import { withClient } from '../engine/connect-node.js';
import { parseInfo } from '../engine/info.js';
import { currentPrimary, fieldsOf, type LiveDataNode, readTopology, replicasOf } from '../engine/live-topology.js';
import { until } from '../engine/settle-topology.js';
import { CliError } from '../errors.js';
import { stopIfInterrupted } from '../interruption.js';

/**
 * Writes stand still at most this long. It is also what ends the pause should this process be killed, so it is longer
 * than a failover takes and no longer than clients with retries bear.
 */
const pauseMilliseconds = 15_000;
/** How long replicas may take to read what the primary wrote before the pause. */
const catchUpMilliseconds = 5000;
const pollMilliseconds = 20;

/** What a handover did, for the report. */
export interface Handover {
  readonly from: string;
  readonly to: string;
  /** How long writes were held back. */
  readonly pausedMs: number;
}

/**
 * Makes another node primary without losing an acknowledged write, so that `node` can be restarted. Does nothing when
 * it is not a primary. Refuses when no replica is in step, or when a node that may hold newer data is away.
 */
export async function handOver(
  context: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
): Promise<Handover | undefined> {
  const { topology } = loaded.deployment;
  if (topology === 'single') return undefined;
  const live = await readTopology(context, loaded);
  const self = live.data.find((each) => each.node.name === node.name);
  if (topology === 'sentinel') {
    const primary = currentPrimary(loaded, live);
    if (!primary) throw newerDataAway(loaded, live.away[0]?.node);
    if (primary.node.name !== node.name) return undefined;
    requireAgreement(loaded, live.sentinels.length);
    const replicas = live.data.filter((each) => each.node.name !== node.name);
    const inStep = replicas.filter((each) => each.inStep && follows(each, primary));
    // A sentinel may choose any replica it knows: each of them has to have everything.
    if (inStep.length === 0 || inStep.length < replicas.length) throw notInStep(node, replicas.length, inStep.length);
    return overSentinel(context, loaded, primary, inStep.length);
  }
  if (self?.role !== 'primary') return undefined;
  const replica = live.data.find((each) => each.inStep && each.role === 'replica' && follows(each, self));
  if (!replica) throw notInStep(node, 0, 0);
  return inCluster(context, loaded, self, replica);
}

function follows({ primary }: LiveDataNode, { node }: LiveDataNode): boolean {
  return primary?.port === node.port && (primary.host === node.host || primary.host !== '');
}

function requireAgreement({ deployment }: LoadedDeployment, answering: number): void {
  const all = sentinelNodes(deployment).length;
  if (answering === all) return;
  throw new CliError(
    'REDKEEP_HANDOVER_FAILED',
    `Only ${answering} of ${all} sentinels answer: the others would not learn of the new primary.`,
    'Start them first (redkeep up), then run it again.',
  );
}

function notInStep(node: DeploymentNode, all: number, inStep: number): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `${node.name} is primary and only ${inStep} of ${all} replicas are in step: another node would serve older data.`,
    'Wait until every replica is in step (redkeep status), or start the one that is away, then run it again.',
  );
}

function newerDataAway({ deployment }: LoadedDeployment, node: DeploymentNode | undefined): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `The primary of ${deployment.name} is not reachable${node ? ` (${node.name} is away)` : ''}; it may hold newer data.`,
    'Start it (redkeep up), or wait until the sentinels have promoted a replica, then run it again.',
  );
}

/**
 * The primary stops taking writes, every replica reads the rest, a sentinel fails over, and the old primary is made a
 * replica before its writes go on: what waited in the pause is then refused and not lost. Until then it asks for as
 * many replicas as it has, so that it stays closed when this process is killed between two steps.
 */
async function overSentinel(
  context: Context,
  loaded: LoadedDeployment,
  { node }: LiveDataNode,
  replicas: number,
): Promise<Handover> {
  const admin = userOf(loaded.deployment, 'admin')!;
  const { primaryName } = loaded.deployment.sentinel!;
  const watcher = sentinelNodes(loaded.deployment)[0]!;
  return withClient(context.connect, loaded, node, admin, (old) =>
    withClient(context.connect, loaded, watcher, admin, async (sentinel) => {
      const min = await setting(old, 'min-replicas-to-write');
      await old.sendCommand(['CONFIG', 'SET', 'min-replicas-to-write', String(replicas)]);
      const restore = () => old.sendCommand(['CONFIG', 'SET', 'min-replicas-to-write', min]);
      const started = performance.now();
      await old.sendCommand(['CLIENT', 'PAUSE', String(pauseMilliseconds), 'WRITE']);
      try {
        await caughtUp(context, old, replicas);
        await sentinel.sendCommand(['SENTINEL', 'FAILOVER', primaryName]);
        const [host, port] = await newPrimary(context, sentinel, primaryName, node);
        await old.sendCommand(['REPLICAOF', host, port]);
        await restore();
        // A restart must find it a replica, whatever the sentinels have written by then.
        await old.sendCommand(['CONFIG', 'REWRITE']);
        await old.sendCommand(['CLIENT', 'UNPAUSE']);
        const pausedMs = Math.round(performance.now() - started);
        await agreed(context, loaded, host, port);
        const to = loaded.deployment.nodes.find((each) => each.host === host && String(each.port) === port);
        return { from: node.name, to: to?.name ?? `${host}:${port}`, pausedMs };
      } catch (error) {
        // Nothing has been promoted, or it has and the old primary is closed by its replicas' absence: only reopen
        // what certainly is the primary still.
        const [host, port] = await addressOf(sentinel, primaryName).catch(() => ['', '']);
        if (host === node.host && port === String(node.port)) {
          await restore().catch(() => undefined);
          await old.sendCommand(['CLIENT', 'UNPAUSE']).catch(() => undefined);
        }
        throw asHandoverError(error, node);
      }
    }),
  );
}

function asHandoverError(error: unknown, node: DeploymentNode): unknown {
  if (error instanceof CliError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CliError(
    'REDKEEP_HANDOVER_FAILED',
    `${node.name} could not hand over: ${reason}`,
    'redkeep status shows who is primary; run it again when every replica is in step.',
    { cause: error },
  );
}

async function setting(client: RedisClient, name: string): Promise<string> {
  return fieldsOf(await client.sendCommand(['CONFIG', 'GET', name])).get(name) ?? '0';
}

/** Every replica has acknowledged what the primary wrote last. */
async function caughtUp({ signal }: Context, old: RedisClient, replicas: number): Promise<void> {
  const giveUp = performance.now() + catchUpMilliseconds;
  for (;;) {
    const info = parseInfo(await old.sendCommand(['INFO', 'replication']));
    const offset = Number(info.get('master_repl_offset'));
    const behind = replicasOf(info).filter((replica) => replica.state === 'online' && replica.offset >= offset);
    if (behind.length >= replicas) return;
    stopIfInterrupted(signal);
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_HANDOVER_FAILED',
        `After ${catchUpMilliseconds / 1000} s without writes only ${behind.length} of ${replicas} replicas had everything.`,
        'The primary takes writes again. Find out why a replica lags (redkeep status), then run it again.',
      );
    }
    await delay(pollMilliseconds);
  }
}

async function addressOf(sentinel: RedisClient, primaryName: string): Promise<[string, string]> {
  const reply = await sentinel.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', primaryName]);
  const [host = '', port = ''] = ((reply ?? []) as unknown as string[]).map(String);
  return [host, port];
}

async function newPrimary(
  { signal }: Context,
  sentinel: RedisClient,
  primaryName: string,
  old: DeploymentNode,
): Promise<[string, string]> {
  const giveUp = performance.now() + pauseMilliseconds - catchUpMilliseconds;
  for (;;) {
    const [host, port] = await addressOf(sentinel, primaryName);
    if (host !== '' && (host !== old.host || port !== String(old.port))) return [host, port];
    // From here on an interruption would leave the work half done: the pause bounds it.
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_HANDOVER_FAILED',
        `The sentinels named no new primary within ${(pauseMilliseconds - catchUpMilliseconds) / 1000} s.`,
        signal.aborted ? 'Run it again.' : 'redkeep logs of the sentinels say why (-failover-abort…).',
      );
    }
    await delay(pollMilliseconds);
  }
}

/** Every sentinel names the new primary, and every other node follows it. */
async function agreed(context: Context, loaded: LoadedDeployment, host: string, port: string): Promise<void> {
  await until(context, 'every sentinel and replica to follow the new primary', async () => {
    const live = await readTopology(context, loaded);
    const named = live.sentinels.every(
      ({ primary, healthy }) => primary.host === host && String(primary.port) === port && healthy,
    );
    const following = live.data.every(({ role, inStep, node, primary }) =>
      node.host === host && String(node.port) === port
        ? role === 'primary'
        : role === 'replica' && inStep && primary?.host === host && String(primary.port) === port,
    );
    return named && following && live.away.length === 0;
  });
}

/** CLUSTER FAILOVER is coordinated by the servers: the primary pauses, the replica reads the rest and takes over. */
async function inCluster(
  context: Context,
  loaded: LoadedDeployment,
  { node }: LiveDataNode,
  replica: LiveDataNode,
): Promise<Handover> {
  const admin = userOf(loaded.deployment, 'admin')!;
  const started = performance.now();
  await withClient(context.connect, loaded, replica.node, admin, async (client) => {
    await client.sendCommand(['CLUSTER', 'FAILOVER']);
    await until(context, `${replica.node.name} to take over`, async () => {
      const info = parseInfo(await client.sendCommand(['INFO', 'replication']));
      return info.get('role') === 'master';
    });
  });
  const pausedMs = Math.round(performance.now() - started);
  await until(context, `${node.name} to follow ${replica.node.name}`, async () => {
    const live = await readTopology(context, loaded);
    const old = live.data.find((each) => each.node.name === node.name);
    return old?.role === 'replica' && old.inStep;
  });
  return { from: node.name, to: replica.node.name, pausedMs };
}
