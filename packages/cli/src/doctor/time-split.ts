import { type Evidence, growth, quantile } from './evidence.js';

/** Where the time of a command goes, in microseconds. */
export interface TimeSplit {
  /** The best PING: the way there and back, with a server that is free. */
  readonly network: number;
  /** What the middle PING takes longer: waiting for other commands. */
  readonly queue: number;
  /** The same for one PING in a hundred. */
  readonly queueWorst: number;
  /** The average command of the time watched, by the server's own clock; without the doctor's. */
  readonly command: number;
  /** Commands a second while watched. */
  readonly rate: number;
}

/**
 * Splits what a caller waits for into network, queue and command. What the application itself adds (its own event
 * loop, its own pool) cannot be seen from here: the client's `redkeep:command` channel shows it.
 */
export function splitTime(evidence: Evidence): TimeSplit {
  const best = evidence.pings[0] ?? 0;
  const middle = quantile(evidence.pings, 0.5) ?? best;
  const worst = quantile(evidence.pings, 0.99) ?? middle;
  const calls = evidence.commands.reduce((sum, use) => sum + use.calls, 0);
  const usec = evidence.commands.reduce((sum, use) => sum + use.usec, 0);
  return {
    network: best,
    queue: middle - best,
    queueWorst: worst - best,
    command: calls === 0 ? 0 : usec / calls,
    rate: growth(evidence, 'total_commands_processed') / evidence.seconds,
  };
}
