import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { type MoveMethod, type MoveRequest, move, planMove } from '../../migrate/move/move.js';
import { resolveTarget } from '../audit/target.js';

export interface MoveOptions {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly toUser?: string;
  readonly toPasswordFile?: string;
  readonly toCa?: string;
  readonly method?: string;
  readonly pauseSeconds: string;
  readonly closeSource?: boolean;
  readonly timeout: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const methods: readonly MoveMethod[] = ['replication', 'dump', 'commands'];

/** `redkeep migrate move FROM TO`: all data to a server of another engine or version. */
export async function moveData(context: Context, from: string, to: string, options: MoveOptions): Promise<void> {
  const { terminal } = context;
  const request = await requestOf(context, from, to, options);
  const plan = await planMove(request);
  if (!options.json || options.dryRun) {
    if (options.json) terminal.json(plan);
    else {
      terminal.line(`By ${plan.method}: ${plan.because}.`);
      for (const [index, step] of plan.steps.entries()) terminal.line(`  ${index + 1}. ${step}`);
      terminal.line(`Way back: ${plan.wayBack}`);
    }
  }
  if (options.dryRun) return;
  if (!options.yes && !(context.prompt.available && (await context.prompt.confirm('Move the data?', false))))
    throw new CliError('REDKEEP_CONSENT_NEEDED', 'Nothing was changed.', 'Answer yes, or give --yes.');
  const moved = await move(request, plan.method);
  if (!moved.equal) context.exitCode = ExitCode.Findings;
  if (options.json) return terminal.json({ ...moved, pausedMs: Math.round(moved.pausedMs), wayBack: plan.wayBack });
  for (const what of moved.lost) terminal.warn(`not taken over: ${what}`);
  const keys = Object.values(moved.to.keys).reduce((sum, count) => sum + count, 0);
  if (!moved.equal) {
    terminal.line(
      `DIFFERENT: ${JSON.stringify(moved.from.keys)} on the old server, ${JSON.stringify(moved.to.keys)} on the new.`,
    );
    return;
  }
  terminal.done(
    `Moved ${keys} keys by ${moved.method}; digests are equal; writes waited ${(moved.pausedMs / 1000).toFixed(1)} s.`,
  );
  if (request.closeSource)
    terminal.note(
      'The old server refuses writes: point clients to the new one. To reopen it: CONFIG SET min-replicas-to-write 0',
    );
}

async function requestOf(context: Context, from: string, to: string, options: MoveOptions): Promise<MoveRequest> {
  const { timeout } = options;
  const endpoint = async (url: string, given: { user?: string; passwordFile?: string; ca?: string }) => {
    const target = await resolveTarget(context, [url], { ...given, timeout });
    for (const note of target.notes) context.terminal.warn(note);
    return target.endpoints[0]!;
  };
  const pause = Number(options.pauseSeconds);
  if (!(pause >= 1 && pause <= 3600))
    throw new CliError('REDKEEP_USAGE', '--pause-seconds must be a number.', 'From 1 to 3600.');
  const method = methods.find((each) => each === options.method);
  if (options.method !== undefined && method === undefined)
    throw new CliError('REDKEEP_USAGE', `--method must not be "${options.method}".`, `Use ${methods.join(', ')}.`);
  const own = <T extends object>(value: T): T =>
    Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
  return {
    from: await endpoint(
      from,
      own({ user: options.user, passwordFile: options.passwordFile, ca: options.ca }) as object,
    ),
    to: await endpoint(
      to,
      own({ user: options.toUser, passwordFile: options.toPasswordFile, ca: options.toCa }) as object,
    ),
    ...(method && { method }),
    pauseMs: pause * 1000,
    closeSource: options.closeSource === true,
    signal: context.signal,
    onNote: (text) => context.terminal.note(text),
  };
}
