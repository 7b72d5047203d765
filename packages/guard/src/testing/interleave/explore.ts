import { setImmediate as turn } from 'node:timers/promises';
import type { RedisArgument } from 'redkeep';
import type { DirectClient, ViewOptions } from '../../redis/redis.js';

/*
 * Runs operations against a real server and decides, command by command, which of them goes on. Each operation has a
 * client of its own that parks every command:
 *
 *   operation A ── sendCommand ──> parked ─┐
 *   operation B ── sendCommand ──> parked ─┤── the schedule picks one ──> server
 *                                  crash ──┘
 *
 * A schedule is the list of picks. Redis runs one command at a time, so the schedules are all the orders there are;
 * every one is run, depth first, from a fresh state.
 */

/** What became of an operation. */
export type Outcome =
  | { readonly status: 'done'; readonly value: unknown }
  | { readonly status: 'failed'; readonly error: unknown }
  | { readonly status: 'crashed' };

/** One fresh state with the operations that meet in it. */
export interface Meeting {
  /** By name; each is given a client whose commands are scheduled. */
  readonly operations: Readonly<Record<string, (client: DirectClient) => Promise<unknown>>>;
  /** What is broken, in words; undefined when everything holds. Runs unscheduled, after all have ended or crashed. */
  check(outcomes: Readonly<Record<string, Outcome>>): Promise<string | undefined>;
}

/** Something to explore. */
export interface Scenario {
  readonly name: string;
  /** Makes the state that every schedule begins with. */
  prepare(client: DirectClient): Promise<Meeting>;
}

/** How far to go. */
export interface ExploreOptions {
  /** A client to the server, and what empties it. */
  readonly client: DirectClient;
  readonly empty: () => Promise<unknown>;
  /** Crash one operation at any point; default true. */
  readonly crashes?: boolean;
  /** Schedules at most; default all. */
  readonly most?: number;
}

/** What was found. */
export interface Explored {
  readonly scenario: string;
  readonly schedules: number;
  /** Commands that were sent in an order that was chosen. */
  readonly steps: number;
  /** All orders were run. */
  readonly exhaustive: boolean;
  readonly violations: readonly { readonly problem: string; readonly schedule: string }[];
}

/** Violations kept: the first ones show what is wrong. */
const KEPT = 5;
/** Turns of the event loop in which an operation goes on after a reply, timers aside. */
const TURNS = 3;

interface Parked {
  readonly words: readonly RedisArgument[];
  run(): Promise<void>;
}

/** One operation under way. */
class Actor {
  readonly name: string;
  readonly parked: Parked[] = [];
  outcome: Outcome | undefined;

  constructor(name: string, real: DirectClient, operation: (client: DirectClient) => Promise<unknown>) {
    this.name = name;
    operation(this.#clientOn(real)).then(
      (value) => {
        this.outcome ??= { status: 'done', value };
      },
      (error: unknown) => {
        this.outcome ??= { status: 'failed', error };
      },
    );
  }

  crash(): void {
    this.outcome = { status: 'crashed' };
    this.parked.length = 0;
  }

  #clientOn(real: DirectClient): DirectClient {
    return {
      withCommandOptions: (options: ViewOptions) => this.#clientOn(real.withCommandOptions(withoutTimeout(options))),
      sendCommand: (words) =>
        new Promise((resolve, reject) => {
          // A crashed process sends nothing any more.
          if (this.outcome?.status === 'crashed') return;
          const run = () => real.sendCommand(words).then(resolve, reject);
          this.parked.push({ words, run });
        }),
    };
  }
}

/** The schedule decides how long a command waits. */
function withoutTimeout({ typeMapping }: ViewOptions): ViewOptions {
  return typeMapping === undefined ? {} : { typeMapping };
}

interface Pick {
  readonly taken: number;
  readonly options: number;
  readonly label: string;
}

