import { X509Certificate } from 'node:crypto';
import type { RedisClient } from 'redkeep';
import { type AclDifference, findDrift } from '../acl/drift.js';
import type { Context } from '../context.js';
import { libraryFor } from '../deployment/components.js';
import { certificateOf, type DeploymentNode, userOf } from '../deployment/model.js';
import { withClient } from '../engine/connect-node.js';
import { currentPrimary, type LiveTopology, readTopology } from '../engine/live-topology.js';
import { endpointOf } from '../engine/local-servers.js';
import { probeTls } from '../engine/probe-tls.js';
import { CliError } from '../errors.js';
import type { Delivery, NodeFile, NodeRecord, NodeState } from './delivery.js';
import { hasLibrary } from './function-library.js';
import { describeChange, type SettingChange, settingChanges } from './live-settings.js';
import { differingPaths, hashesOf } from './node-files.js';

export type Action = 'none' | 'deliver' | 'reload' | 'restart' | 'start';

/** What would be done to one node, and why. */
export interface NodePlan {
  readonly node: DeploymentNode;
  /** As the servers say now; what the model was made with where they could not be asked. */
  readonly role: 'primary' | 'replica' | 'sentinel';
  readonly action: Action;
  readonly files: readonly NodeFile[];
  /** Paths of files that the server does not have yet in this form. */
  readonly changedFiles: readonly string[];
  readonly settings: readonly SettingChange[];
  readonly users: readonly AclDifference[];
  /** The certificate, key or CAs are not those the server works with. */
  readonly tls: boolean;
  readonly reasons: readonly string[];
}

export interface ApplyPlan {
  readonly live: LiveTopology;
  /** Every node, in the order in which it would be changed: replicas, sentinels, primaries. */
  readonly nodes: readonly NodePlan[];
}

export interface PlanOptions {
  /** Only these nodes; default: all. */
  readonly only?: readonly string[];
  /** Nodes that are known to be away and are left out. */
  readonly without?: readonly string[];
  /** Restart these although nothing asks for it. */
  readonly restart?: readonly string[];
}

const probeMilliseconds = 5000;

/** Compares what should be with what is, asking the servers first. Changes nothing. */
export async function planApply(context: Context, delivery: Delivery, options: PlanOptions = {}): Promise<ApplyPlan> {
  const { loaded } = delivery;
  const states = new Map<string, NodeState>();
  for (const node of loaded.deployment.nodes) states.set(node.name, await delivery.state(node));
  // Another program may listen where a stopped node will: it is not asked.
  const asked = loaded.deployment.nodes.filter(({ name }) => states.get(name) !== 'stopped');
  const live = await readTopology(context, loaded, asked);
  const without = new Set(options.without ?? []);
  const primary = currentPrimary(loaded, live);
  const plans: NodePlan[] = [];
  for (const node of loaded.deployment.nodes) {
    if (without.has(node.name) || (options.only && !options.only.includes(node.name))) continue;
    const state = states.get(node.name);
    const away = live.away.find((each) => each.node.name === node.name);
    if (state === 'unknown' || (state === 'running' && away)) throw nodeAway(node, away?.reason ?? 'no way to it');
    const files = await delivery.filesOf(node);
    const record = await delivery.record(node);
    const found = live.data.find((each) => each.node.name === node.name);
    const role = node.role === 'sentinel' ? 'sentinel' : roleOf(node, found?.role, primary?.node.name);
    const changedFiles = differingPaths(record?.delivered ?? {}, hashesOf(files));
    if (state === 'stopped') {
      const none = { settings: [], users: [], tls: false };
      plans.push({ node, role, action: 'start', files, changedFiles, ...none, reasons: ['does not run'] });
      continue;
    }
    const restart = options.restart?.includes(node.name) ?? false;
    plans.push(await planRunning(context, delivery, { node, role, files, changedFiles, record, restart }));
  }
  return { live, nodes: plans.sort((a, b) => rank(a) - rank(b)) };
}

function roleOf(
  node: DeploymentNode,
  live: 'primary' | 'replica' | undefined,
  primary: string | undefined,
): 'primary' | 'replica' {
  if (primary === node.name) return 'primary';
  return live ?? (node.role === 'primary' ? 'primary' : 'replica');
}

