import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isLoopback } from 'redkeep';
import type { Context } from '../../context.js';
import { resolveFolder } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { alertLine } from '../../monitor/alerts/notification.js';
import { Notifier } from '../../monitor/alerts/notifier.js';
import { defaultIntervals } from '../../monitor/gather/node-gatherer.js';
import { otlpRequest, pushOtlp } from '../../monitor/metrics/otlp.js';
import { Monitor } from '../../monitor/monitor.js';
import { pagePassword } from '../../monitor/page-password.js';
import { readReceivers } from '../../monitor/receivers-file.js';
import { type ServeOptions, serve } from '../../monitor/serve/http-server.js';
import { readMonitorState, writeMonitorState } from '../../monitor/state-file.js';
import { version } from '../../version.js';
import { resolveTargets, type TargetOptions } from './targets.js';

export interface MonitorCommandOptions extends TargetOptions {
  readonly listen: string;
  readonly interval: number;
  readonly securityOnly?: boolean;
  readonly page?: boolean;
  readonly receivers?: string;
  readonly network?: readonly string[];
  readonly allowReplica?: readonly string[];
  readonly auditReport?: string;
  readonly state?: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly hostName?: readonly string[];
  readonly insecureHttp?: boolean;
  readonly otlp?: string;
  readonly once?: boolean;
  readonly json?: boolean;
}

/** `redkeep monitor`: rounds until a signal ends it, or one round with `--once`. */
export async function monitorCommand(
  context: Context,
  urls: readonly string[],
  options: MonitorCommandOptions,
): Promise<void> {
  const { terminal, clock } = context;
  const now = () => clock.now().getTime();
  for (const network of options.network ?? []) requireNetwork(network);
  const deployments = await resolveTargets(context, urls, options, {
    networks: options.network ?? [],
    allowReplicas: options.allowReplica ?? [],
    intervals: {
      clientListMs: Math.min(defaultIntervals.clientListMs, options.interval * 2000),
      handshakeMs: Math.min(defaultIntervals.handshakeMs, options.interval * 2000),
    },
    ...(options.auditReport !== undefined && { auditReport: path.resolve(context.cwd, options.auditReport) }),
  });
  const stateFile = await stateFileOf(context, urls, options);
  const remembered = stateFile === undefined ? undefined : await readMonitorState(stateFile);
  const told = options.receivers === undefined ? undefined : await readReceivers(context, options.receivers);
  const notifier = new Notifier(told?.receivers ?? [], {
    ...told?.options,
    // The error may name an address with a secret in it; which receiver it was is enough.
    onFailure: (receiver) =>
      terminal.warn(`The receiver ${receiver} did not take the alerts; the next round tries again.`),
  });
  const monitor = new Monitor({
    deployments,
    notifier,
    version,
    now,
    ...(options.securityOnly && { securityOnly: true }),
    ...(remembered && { remembered }),
    ...(stateFile !== undefined && { keep: (state) => writeMonitorState(stateFile, state) }),
  });
  try {
    if (options.once) return await once(context, monitor, options);
    await watch(context, monitor, options);
  } finally {
    await monitor.close();
  }
}

async function once(context: Context, monitor: Monitor, options: MonitorCommandOptions): Promise<void> {
  await monitor.round();
  const alerts = monitor.alerts(true);
  if (alerts.length > 0) context.exitCode = ExitCode.Findings;
  if (options.json) {
    return context.terminal.json({
      alerts: alerts.map(({ rule, node, detail }) => ({
        alert: rule.alert,
        severity: rule.severity,
        deployment: node.deployment,
        node: node.name,
        summary: rule.summary,
        nextStep: rule.nextStep,
        ...(detail !== undefined && { detail }),
      })),
    });
  }
  for (const alert of alerts) context.terminal.line(alertLine(alert));
  if (alerts.length === 0) context.terminal.done('No alert.');
}

