import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { certificateOf, type DeploymentNode } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { interrupted } from '../interruption.js';
import { portIsFree } from './ports.js';
import { probeTls, type TlsEndpoint } from './probe-tls.js';
import { removeRecord, runningProcess, startMarkOf, writeRecord } from './process-record.js';
import { reach } from './reach.js';
import type { ServerProgram } from './server-program.js';

/** How often a starting or stopping server is looked at. */
const pollMilliseconds = 50;
/** A server that has not finished its handshake by then is reported, with its log. Loading data comes after it. */
const startMilliseconds = 30_000;
/** A server writes its data before it ends; a large set takes time. */
const stopMilliseconds = 120_000;
const probeMilliseconds = 3000;
const askAgainMilliseconds = 1000;

/** The configuration a local server runs with: a copy, because servers rewrite it (failover, CONFIG REWRITE). */
export function runningConfig(node: DeploymentNode): string {
  return `run/${node.name}.conf`;
}

/** Refuses to start while another program has one of the node's ports. */
export async function requireFreePorts(nodes: readonly DeploymentNode[]): Promise<void> {
  for (const { name, port, busPort, bind } of nodes) {
    for (const wanted of busPort === undefined ? [port] : [port, busPort]) {
      for (const address of bind.map((value) => value.replace(/^-/, ''))) {
        if (await portIsFree(wanted, address)) continue;
        throw new CliError(
          'REDKEEP_PORT_TAKEN',
          `Port ${wanted} on ${address}, wanted by ${name}, is taken by another program.`,
          `Stop that program, or choose another port: redkeep init --port <port> --force (secrets and data are kept).`,
        );
      }
    }
  }
}

/** Starts the server of a node and returns when it answers a verified TLS handshake. */
export async function startNode(
  context: Context,
  deployment: LoadedDeployment,
  node: DeploymentNode,
  program: ServerProgram,
): Promise<void> {
  const output = deployment.locate(`run/${node.name}.out`);
  await mkdir(path.dirname(output), { recursive: true, mode: 0o700 });
  const file = await open(output, 'w', 0o600);
  try {
    const config = deployment.locate(runningConfig(node));
    const sentinel = node.role === 'sentinel' ? ['--sentinel'] : [];
    const args =
      program.engine.name === 'dragonfly' ? ['--logtostderr', `--flagfile=${config}`] : [config, ...sentinel];
    // Detached: a session of its own, so that Ctrl-C in this terminal reaches redkeep and not the server.
    const child = spawn(program.path, args, {
      cwd: deployment.locate(node.dataDir),
      detached: true,
      stdio: ['ignore', file.fd, file.fd],
      env: { PATH: context.env['PATH'], LANG: 'C.UTF-8' },
    });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    failed.catch(() => undefined);
    const pid = child.pid;
    if (pid === undefined) await failed;
    child.unref();
    const startMark = await startMarkOf(pid!);
    if (startMark) await writeRecord(deployment, node.name, { pid: pid!, startMark, program: program.path });
    await waitUntilReady(context, deployment, node);
  } catch (error) {
    await stopNode(deployment, node);
    throw error;
  } finally {
    await file.close();
  }
}

async function waitUntilReady({ signal }: Context, deployment: LoadedDeployment, node: DeploymentNode): Promise<void> {
  const endpoint = await endpointOf(deployment, node);
  const giveUp = performance.now() + startMilliseconds;
  for (;;) {
    if (signal.aborted) throw interrupted();
    if (!(await runningProcess(deployment, node.name))) throw await startFailure(deployment, node, 'ended at once');
    try {
      await probeTls(endpoint, probeMilliseconds);
      return;
    } catch (error) {
      if (performance.now() > giveUp) {
        const reason = error instanceof Error ? error.message : String(error);
        throw await startFailure(deployment, node, `is not ready after ${startMilliseconds / 1000} s (${reason})`);
      }
    }
    await delay(pollMilliseconds);
  }
}

async function startFailure(deployment: LoadedDeployment, node: DeploymentNode, what: string): Promise<CliError> {
  const log = await readIfPresent(deployment.locate(node.logFile));
  const output = await readIfPresent(deployment.locate(`run/${node.name}.out`));
  const lines = `${log ?? ''}\n${output ?? ''}`.trim().split('\n').filter(Boolean);
  const telling = lines.findLast((line) => /error|fatal|fail|can't|address already|bad directive/i.test(line));
  const detail = (telling ?? lines.at(-1) ?? 'it wrote nothing').trim().slice(0, 300);
  return new CliError(
    'REDKEEP_SERVER_FAILED',
    `The server ${node.name} ${what}: ${detail}`,
    `Read ${deployment.locate(node.logFile)}; redkeep status shows what runs.`,
  );
}

/** Asks a node's server to write its data and end, and waits for it. False when it was not running. */
export async function stopNode(deployment: LoadedDeployment, node: DeploymentNode): Promise<boolean> {
  const running = await runningProcess(deployment, node.name);
  if (!running) {
    await removeRecord(deployment, node.name);
    return false;
  }
  const giveUp = performance.now() + stopMilliseconds;
  let asked = Number.NEGATIVE_INFINITY;
  while (await runningProcess(deployment, node.name)) {
    // Again and again: one that is writing its first append-only file refuses, and forgets that it was asked.
    if (performance.now() - asked > askAgainMilliseconds) {
      process.kill(running.pid, 'SIGTERM');
      asked = performance.now();
    }
    if (performance.now() > giveUp) {
      throw new CliError(
        'REDKEEP_SERVER_FAILED',
        `The server ${node.name} (pid ${running.pid}) has not ended after ${stopMilliseconds / 1000} s.`,
        `Read ${deployment.locate(node.logFile)}: it may still be writing its data.`,
      );
    }
    await delay(pollMilliseconds);
  }
  await removeRecord(deployment, node.name);
  return true;
}

/** The node as the deployment's own monitoring user reaches it. */
export async function endpointOf(deployment: LoadedDeployment, node: DeploymentNode): Promise<TlsEndpoint> {
  const model = deployment.deployment;
  const user = model.users.find(({ role }) => role === 'monitoring') ?? model.users[0]!;
  const certificate = certificateOf(model, user.certificate);
  const read = async (file: string) => (await readIfPresent(deployment.locate(file))) ?? '';
  return {
    ...(await reach(deployment, node)),
    ca: await read(model.caFile),
    cert: await read(certificate.certFile),
    key: await read(certificate.keyFile),
  };
}
