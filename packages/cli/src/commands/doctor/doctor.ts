import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { RedkeepError } from 'redkeep';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import { openSession } from '../../audit/gather/session.js';
import type { Context } from '../../context.js';
import { type Stage, testConnection } from '../../doctor/connection-test.js';
import { diagnose } from '../../doctor/diagnose.js';
import type { Evidence } from '../../doctor/evidence.js';
import type { Finding } from '../../doctor/finding.js';
import { gatherEvidence } from '../../doctor/gather-evidence.js';
import { doubtsOf, readEnvironment, variablesOf } from '../../doctor/read-environment.js';
import { readHost } from '../../doctor/read-host.js';
import { splitTime } from '../../doctor/time-split.js';
import { CliError, explainSystemError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { resolveTarget, type TargetOptions } from '../audit/target.js';
import { renderConnection, renderDiagnosis } from './render.js';

interface DoctorOptions extends TargetOptions {
  readonly envFile?: string;
  readonly connectionOnly?: boolean;
  readonly keyPrefix: string;
  readonly seconds: string;
  readonly keys: string;
  readonly showKeys?: boolean;
  readonly json?: boolean;
}

/** One server's part of the result. */
interface Examined {
  readonly address: string;
  readonly connection: readonly Stage[];
  readonly evidence?: Evidence;
  readonly findings: readonly Finding[];
}

/** `redkeep doctor`: why is it slow, why does it fail, what will fail next. */
export function register(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('find out why a server is slow or fails, and what will fail next')
    .argument('[target]', 'URL or folder of a deployment (default: the deployment here, else REDIS_URL)')
    .option('-d, --dir <folder>', "the deployment's folder (default: here, else ./redkeep)")
    .option('--env-file <file>', "test the connection that an application's own env file describes")
    .option('--connection-only', 'test the connection, and look no further')
    .option('--key-prefix <prefix>', 'where the connection test may write its one key', 'redkeep:doctor:')
    .option('--seconds <seconds>', 'how long to watch, 1 to 600', '5')
    .option('--keys <count>', 'look at sizes and expiry of at most this many keys; 0 for none', '5000')
    .option('--show-keys', 'print whole key names (they can hold ids and tokens)')
    .option('--user <name>', 'log in as this user')
    .option('--password-file <file>', "file with the user's password (or the environment: REDKEEP_PASSWORD)")
    .option('--ca <file>', 'CA certificate the server must verify against')
    .option('--cert <file>', 'client certificate')
    .option('--key <file>', "the client certificate's key")
    .option('--timeout <ms>', 'longest wait for any answer', '5000')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  redkeep doctor                                   the deployment here
  redkeep doctor rediss://cache:6379 --ca ca.crt   another server, as REDKEEP_USER with REDKEEP_PASSWORD
  redkeep doctor --env-file .env --connection-only why an application cannot connect

Exit codes: 0 nothing wrong, 1 something is, 2 wrong arguments, 5 the connection failed`,
    )
    .action((target: string | undefined, options: DoctorOptions) => doctor(context, target, options));
}

async function doctor(context: Context, given: string | undefined, options: DoctorOptions): Promise<void> {
  const limits = {
    seconds: bounded(options.seconds, '--seconds', 1, 600),
    keys: bounded(options.keys, '--keys', 0, 1e6),
  };
  const targets = await targetsOf(context, given, options);
  const examined: Examined[] = [];
  for (const { endpoint, settings, label, asking, database } of targets) {
    const connection = endpoint
      ? await testConnection(endpoint, {
          keyPrefix: options.keyPrefix,
          settings,
          oneOfSeveral: targets.length > 1,
          ...(database !== undefined && { database }),
        })
      : [...settings];
    const reached = connection.find(({ name }) => name === 'login')?.outcome;
    const stages = [...connection];
    const evidence =
      endpoint && !options.connectionOnly && (reached === 'ok' || reached === 'warning')
        ? await watch(context, asking ?? endpoint, limits, options).catch((error: unknown) => {
            if (!(error instanceof RedkeepError) || error instanceof CliError) throw error;
            stages.push(notWatched(error));
            return undefined;
          })
        : undefined;
    examined.push({
      address: label,
      connection: stages,
      ...(evidence && { evidence }),
      findings: evidence ? diagnose(evidence) : [],
    });
  }
  if (options.json) context.terminal.json({ servers: examined.map(asJson) });
  else
    for (const server of examined) {
      renderConnection(context.terminal, server.address, server.connection);
      if (server.evidence) renderDiagnosis(context.terminal, server.evidence, server.findings);
    }
  const failed = examined.some(({ connection }) => connection.some(({ outcome }) => outcome === 'failed'));
  const found = examined.some(({ findings }) => findings.some(({ kind }) => kind !== 'waste'));
  context.exitCode = failed ? ExitCode.Connection : found ? ExitCode.Findings : ExitCode.Ok;
}

interface DoctorTarget {
  readonly label: string;
  /** The user of the application; absent when its settings are too wrong to have an address. */
  readonly endpoint?: Endpoint;
  /** Who looks at the server, where that is somebody else. */
  readonly asking?: Endpoint;
  readonly settings: readonly Stage[];
  /** The database that the application selects. */
  readonly database?: number;
}

async function targetsOf(context: Context, given: string | undefined, options: DoctorOptions): Promise<DoctorTarget[]> {
  if (options.envFile !== undefined) {
    const file = path.resolve(context.cwd, options.envFile);
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw explainSystemError(error, file);
    });
    const timeoutMs = bounded(options.timeout, '--timeout', 1, 600_000);
    const { endpoint, stages: read, database } = await readEnvironment(variablesOf(text), context.cwd, timeoutMs);
    const stages = [...read, ...doubtsOf(text)];
    const label = endpoint ? `${endpoint.host}:${endpoint.port}` : options.envFile;
    return [{ label, settings: stages, ...(endpoint && { endpoint }), ...(database !== undefined && { database }) }];
  }
  const target = await resolveTarget(context, given === undefined ? [] : [given], options);
  if (target.endpoints.length === 0)
    throw new CliError(
      'REDKEEP_USAGE',
      'The doctor looks at servers, not at files.',
      'Give a URL or the folder of a deployment.',
    );
  const asking = target.operators ?? target.endpoints;
  return asking.map((endpoint) => ({ label: `${endpoint.host}:${endpoint.port}`, endpoint, settings: [] }));
}

/** A server that answers nothing but a refusal: `BUSY`, `LOADING`, no right to run INFO. */
function notWatched(error: RedkeepError): Stage {
  const said = 'serverMessage' in error ? String(error.serverMessage) : error.message;
  return {
    name: 'permission',
    outcome: 'failed',
    detail: `the server cannot be watched: ${said}`,
    hint: /^BUSY /.test(said)
      ? 'A script or function holds it up: SCRIPT KILL or FUNCTION KILL ends it, if it has not written.'
      : 'Log in as a user that may run INFO (--user, --password-file).',
  };
}

async function watch(
  context: Context,
  endpoint: Endpoint,
  { seconds, keys }: { seconds: number; keys: number },
  options: DoctorOptions,
): Promise<Evidence> {
  if (!options.json) context.terminal.note(`Watching ${endpoint.host}:${endpoint.port} for ${seconds} s`);
  return gatherEvidence(endpoint, {
    seconds,
    keys,
    showKeys: options.showKeys === true,
    now: () => context.clock.now(),
    signal: context.signal,
    openSession,
    readHost,
  });
}

function bounded(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new CliError('REDKEEP_USAGE', `${option} must be a whole number, not "${text}".`, `From ${least} to ${most}.`);
}

function asJson({ address, connection, evidence, findings }: Examined): unknown {
  return {
    address,
    connection,
    findings,
    ...(evidence && {
      engine: evidence.engine,
      version: evidence.version,
      role: evidence.role,
      watchedSeconds: evidence.seconds,
      timeMicroseconds: splitTime(evidence),
      unknown: evidence.unknown,
      cost: evidence.cost,
    }),
  };
}