const ranks = { replica: 0, sentinel: 1, primary: 2 } as const;

function rank({ role, action }: NodePlan): number {
  // Who is away comes back first: a handover needs everybody.
  return action === 'start' ? ranks[role] - 10 : ranks[role];
}

function nodeAway(node: DeploymentNode, reason: string): CliError {
  return new CliError(
    'REDKEEP_NEWER_DATA_AWAY',
    `${node.name} cannot be asked (${reason}). It may hold newer data than the others.`,
    `Bring it back, or leave it out for now with --without ${node.name}: it takes the change when it is back.`,
  );
}

interface Subject {
  readonly node: DeploymentNode;
  readonly role: NodePlan['role'];
  readonly files: readonly NodeFile[];
  readonly changedFiles: readonly string[];
  readonly record: NodeRecord | undefined;
  readonly restart: boolean;
}

async function planRunning(context: Context, delivery: Delivery, subject: Subject): Promise<NodePlan> {
  const { node, role, files, changedFiles, record, restart } = subject;
  const { deployment } = delivery.loaded;
  const rewritable = deployment.engine.name !== 'dragonfly' && node.role !== 'sentinel';
  const text = (path: string) => files.find((file) => file.path === path)?.content ?? '';
  const admin = userOf(deployment, 'admin')!;
  const library = role === 'primary' ? libraryFor(deployment.users, deployment.engine) : undefined;
  const { settings, users, functions } = await withClient(
    context.connect,
    delivery.loaded,
    node,
    admin,
    async (client) => ({
      functions: library !== undefined && !(await hasLibrary(client, library.name)),
      settings: rewritable ? await settingChanges(client, text(node.configFile)) : [],
      users: await usersOf(client, text(node.aclFile)),
    }),
  );
  const untaken = new Set(record ? differingPaths(record.taken, hashesOf(files)) : []);
  const spec = certificateOf(deployment, node.certificate);
  const tlsFiles = [deployment.caFile, deployment.clientCaFile, spec.certFile, spec.keyFile];
  const tls =
    tlsFiles.some((path) => untaken.has(path)) || !(await servesCertificate(delivery, node, text(spec.certFile)));
  const isRun = (path: string) => !path.includes('/') || path.startsWith('systemd/') || path.startsWith('kubernetes/');
  const run = [...untaken].filter(isRun);
  const configNeedsRestart = !rewritable && untaken.has(node.configFile);
  const reasons = [
    ...(restart ? ['was asked for'] : []),
    ...run.map((path) => `${path} changed`),
    ...(configNeedsRestart ? [`${node.configFile} changed`] : []),
    ...settings.map(describeChange),
    ...users.map(({ user, kind }) => `user ${user} ${userChanges[kind]}`),
    ...(functions ? [`function library ${library!.name} is loaded`] : []),
    ...(tls ? ['certificate or CA changed'] : []),
  ];
  const needsRestart =
    restart ||
    run.length > 0 ||
    configNeedsRestart ||
    settings.some(({ how }) => how === 'restart') ||
    (tls && !rewritable);
  const reload = settings.length > 0 || users.length > 0 || tls || functions;
  const action: Action = needsRestart ? 'restart' : reload ? 'reload' : changedFiles.length > 0 ? 'deliver' : 'none';
  return { node, role, action, files, changedFiles, settings, users, tls, reasons };
}

const userChanges = { missing: 'is added', unexpected: 'is removed', different: 'gets other rules' } as const;

async function usersOf(client: RedisClient, aclFile: string): Promise<AclDifference[]> {
  return (await findDrift(client, aclFile)).filter(({ user, kind }) => !(user === 'default' && kind === 'unexpected'));
}

async function servesCertificate(delivery: Delivery, node: DeploymentNode, pem: string): Promise<boolean> {
  const served = await probeTls(await endpointOf(delivery.loaded, node), probeMilliseconds).catch(() => undefined);
  return served?.certificate.fingerprint256 === new X509Certificate(pem).fingerprint256;
}