/** Runs every schedule of a scenario, or as many as are allowed. */
export async function explore(scenario: Scenario, options: ExploreOptions): Promise<Explored> {
  const { most = Number.POSITIVE_INFINITY } = options;
  const violations: { problem: string; schedule: string }[] = [];
  let prefix: number[] | undefined = [];
  let schedules = 0;
  let steps = 0;
  while (prefix !== undefined && schedules < most) {
    const { picks, problem } = await runSchedule(scenario, prefix, options);
    schedules += 1;
    steps += picks.length;
    if (problem !== undefined && violations.length < KEPT)
      violations.push({ problem, schedule: picks.map(({ label }) => label).join(' | ') });
    prefix = nextPrefix(picks);
  }
  return { scenario: scenario.name, schedules, steps, exhaustive: prefix === undefined, violations };
}

/** The next schedule, depth first: the last pick that had another option takes it. */
function nextPrefix(picks: readonly Pick[]): number[] | undefined {
  for (let at = picks.length - 1; at >= 0; at--) {
    const { taken, options } = picks[at]!;
    if (taken + 1 < options) return [...picks.slice(0, at).map((pick) => pick.taken), taken + 1];
  }
  return undefined;
}

async function runSchedule(
  scenario: Scenario,
  prefix: readonly number[],
  { client, empty, crashes = true }: ExploreOptions,
): Promise<{ readonly picks: Pick[]; readonly problem: string | undefined }> {
  await empty();
  const meeting = await scenario.prepare(client);
  const actors = Object.entries(meeting.operations).map(([name, run]) => new Actor(name, client, run));
  const picks: Pick[] = [];
  let crashed = !crashes;
  for (;;) {
    await settle(actors);
    const waiting = actors.filter(({ outcome, parked }) => outcome === undefined && parked.length > 0);
    if (waiting.length === 0) break;
    const options: { readonly label: string; take(): Promise<void> | void }[] = waiting.map((actor) => ({
      label: `${actor.name} ${labelOf(actor.parked[0]!)}`,
      take: () => actor.parked.shift()!.run(),
    }));
    if (!crashed) {
      for (const actor of waiting) options.push({ label: `${actor.name} CRASHES`, take: () => actor.crash() });
    }
    // An operation with timers may not repeat itself exactly: then the schedule goes on where it can.
    const taken = Math.min(prefix[picks.length] ?? 0, options.length - 1);
    const option = options[taken]!;
    if (taken >= waiting.length) crashed = true;
    picks.push({ taken, options: options.length, label: option.label });
    await option.take();
  }
  const outcomes = Object.fromEntries(actors.map(({ name, outcome }) => [name, outcome ?? { status: 'crashed' }]));
  return { picks, problem: await meeting.check(outcomes as Record<string, Outcome>) };
}

/** Waits until every operation has parked a command or ended, timers of its own included. */
async function settle(actors: readonly Actor[]): Promise<void> {
  for (let i = 0; i < TURNS; i++) await turn();
  for (let i = 0; i < 2000; i++) {
    if (actors.every(({ outcome, parked }) => outcome !== undefined || parked.length > 0)) return;
    if (actors.some(({ outcome, parked }) => outcome === undefined && parked.length > 0) && i > 20) return;
    await turn();
    if (i > 50) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function labelOf({ words }: Parked): string {
  const [command, first, , key] = words.map(String);
  const subject = /^(EVALSHA|EVAL|FCALL)$/.test(command!) ? `${first!.slice(0, 6)} ${key}` : (first ?? '');
  return `${command} ${subject.slice(0, 40)}`;
}

/** Every pair of operations, an operation with itself included. */
export function pairsOf(names: readonly string[]): (readonly [string, string])[] {
  return names.flatMap((first, at) => names.slice(at).map((second) => [first, second] as const));
}

/** Every three operations. */
export function triplesOf(names: readonly string[]): (readonly [string, string, string])[] {
  return names.flatMap((first, at) =>
    pairsOf(names.slice(at)).map(([second, third]) => [first, second, third] as const),
  );
}
