/** One cell of the matrix: a path under a fault. */
import { CORE } from '../../client/symbols.js';
import type { Connection } from '../../connection/connection.js';
import { RedkeepError } from '../../errors.js';
import type { Fault, FaultyServer } from './faults.js';

/** What code of the application throws in the matrix: where it reaches the caller, it is the caller's own. */
export class OwnError extends Error {}

/** A path with its peers, ready to be used. */
export interface Scene {
  readonly server: FaultyServer;
  /** Goes the path once. The signal is the caller's. */
  use(signal?: AbortSignal): Promise<unknown>;
  /** Whether what `use` resolved with is right. */
  isRight(value: unknown): boolean;
  /** Its connections, for what they hold. */
  connections(): readonly Connection[];
  /** The caller gives up in another way than by a signal: `destroy()` while connecting. */
  abort?(): void;
  /** What faults of the application do on this path. */
  misbehave?(how: 'callback throws' | 'callback hangs'): void;
  /** After {@link misbehave}: the application is itself again. */
  behave?(): void;
  end(): unknown;
}

export interface Path {
  readonly name: string;
  open(fault: Fault): Promise<Scene>;
  /** Faults that do not exist on this path, and why. */
  readonly without?: Partial<Record<Fault, string>>;
}

export interface Outcome {
  /** `answer`, the code of the error, or `own error` for what the application threw. */
  readonly result: string;
  readonly ms: number;
  /** Attempts of the caller while the fault lasted, and per attempt the commands sent and the connections made. */
  readonly attempts: number;
  readonly asked: number;
  readonly connections: number;
  /** Bytes that its connections held when the caller had its answer. */
  readonly held: number;
  /** Milliseconds from the end of the fault to a right answer. */
  readonly recoveredAfter: number;
}

/** Nothing in the matrix may take longer. */
export const LIMIT_MS = 10_000;
/** For so long a caller tries again and again, one attempt after the other. */
const INSISTS_MS = 150;

export async function runCell(path: Path, fault: Fault): Promise<Outcome> {
  const scene = await path.open(fault);
  try {
    const { server } = scene;
    const asked = server.asked;
    const connections = server.connections;
    if (fault === 'callback throws' || fault === 'callback hangs') scene.misbehave!(fault);
    else server.inject(fault);
    const attempt = async () => {
      const controller = new AbortController();
      const promise = scene.use(controller.signal);
      if (fault === 'abort') setTimeout(() => (scene.abort === undefined ? controller.abort() : scene.abort()), 20);
      return resultOf(await settled(promise), scene);
    };
    const started = performance.now();
    const result = await attempt();
    const ms = performance.now() - started;
    const held = scene.connections().reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
    const until = performance.now() + INSISTS_MS;
    let attempts = 1;
    // A blocked loop blocks all others: once is enough.
    for (; fault !== 'blocked event loop' && performance.now() < until; attempts++) await attempt();
    const counted = {
      attempts,
      asked: (server.asked - asked) / attempts,
      connections: (server.connections - connections) / attempts,
    };
    server.heal();
    scene.behave?.();
    const healed = performance.now();
    for (;;) {
      const again = await settled(scene.use());
      if (again.ok && scene.isRight(again.value)) break;
      if (performance.now() - healed > LIMIT_MS) throw new Error(`does not work again: ${describe(again)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return { result, ms, ...counted, held, recoveredAfter: performance.now() - healed };
  } finally {
    await scene.end();
    await scene.server[Symbol.asyncDispose]();
  }
}

type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

async function settled(promise: Promise<unknown>): Promise<Settled> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    return { ok: true, value: await Promise.race([promise, late]) };
  } catch (error) {
    return { ok: false, error };
  } finally {
    clearTimeout(timer);
  }
}

function resultOf(outcome: Settled, scene: Scene): string {
  if (outcome.ok) {
    if (!scene.isRight(outcome.value)) throw new Error(`a wrong answer: ${describe(outcome)}`);
    return 'answer';
  }
  const { error } = outcome;
  if (error instanceof RedkeepError) return error.code;
  if (error instanceof OwnError) return 'own error';
  throw new Error(`an error that is not typed: ${describe(outcome)}`, { cause: error });
}

function describe(outcome: Settled): string {
  if (outcome.ok) return JSON.stringify(outcome.value) ?? String(outcome.value);
  const { error } = outcome;
  return error instanceof Error
    ? `${error.name} ${(error as { code?: string }).code ?? ''} ${error.message}`
    : String(error);
}

/** The connection of a client. */
export function connectionOf(client: { readonly [CORE]: { readonly connection: Connection } }): Connection {
  return client[CORE].connection;
}
