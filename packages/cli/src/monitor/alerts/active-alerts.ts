import type { MonitorEvent } from '../detect/events.js';
import type { WatchedNode } from '../snapshot.js';
import { type AlertRule, alertRules, eventWindowSeconds, type StateCondition } from './alert-rules.js';

/** An alert about one node that holds now. */
export interface ActiveAlert {
  readonly rule: AlertRule;
  readonly node: WatchedNode;
  readonly startedAt: number;
  /** The newest detail of what was seen. */
  readonly detail: string | undefined;
  /** How often it was seen since it started; 1 for a state. */
  readonly count: number;
}

interface Track {
  alert: ActiveAlert;
  /** When a state began to hold; an alert only after `forSeconds`. */
  readonly since: number;
  lastAt: number;
}

/** Follows which alerts hold, by the same table from which the Prometheus rules are made. */
export class ActiveAlerts {
  readonly #tracks = new Map<string, Track>();

  /** Takes in a round of one node. */
  update(
    node: WatchedNode,
    at: number,
    events: readonly MonitorEvent[],
    states: Readonly<Record<string, number>>,
  ): void {
    for (const rule of alertRules) {
      const key = keyOf(node, rule);
      const { when } = rule;
      if ('event' in when) {
        const seen = events.filter(({ event }) => event === when.event);
        if (seen.length > 0) this.#see(key, { rule, node }, at, seen);
        else if (at - (this.#tracks.get(key)?.lastAt ?? at) > eventWindowSeconds * 1000) this.#tracks.delete(key);
      } else if (holds(when, states[when.state])) this.#see(key, { rule, node }, at, []);
      else this.#tracks.delete(key);
    }
  }

  /** Alerts that hold, each with its node; `atOnce` leaves out for how long a state must hold. */
  list(at: number, atOnce = false): ActiveAlert[] {
    return [...this.#tracks.values()]
      .filter(
        ({ alert: { rule }, since }) =>
          atOnce || at - since >= ('event' in rule.when ? 0 : rule.when.forSeconds * 1000),
      )
      .map(({ alert }) => alert);
  }

  #see(key: string, what: Pick<ActiveAlert, 'rule' | 'node'>, at: number, events: readonly MonitorEvent[]): void {
    const known = this.#tracks.get(key);
    const count = events.reduce((sum, event) => sum + event.count, 0);
    const alert: ActiveAlert = {
      ...what,
      startedAt: known?.alert.startedAt ?? at,
      detail: events.at(-1)?.detail ?? known?.alert.detail,
      count: 'event' in what.rule.when ? (known?.alert.count ?? 0) + count : 1,
    };
    this.#tracks.set(key, { alert, since: known?.since ?? at, lastAt: at });
  }
}

export function keyOf({ deployment, name }: WatchedNode, { alert }: AlertRule): string {
  return JSON.stringify([deployment, name, alert]);
}

function holds({ operator, value }: StateCondition, state: number | undefined): boolean {
  if (state === undefined) return false;
  return operator === '<' ? state < value : operator === '>' ? state > value : state === value;
}
