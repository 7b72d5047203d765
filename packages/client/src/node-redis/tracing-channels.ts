/**
 * node-redis's tracing channels (`node:diagnostics_channel`), for instrumentation that is written for them: the same
 * names, steps and fields. Arguments are `?` each, and there is no `result`: a subscriber cannot leak what it never had.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Command } from '../commands/command.js';
import { type Place, serverInfo } from '../diagnostics.js';
import { nameOf } from '../telemetry/client-registry.js';
import {
  type BatchOperationContext,
  CHANNELS,
  type CommandTraceContext,
  type ConnectTraceContext,
  owned,
  withhold,
} from './channels.js';

/** The five channels of a TracingChannel, in the order in which an asynchronous operation goes through them. */
const STEPS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Steps = Readonly<Record<(typeof STEPS)[number], Channel>>;

const stepsOf = (name: string): Steps =>
  Object.fromEntries(STEPS.map((step) => [step, channel(`tracing:${name}:${step}`)])) as unknown as Steps;
const COMMAND = stepsOf(CHANNELS.TRACE_COMMAND);
const BATCH = stepsOf(CHANNELS.TRACE_BATCH);
const CONNECT = stepsOf(CHANNELS.TRACE_CONNECT);

/** Commands whose reply the metrics of streams and pub/sub count. */
const COUNTED = new Set(['PUBLISH', 'SPUBLISH', 'XREAD', 'XREADGROUP']);
/** A counted command and its reply. */
export interface Answered {
  readonly command: Command;
  readonly reply: unknown;
}

const isHeard = (steps: Steps) =>
  steps.start.hasSubscribers || steps.asyncEnd.hasSubscribers || steps.error.hasSubscribers;
export const isCommandTraced = (): boolean => isHeard(COMMAND);

function whereOf(place: Place): ConnectTraceContext {
  const { address, port } = serverInfo(place.endpoint);
  return { serverAddress: address, serverPort: port, clientId: nameOf(place) };
}

function trace(steps: Steps, context: object, promise: Promise<unknown>, answered?: (reply: unknown) => void): void {
  owned(context);
  steps.start.publish(context);
  steps.end.publish(context);
  const settle = () => {
    steps.asyncStart.publish(context);
    steps.asyncEnd.publish(context);
  };
  promise.then(
    (reply) => {
      answered?.(reply);
      settle();
    },
    (error) => {
      Object.assign(context, { error: error ?? new Error('rejected') });
      steps.error.publish(context);
      settle();
    },
  );
}

function commandContext({ spec, args }: Command, place: Place): CommandTraceContext {
  const words = spec.name.split(' ');
  return {
    command: words[0]!,
    args: [...words, ...args.map(() => '?')],
    database: place.database,
    ...whereOf(place),
  };
}

export function traceCommand(command: Command, place: Place, promise: Promise<unknown>, batch?: object): void {
  const context = { ...commandContext(command, place), ...batch };
  const answered = (reply: unknown) => withhold(context, { command, reply } satisfies Answered);
  trace(COMMAND, context, promise, COUNTED.has(command.spec.name) ? answered : undefined);
}

/** `replies` of the single commands, where each has its own. */
export function traceBatch(
  batchMode: 'MULTI' | 'PIPELINE',
  commands: readonly Command[],
  place: Place,
  promise: Promise<unknown>,
  replies: readonly Promise<unknown>[] = [],
): void {
  const batch = { batchMode, batchSize: commands.length };
  if (isHeard(BATCH)) {
    const context: BatchOperationContext = { ...batch, database: place.database, ...whereOf(place) };
    trace(BATCH, context, promise);
  }
  if (isHeard(COMMAND)) for (const [i, reply] of replies.entries()) traceCommand(commands[i]!, place, reply, batch);
}

export function traceConnect(place: Place, promise: Promise<unknown>): void {
  if (isHeard(CONNECT)) trace(CONNECT, whereOf(place), promise);
}
