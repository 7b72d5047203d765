/**
 * node-redis's tracing channels (`node:diagnostics_channel`), for instrumentation that is written for them: the same
 * names, steps and fields. Arguments are `?` each, and there is no `result`: a subscriber cannot leak what it never had.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Command } from '../commands/command.js';
import type { Endpoint } from '../connection/transport.js';
import { serverInfo } from '../diagnostics.js';

/** The five channels of a TracingChannel, in the order in which an asynchronous operation goes through them. */
const STEPS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Steps = Readonly<Record<(typeof STEPS)[number], Channel>>;

const stepsOf = (name: string): Steps =>
  Object.fromEntries(STEPS.map((step) => [step, channel(`tracing:${name}:${step}`)])) as unknown as Steps;
const COMMAND = stepsOf('node-redis:command');
const BATCH = stepsOf('node-redis:batch');
const CONNECT = stepsOf('node-redis:connect');

const isHeard = (steps: Steps) =>
  steps.start.hasSubscribers || steps.asyncEnd.hasSubscribers || steps.error.hasSubscribers;
export const isCommandTraced = (): boolean => isHeard(COMMAND);

/** Where something happens. */
interface Place {
  readonly endpoint: Endpoint;
  readonly database: number;
}

const ids = new WeakMap<object, string>();
let lastId = 0;
/** A name for one connection, the same for as long as it lives. */
function idOf(place: object): string {
  let id = ids.get(place);
  if (id === undefined) {
    lastId++;
    id = `redkeep-${lastId}`;
    ids.set(place, id);
  }
  return id;
}

function whereOf(place: Pick<Place, 'endpoint'>): object {
  const { address, port } = serverInfo(place.endpoint);
  return { serverAddress: address, serverPort: port, clientId: idOf(place) };
}

function trace(steps: Steps, context: object, promise: Promise<unknown>): void {
  steps.start.publish(context);
  steps.end.publish(context);
  const settled = (error?: unknown) => {
    if (error !== undefined) {
      Object.assign(context, { error });
      steps.error.publish(context);
    }
    steps.asyncStart.publish(context);
    steps.asyncEnd.publish(context);
  };
  promise.then(
    () => settled(),
    (error) => settled(error ?? new Error('rejected')),
  );
}

function commandContext({ spec, args }: Command, place: Place): object {
  const words = spec.name.split(' ');
  return {
    command: words[0],
    args: [...words, ...args.map(() => '?')],
    database: place.database,
    ...whereOf(place),
  };
}

export function traceCommand(command: Command, place: Place, promise: Promise<unknown>): void {
  trace(COMMAND, commandContext(command, place), promise);
}

export function traceBatch(
  batchMode: 'MULTI' | 'PIPELINE',
  commands: readonly Command[],
  place: Place,
  promise: Promise<unknown>,
): void {
  const batch = { batchMode, batchSize: commands.length };
  if (isHeard(BATCH)) trace(BATCH, { ...batch, database: place.database, ...whereOf(place) }, promise);
  if (isHeard(COMMAND))
    for (const command of commands) trace(COMMAND, { ...commandContext(command, place), ...batch }, promise);
}

export function traceConnect(place: Pick<Place, 'endpoint'>, promise: Promise<unknown>): void {
  if (isHeard(CONNECT)) trace(CONNECT, whereOf(place), promise);
}
