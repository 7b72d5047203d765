import type { Command } from 'commander';
import type { Delivery } from '../../apply/delivery.js';
import type { Context } from '../../context.js';
import type { DeploymentNode } from '../../deployment/model.js';
import { currentPrimary, type LiveTopology, readTopology } from '../../engine/live-topology.js';
import { endpointOf } from '../../engine/local-servers.js';
import { probeTls } from '../../engine/probe-tls.js';
import { runningProcess } from '../../engine/process-record.js';
import { ExitCode } from '../../exit-codes.js';
import { type DirOption, withDirOption } from '../dir-option.js';
import { withHelp } from '../help.js';
import { openDelivery } from '../open-delivery.js';

interface StatusOptions extends DirOption {
  readonly json?: boolean;
}

const probeMilliseconds = 3000;

/** `redkeep status`: what runs, in which role, and whether it answers. Exit code 1 when a server is not ready. */
export function register(program: Command, context: Context): void {
  withHelp(
    withDirOption(program.command('status')).description(
      'show what runs, in which role the servers say they are, and whether each answers over verified TLS',
    ),
    {
      examples: [['redkeep status --json', 'for scripts and monitors']],
      findings: 'a server does not run, does not answer, or is not in step',
    },
  ).action((options: StatusOptions) => status(context, options));
}

interface NodeStatus {
  readonly node: string;
  /** As the servers say; with a question mark what it was made as, where they could not be asked. */
  readonly role: string;
  readonly address: string;
  readonly pid?: number;
  readonly state: 'ready' | 'not ready' | 'stopped' | 'unknown';
  readonly tls?: string;
  readonly certificateExpires?: string;
}

async function status(context: Context, options: StatusOptions): Promise<void> {
  const delivery = await openDelivery(context, options.dir);
  const { deployment, folder } = delivery.loaded;
  const live = await readTopology(context, delivery.loaded);
  const nodes = await Promise.all(deployment.nodes.map((node) => nodeStatus(delivery, node, live)));
  if (nodes.some(({ state }) => state !== 'ready')) context.exitCode = ExitCode.Findings;
  if (options.json) return context.terminal.json({ folder, target: deployment.target, nodes });
  context.terminal.table(
    ['node', 'role', 'address', 'state', 'pid', 'TLS', 'certificate until'],
    nodes.map((node) => [
      node.node,
      node.role,
      node.address,
      node.state,
      String(node.pid ?? '-'),
      node.tls ?? '-',
      node.certificateExpires?.slice(0, 10) ?? '-',
    ]),
  );
}

async function nodeStatus(delivery: Delivery, node: DeploymentNode, live: LiveTopology): Promise<NodeStatus> {
  const { loaded } = delivery;
  const running = loaded.deployment.target === 'local' ? await runningProcess(loaded, node.name) : undefined;
  const base = {
    node: node.name,
    role: liveRole(delivery, node, live),
    address: `${node.host}:${node.port}`,
    ...(running ? { pid: running.pid } : {}),
  };
  const state = await delivery.state(node);
  if (state !== 'running') return { ...base, state };
  const probe = await probeTls(await endpointOf(loaded, node), probeMilliseconds).catch(() => undefined);
  const found = live.data.find((each) => each.node.name === node.name);
  const inStep = node.role === 'sentinel' || found?.inStep === true;
  if (!probe) return { ...base, state: 'not ready' };
  return {
    ...base,
    state: inStep ? 'ready' : 'not ready',
    tls: probe.protocol,
    certificateExpires: new Date(probe.certificate.valid_to).toISOString(),
  };
}

function liveRole({ loaded }: Delivery, node: DeploymentNode, live: LiveTopology): string {
  if (node.role === 'sentinel') return 'sentinel';
  if (currentPrimary(loaded, live)?.node.name === node.name) return 'primary';
  const found = live.data.find((each) => each.node.name === node.name);
  return found?.role ?? `${node.role}?`;
}