async function watch(context: Context, monitor: Monitor, options: MonitorCommandOptions): Promise<void> {
  const { terminal, signal, clock } = context;
  const settings = await serveOptions(context, options);
  const server = await serve(monitor, settings).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' || error.code === 'EACCES'
      ? new CliError('REDKEEP_PORT_TAKEN', `${options.listen} is not free.`, 'Choose another with --listen.', {
          cause: error,
        })
      : error;
  });
  const startedAt = clock.now().getTime();
  monitor.onEvent(({ node, event, detail }) =>
    terminal.line(`${clock.now().toISOString()} ${node.name} ${event}: ${detail}`),
  );
  try {
    const scheme = settings.tls ? 'https' : 'http';
    const shown = isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host;
    terminal.done(`Metrics: ${scheme}://${shown}:${server.port}/metrics`);
    if (settings.pagePassword !== undefined) terminal.done(`Live page: ${scheme}://${shown}:${server.port}/`);
    while (!signal.aborted) {
      await monitor.round();
      if (options.otlp !== undefined) {
        const request = otlpRequest(monitor.allMetrics(), startedAt, clock.now().getTime(), version);
        await pushOtlp(options.otlp, request, {}).catch(() =>
          terminal.warn('The OTLP collector did not take the metrics.'),
        );
      }
      await delay(options.interval * 1000, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await server.close();
  }
}

async function serveOptions(context: Context, options: MonitorCommandOptions): Promise<ServeOptions> {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(options.listen);
  if (!match || Number(match[3]) > 65_535)
    throw new CliError(
      'REDKEEP_USAGE',
      'The address to listen on has the form HOST:PORT.',
      'For example 127.0.0.1:9121.',
    );
  const host = match[1] ?? (match[2] || '127.0.0.1');
  const read = async (file: string) => {
    const resolved = path.resolve(context.cwd, file);
    return readFile(resolved, 'utf8').catch((error: unknown) => {
      throw new CliError('REDKEEP_USAGE', `${resolved} cannot be read.`, 'Check the path and its permissions.', {
        cause: error,
      });
    });
  };
  const tls =
    options.tlsCert !== undefined && options.tlsKey !== undefined
      ? { cert: await read(options.tlsCert), key: await read(options.tlsKey) }
      : undefined;
  const token = options.tokenFile === undefined ? undefined : (await read(options.tokenFile)).trim();
  if (!isLoopback(host)) {
    if (!tls && !options.insecureHttp)
      throw new CliError(
        'REDKEEP_USAGE',
        `${host} is reached by other machines, and the monitor would answer them without TLS.`,
        'Give --tls-cert and --tls-key, or --insecure-http where the network itself is protected.',
      );
    if (!token)
      throw new CliError(
        'REDKEEP_USAGE',
        `${host} is reached by other machines, and every one of them could read the metrics.`,
        'Give --token-file; Prometheus sends it with authorization.credentials_file.',
      );
  }
  return {
    host,
    port: Number(match[3]),
    names: (options.hostName ?? []).map((name) => name.toLowerCase()),
    now: () => context.clock.now().getTime(),
    ...(tls && { tls }),
    ...(token !== undefined && { token }),
    ...(options.page && { pagePassword: await pagePassword(context, await resolveFolder(context, options.dir?.[0])) }),
  };
}

async function stateFileOf(
  context: Context,
  urls: readonly string[],
  options: MonitorCommandOptions,
): Promise<string | undefined> {
  if (options.state !== undefined) return path.resolve(context.cwd, options.state);
  const byUrl = urls.length > 0 || (options.dir === undefined && context.env['REDIS_ADDR'] !== undefined);
  return byUrl ? undefined : path.join(await resolveFolder(context, options.dir?.[0]), 'monitor', 'state.json');
}

function requireNetwork(text: string): void {
  const [address = '', prefix] = text.split('/');
  const bits = isIP(address) === 4 ? 32 : 128;
  if (isIP(address) !== 0 && (prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= bits))) return;
  throw new CliError('REDKEEP_USAGE', `"${text}" is not a network.`, 'Use CIDR notation: 10.1.0.0/16.');
}
