import type { ActiveAlert } from './active-alerts.js';
import { keyOf } from './active-alerts.js';
import type { Notification, Receiver } from './notification.js';

export interface NotifierOptions {
  /** Waits so long after the first alert of a deployment for others that belong to it. Default 0: a round is a group. */
  readonly groupWaitMs?: number;
  /** Shortest time between two messages about one deployment. Default 20 s. */
  readonly groupIntervalMs?: number;
  /** Repeats what still holds after this time. Default 4 h. */
  readonly repeatMs?: number;
  readonly onFailure?: (receiver: string, error: unknown) => void;
}

interface Group {
  /** What the receiver knows, by alert. */
  known: Map<string, ActiveAlert>;
  firstAt: number | undefined;
  sentAt: number | undefined;
}

/**
 * Groups alerts by deployment, sends what is new or over, and repeats what holds, each receiver on its own: one that
 * does not answer is tried again in the next round and does not hold up the others.
 */
export class Notifier {
  readonly #receivers: readonly Receiver[];
  readonly #options: Required<NotifierOptions>;
  readonly #groups = new Map<string, Group>();
  readonly #busy = new Set<string>();

  constructor(receivers: readonly Receiver[], options: NotifierOptions = {}) {
    this.#receivers = receivers;
    this.#options = {
      groupWaitMs: 0,
      groupIntervalMs: 20_000,
      repeatMs: 4 * 3_600_000,
      onFailure: () => undefined,
      ...options,
    };
  }

  /** Gives every receiver what it has to be told now. Resolves when all have answered; never rejects. */
  async notify(active: readonly ActiveAlert[], deployments: readonly string[], at: number): Promise<void> {
    await Promise.all(
      this.#receivers.flatMap((receiver) =>
        deployments.map((deployment) =>
          this.#tell(
            receiver,
            deployment,
            active.filter(({ node }) => node.deployment === deployment),
            at,
          ),
        ),
      ),
    );
  }

  async #tell(receiver: Receiver, deployment: string, active: readonly ActiveAlert[], at: number): Promise<void> {
    const key = JSON.stringify([this.#receivers.indexOf(receiver), deployment]);
    if (this.#busy.has(key)) return;
    const group = this.#groups.get(key) ?? { known: new Map(), firstAt: undefined, sentAt: undefined };
    this.#groups.set(key, group);
    const now = new Map(active.map((alert) => [keyOf(alert.node, alert.rule), alert]));
    const isNew = [...now.keys()].some((alert) => !group.known.has(alert));
    const resolved = [...group.known].filter(([alert]) => !now.has(alert)).map(([, alert]) => alert);
    const { groupWaitMs, groupIntervalMs, repeatMs, onFailure } = this.#options;
    const repeat = now.size > 0 && group.sentAt !== undefined && at - group.sentAt >= repeatMs;
    if (!isNew && resolved.length === 0 && !repeat) {
      group.firstAt = undefined;
      return;
    }
    group.firstAt ??= at;
    if (!repeat && at - group.firstAt < groupWaitMs) return;
    // The first message of a quiet deployment never waits for the interval.
    if (group.sentAt !== undefined && group.known.size > 0 && at - group.sentAt < groupIntervalMs) return;
    const notification: Notification = {
      deployment,
      firing: active,
      resolved,
      at,
      repeated: !isNew && resolved.length === 0,
    };
    this.#busy.add(key);
    try {
      await receiver.send(notification);
      group.known = now;
      group.sentAt = at;
      group.firstAt = undefined;
    } catch (error) {
      onFailure(receiver.name, error);
    } finally {
      this.#busy.delete(key);
    }
  }
}
